"""The seams: what the core needs from the outside world, as protocols.

Implementations subclass them explicitly, so the type checker holds both sides to the contract, and every
implementation and every double passes the one conformance suite of its port (``tests/conformance``).
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, Protocol, TypeAlias, TypeVar

import numpy as np
from numpy.typing import NDArray

from aim_memory.bodies import BackupManifest, VerifyReply
from aim_memory.types import (
    Anchor,
    ApiKey,
    AuditEntry,
    Change,
    ChosenEmbedder,
    Columns,
    Delta,
    Head,
    IndexRow,
    Job,
    JobState,
    NewMemory,
    Operation,
    Prompt,
    SessionState,
    Space,
    StoredMemory,
    StoredStatement,
    Supersession,
    TokenBits,
    Vector,
    Vectors,
    Verb,
    Version,
)

DerivedT = TypeVar("DerivedT")
ReadSigns: TypeAlias = Callable[[Sequence[str]], Mapping[str, Sequence[TokenBits]]]
"""Reads the token signs of memories by id, per segment and in their order; as ``MemoryStore.signs`` of one space."""


class Clock(Protocol):
    """Wall time and fresh ids: the only source of either."""

    def now(self) -> datetime:
        """The present moment, timezone-aware UTC."""
        ...

    def new_id(self) -> str:
        """A fresh UUIDv7 in canonical form: later ids sort after earlier ones."""
        ...


class Embedder(Protocol):
    """Texts to unit vectors. Documents and questions are embedded apart: models may prefix them differently.

    Batch first: one text is a batch of one. Thread-safe. An empty batch gives shape (0, dimension).
    Text longer than ``window`` tokens is the caller's mistake; segment it first.
    Raises EmbedderError.
    """

    @property
    def generation(self) -> str:
        """Names model, revision, dimension and prefixes: vectors of different generations are never compared."""
        ...

    @property
    def dimension(self) -> int: ...

    @property
    def window(self) -> int:
        """How many tokens of a text the model sees."""
        ...

    def embed_documents(self, texts: Sequence[str]) -> Vectors:
        """(n, dimension) float32, each row of length 1, in the order of ``texts``."""
        ...

    def embed_queries(self, texts: Sequence[str]) -> Vectors:
        """(n, dimension) float32, each row of length 1, in the order of ``texts``."""
        ...

    def embed_documents_with_tokens(self, texts: Sequence[str]) -> tuple[Vectors, Sequence[TokenBits] | None]:
        """``embed_documents``, and from the same pass the signs of each text's token vectors; None if it shows none."""
        return self.embed_documents(texts), None

    def embed_queries_with_tokens(self, texts: Sequence[str]) -> tuple[Vectors, Sequence[Vectors] | None]:
        """``embed_queries``, and from the same pass each text's token vectors, (tokens, dimension) float32 of
        length 1; None if it shows none. The model's own marks are left out."""
        return self.embed_queries(texts), None


class Reranker(Protocol):
    """A model that reads a question and a text together (a cross-encoder) and says how well the one answers the other.
    Thread-safe. Raises EmbedderError."""

    def scores(self, question: str, texts: Sequence[str]) -> NDArray[np.float32]:
        """One per text, (n,), higher is better; on a scale of the model's own."""
        ...


class Generator(Protocol):
    """Evidence to an answer, as a stream.

    The last delta carries ``finish`` (and ``usage`` where it is counted). Closing the iterator cancels the
    generation. Raises GeneratorError, before the first delta or in the middle.
    """

    @property
    def name(self) -> str: ...

    def stream(self, prompt: Prompt) -> AsyncGenerator[Delta, None]: ...


class ChatModels(Protocol):
    """Language models reached by OpenAI's chat completions. What a caller says to them passes unchanged."""

    def names(self) -> Sequence[str]:
        """What a caller may put as ``model``: the default first."""
        ...

    def replies(
        self, body: Mapping[str, Any], *, hard: bool = False, background: bool = False
    ) -> AsyncGenerator[dict[str, Any], None]:
        """The chunks of a streamed completion (``body["stream"]``), up to its end, or else the one whole reply.

        ``background``: nobody waits for it, and it lets those go first for whom somebody does.
        Closing the iterator cancels the generation. Raises GeneratorError, before the first chunk or in the middle:
        GeneratorRefusedError when the model's server will not serve this body.
        """
        ...

    def figures(self) -> dict[str, Any]:
        """Calls, failures, tokens and the state of each model, for a person to read."""
        ...


class Companion(Protocol):
    """A program that runs beside a server and is looked after by it, such as the one that serves its model.

    Nothing waits for it: what it offers fails until it is ready, and fails again while it is started anew.
    """

    def start(self, tell: Callable[[str], None]) -> None:
        """Begins, and returns at once. ``tell`` gets a line for people whenever something changes, on any thread."""
        ...

    def state(self) -> Mapping[str, Any]:
        """How it is, for a person to read; ``state`` is one word."""
        ...

    def close(self) -> None:
        """Ends it, and returns when nothing of it is left. Without a start, and a second time, harmless."""
        ...


class Course(Protocol):
    """One verb of the engine, from its beginning to its end, as somebody sees it who watches."""

    def inside(self) -> AbstractContextManager[None]:
        """Around work on it; may be entered again and again, each time left in the context in which it was entered."""
        ...

    def ended(self, operation: Operation) -> None: ...


class Observer(Protocol):
    """Watches the engine, on any thread. Must not raise."""

    def began(self, verb: Verb) -> Course: ...


class UnitOfWork(Protocol):
    """One transaction on one namespace. The namespace's row is locked from entry to exit, so commit order is seq order.

    Leaving without ``commit`` rolls everything back. Decisions that depend on what is stored (duplicates,
    supersession) are taken in here; model calls are made before.
    """

    @property
    def head(self) -> Head:
        """The namespace as this transaction sees it, its own changes included."""
        ...

    def replay(self, key: str, fingerprint: str) -> bytes | None:
        """The reply stored under an idempotency key of this tenant, or None. Raises IdempotencyError when the
        key was used with another fingerprint."""
        ...

    def keep_reply(self, key: str, fingerprint: str, reply: bytes, now: datetime) -> None:
        """Stores a reply under an idempotency key, in this very commit."""
        ...

    def existing(self, ids: Sequence[str]) -> Mapping[str, StoredMemory]:
        """The memories that exist among ``ids``."""
        ...

    def repeat_of(self, session_id: str | None, digest: str, since: datetime) -> str | None:
        """Id of a memory of this session with this digest, created at or after ``since``; the newest one."""
        ...

    def statements(self, keys: Sequence[tuple[str, str]]) -> Sequence[StoredStatement]:
        """All statements under (subject, attribute) keys, closed ones included, by event time then ordinal."""
        ...

    def insert(self, memories: Sequence[NewMemory]) -> Mapping[str, int]:
        """Inserts, in order, each with the next ordinal and a change row "write". Returns id → ordinal.
        Raises ConflictError if an id exists, NotFoundError if one that it is derived from does not."""
        ...

    def supersede(self, supersessions: Sequence[Supersession]) -> None:
        """Closes old statements; a memory all of whose statements are closed is superseded (by the newest
        closer), its ``valid_until`` set, a "supersede" version kept and a change row written."""
        ...

    def update(self, memory: NewMemory, now: datetime) -> StoredMemory:
        """Replaces the content of an existing memory (text, analysis, metadata, pinned, expiry), keeping its
        ordinal and creation time; the old state goes to its history. Statements that the old text made are
        withdrawn, and what they had closed is reopened, or handed to who had closed them. Where text or time changed,
        what was derived from it is erased, and it is unread again. Raises NotFoundError."""
        ...

    def delete(self, ids: Sequence[str]) -> int:
        """Erases memories with their evidence, history, statements and vectors; tombstones keep no content.
        What they had superseded is reopened, unless they were superseded themselves on the same subject and
        attribute: then their closer takes over. What was derived from them goes with them. Returns how many of
        ``ids`` existed."""
        ...

    def embed(
        self, memory_id: str, vectors: Vectors, generation: str, tokens: Sequence[TokenBits] | None = None
    ) -> None:
        """Gives a memory its vectors (and token signs) of a generation, one per segment, in order; change row "embed".
        Those of another generation are kept beside them until the text changes or they are pruned."""
        ...

    def prune(self, ids: Sequence[str], generation: str) -> int:
        """Drops the vectors of other generations of those memories that have some of ``generation``, and returns how
        many these were. No change row: who still reads by a dropped one keeps what he holds."""
        ...

    def mark_read(self, ids: Sequence[str]) -> None:
        """Says that a language model has read these memories for facts; unknown ids are ignored. No change row."""
        ...

    def commit(self) -> Head:
        """Makes everything durable (synced) and returns the new head."""
        ...


class Jobs(Protocol):
    """Work that is done in steps, by whoever is alive. Thread-safe; every method is one short transaction.

    A job is claimed for the length of a lease, and every step renews it. Whoever holds a claim says so with the job as
    it was given to him: ``beat``, ``release``, ``finish`` and ``fail`` return False, and change nothing, when the job
    was cancelled or taken up by another owner since. Raises StorageError and its subclasses only.
    """

    def submit(self, job: Job) -> Job:
        """Stores a new job. Returns it, or the one of the same kind, tenant and arguments that is not finished yet:
        asking twice is asking once. Jobs that were finished 90 days before are forgotten."""
        ...

    def claim(self, kinds: Sequence[str], owner: str, now: datetime, lease: timedelta) -> Job | None:
        """Takes up the oldest job of these kinds that is queued, or whose owner's lease has run out; None if there is
        none. ``owner`` is new at each claim. Nobody else is given the job until ``now + lease``."""
        ...

    def beat(self, job: Job, now: datetime, lease: timedelta) -> bool:
        """Renews the lease until ``now + lease`` and keeps ``job.done``, ``job.total`` and ``job.cursor``."""
        ...

    def release(self, job: Job, now: datetime) -> bool:
        """Gives a job back, to be gone on with at its cursor by whoever claims it next."""
        ...

    def finish(self, job: Job, now: datetime, result: Any) -> bool:
        """Ends a job as done, its progress kept as ``job`` says."""
        ...

    def fail(self, job: Job, now: datetime, error: str) -> bool: ...

    def cancel(self, job_id: str, now: datetime) -> bool:
        """Ends a job that is not finished. Whoever works on it notices at its next step."""
        ...

    def get(self, job_id: str) -> Job | None: ...

    def list(
        self,
        tenant: str | None = None,
        *,
        states: Sequence[JobState] = (),
        before: str | None = None,
        limit: int = 50,
    ) -> Sequence[Job]:
        """The newest first: a tenant's, or all; in these states, or in any; older than the id ``before``."""
        ...

    def counts(self) -> Mapping[JobState, int]:
        """How many there are by state, over all tenants; of states that no job is in, nothing."""
        ...


class MemoryStore(Protocol):
    """The truth. Thread-safe; every method but ``begin`` and ``together`` is one short transaction.

    Spaces that do not exist read as empty. Raises StorageError and its subclasses only.
    """

    local: bool
    """Whether there is no network to the rows: looking one up waits for nobody, so an event loop may do it, and
    transactions opened ``together`` are one."""

    def begin(self, space: Space) -> AbstractContextManager[UnitOfWork]:
        """Opens a transaction on a namespace, creating the namespace if needed (on commit)."""
        ...

    def together(self) -> AbstractContextManager[Callable[[Space], AbstractContextManager[UnitOfWork]]]:
        """Opens transactions as ``begin`` does, one after the other, each kept or taken back by itself, which may share
        one commit: what was committed is durable when this is left. Where it is not, leaving raises StorageError."""
        ...

    def head(self, space: Space) -> Head | None: ...

    def changes(self, space: Space, after: int, limit: int = 1000) -> Sequence[Change]:
        """Changes with seq > ``after``, by seq, without gaps."""
        ...

    def index_rows(self, space: Space, ids: Sequence[str]) -> Sequence[IndexRow]:
        """Rows for ``ids`` that exist, in ordinal order, vectors and token signs of the given generation only."""
        ...

    def snapshot(self, space: Space) -> tuple[Head, Sequence[IndexRow]]:
        """All rows in ordinal order, without token signs, and the head they belong to, read in one transaction.
        A space that does not exist gives Head(0, 0, 0) and no rows."""
        ...

    def signs(self, space: Space, ids: Sequence[str]) -> Mapping[str, Sequence[TokenBits]]:
        """Token signs of the given generation, per segment that has some and in their order, of those memories among
        ``ids`` that have any; as of now."""
        ...

    def matching(self, space: Space, terms: Sequence[str], limit: int) -> Sequence[str]:
        """Ids of the memories that have most of these terms in one segment, found by reading all: for when there is
        no index. Terms are folded as in ``Segment.terms``; equals come by id, the greatest first."""
        ...

    def get(self, space: Space, ids: Sequence[str]) -> Mapping[str, StoredMemory]: ...

    def page(self, space: Space, after: int, limit: int, now: datetime) -> Sequence[str]:
        """Ids of the next memories after an ordinal, in ordinal order, without those that have expired by ``now``."""
        ...

    def unread(self, space: Space, after: int, limit: int) -> Sequence[str]:
        """Ids of the next memories after an ordinal, in ordinal order, that no language model has read for facts and
        that are not themselves derived."""
        ...

    def count_unread(self, space: Space) -> int:
        """How many ``unread`` would name from the beginning without a limit."""
        ...

    def with_unread(self) -> Sequence[Space]:
        """The spaces that have unread memories, over all tenants."""
        ...

    def derivatives(self, space: Space, ids: Sequence[str]) -> Sequence[str]:
        """Ids, sorted, of what was derived from these memories."""
        ...

    def locate(self, tenant: str, memory_id: str) -> Space | None:
        """Where a server-made id lives; None when it does not exist or more than one namespace has it."""
        ...

    def history(self, space: Space, memory_id: str) -> Sequence[Version]: ...

    def evidence(self, space: Space, memory_id: str) -> tuple[str, int, int] | None:
        """(original text, start, end): the memory is ``original[start:end]``."""
        ...

    def use(self, generation: str | None) -> None:
        """Hands out vectors of this generation from here on; None: of no generation."""
        ...

    def pending(self, limit: int, generation: str | None = None) -> Sequence[tuple[Space, str]]:
        """Memories that wait for vectors of the generation in use, or of the one given, oldest first, over all
        tenants."""
        ...

    def count_pending(self, generation: str | None = None) -> int:
        """How many ``pending`` would name without a limit."""
        ...

    def prunable(self, limit: int, generation: str) -> Sequence[tuple[Space, str]]:
        """Memories with vectors of ``generation`` and of others, over all tenants."""
        ...

    def count_prunable(self, generation: str) -> int:
        """How many ``prunable`` would name without a limit."""
        ...

    def generations(self) -> Sequence[str]:
        """Of all embedders whose vectors are here, and perhaps of some that were in use and made none."""
        ...

    def choose_embedder(self, chosen: ChosenEmbedder, now: datetime) -> None:
        """Says which embedder the store is to be opened with where no settings name one. One row: it is chosen for
        everybody at once, and vectors of it that are missing are merely pending."""
        ...

    def chosen_embedders(self) -> Sequence[ChosenEmbedder]:
        """The choices that were not taken back, the one that holds first."""
        ...

    def unchoose_embedder(self) -> None:
        """Takes the choice that holds back: the one before holds again."""
        ...

    def expired(self, now: datetime, limit: int) -> Sequence[tuple[Space, str]]:
        """Memories whose ``expires_at`` is at or before ``now``, over all tenants."""
        ...

    def namespaces(self, tenant: str, after: str | None = None, limit: int = 200) -> Sequence[tuple[str, Head, int]]:
        """(namespace, head, number of memories), by name, after a name."""
        ...

    def erase(self, space: Space) -> Mapping[str, int]:
        """Erases a whole namespace, with the jobs whose arguments name it, raises its epoch, and returns what went, per
        kind. Raises NotFoundError."""
        ...

    def amounts(self, tenant: str, namespace: str | None = None) -> Mapping[str, int]:
        """What a tenant has, or one of its namespaces, per kind as ``erase`` counts it, and its ``namespaces``."""
        ...

    def load_session(self, space: Space, session_id: str) -> SessionState | None: ...

    def save_session(self, space: Space, session_id: str, state: SessionState) -> bool:
        """Writes a state unless the stored one has more turns, it is of another epoch than the space's, or it was
        ``stored`` before and is no more. Returns whether it was written.
        Outside seq, not synced. A space that does not exist is not created: returns False."""
        ...

    def delete_session(self, space: Space, session_id: str) -> bool: ...

    def sessions(self, space: Space, limit: int = 200) -> Sequence[tuple[str, SessionState]]: ...

    def reinforce(self, space: Space, amounts: Mapping[str, float]) -> None:
        """Adds to the use counts of memories. Outside seq, not synced; unknown ids are ignored."""
        ...

    def uses(self, space: Space) -> Mapping[str, float]:
        """Use counts that are not zero."""
        ...

    def add_key(self, key: ApiKey, secret_hash: str) -> None: ...

    def find_key(self, secret_hash: str) -> ApiKey | None:
        """The key with this hash, revoked and expired ones included."""
        ...

    def keys(self, tenant: str | None = None) -> Sequence[ApiKey]: ...

    def revoke_key(self, key_id: str, now: datetime) -> bool: ...

    def note(self, entry: AuditEntry) -> None:
        """Adds an entry to the audit log, which can be neither changed nor shortened."""
        ...

    def noted(self, tenant: str | None = None, before: int | None = None, limit: int = 50) -> Sequence[AuditEntry]:
        """The audit log, the newest entry first: a tenant's or all of it, older than the id ``before``."""
        ...

    @property
    def jobs(self) -> Jobs:
        """Work that lies in the same database."""
        ...

    def check(self) -> Mapping[str, Any]:
        """A cheap health look: database kind, schema revision, integrity figures. Raises StorageError."""
        ...

    def close(self) -> None: ...


class Progress(Protocol):
    """Hears how far long work has come: ``done`` of ``total`` in units of the step."""

    def __call__(self, step: str, done: int, total: int) -> None: ...


class Vault(Protocol):
    """A store as its administrators see it: whole, over all tenants. Every call opens it for itself, and servers over
    the same store go on serving. Raises StorageError and its subclasses, and what is named."""

    def backup(self, folder: Path, progress: Progress) -> BackupManifest:
        """Writes all rows, as of one moment, into a new folder, which is there when it is whole and synced.
        Raises ConflictError if the folder exists and is not empty, NotFoundError if there is no store."""
        ...

    def prove(self, folder: Path, progress: Progress) -> VerifyReply:
        """Restores a backup into a temporary place and compares all that came back with what went in.
        Raises StorageError if it is damaged, InvalidInputError if there is none."""
        ...

    def restore(self, folder: Path, progress: Progress, *, replace: bool = False) -> BackupManifest:
        """Puts a backup in the place of the store: all of it, or, if it fails or is killed, nothing. Epochs are given
        anew. Raises ConflictError if the store is not empty, unless it is to be replaced."""
        ...

    def holdings(self) -> Mapping[str, int]:
        """Rows by table; nothing where there is no store yet."""
        ...

    def verify(self, progress: Progress) -> VerifyReply:
        """Looks through every row for what must not be."""
        ...

    def revisions(self) -> tuple[str | None, str]:
        """The schema that the store has, None before the first, and the one that this version works with."""
        ...

    def migrate(self) -> None:
        """Brings the store to this version's schema, making it if need be."""
        ...


class IndexReader(Protocol):
    """How routing reads an index. A memory is a *row*, 0 ≤ row < ``size``, in ordinal order; rows of memories that
    were removed stay, with ``columns.alive`` false, until the index is compacted. Arrays are views: read, never write.
    """

    def __len__(self) -> int:
        """Memories that are there."""
        ...

    @property
    def size(self) -> int:
        """Rows, dead ones included: the length of every array below."""
        ...

    @property
    def embedded(self) -> float:
        """The share of the segments that have vectors, in [0, 1]; 1 where there are no segments."""
        return 1.0

    @property
    def columns(self) -> Columns: ...

    def derived(self, make: Callable[[IndexReader], DerivedT]) -> DerivedT:
        """What ``make`` makes of this index, kept where that pays until the index changes."""
        return make(self)

    def id_of(self, row: int) -> str: ...

    def row_of(self, memory_id: str) -> int | None:
        """The row of a memory that is there, else None."""
        ...

    def superseded_by(self, row: int) -> str | None: ...

    def anchors_of(self, row: int) -> Sequence[Anchor]: ...

    def anchored(self, kind: str, key: str) -> NDArray[np.int64]:
        """Rows, ascending, that hold an anchor of this kind and key; dead rows may be among them."""
        ...

    def holders(self, kind: str, key: str) -> int:
        """How many rows ``anchored`` names; of an excerpt, how many of the whole index."""
        return len(self.anchored(kind, key))

    def excerpt(
        self,
        terms: Sequence[Mapping[str, float]],
        directions: Sequence[Vector],
        anchors: Sequence[Anchor],
        among: NDArray[np.bool_],
    ) -> IndexReader:
        """What of a large index is worth ranking for one question, as an index of its own with fewer rows; a small
        index is its own excerpt.

        ``len``, ``rarity`` and ``holders`` of an excerpt are those of the whole. A row may be there only as somebody's
        neighbour or as background, whether or not it was ``among``.

        Args:
            terms: The ways to hear the question, each as weighted terms.
            directions: The same as vectors (d,).
            anchors: Of the question.
            among: (size,): the rows that may be found.
        """
        return self

    def compared(self, among: NDArray[np.bool_]) -> int:
        """How many memories a question is compared with if ``among`` (size,) may be found."""
        return int(among.sum())

    def coded(self, field: str) -> tuple[NDArray[np.int32], Sequence[Any]]:
        """A field as (codes, distinct values): row r holds ``values[codes[r]]``; code −1 means absent.
        Fields: session_id, speaker, role, source and metadata.<path>."""
        ...

    def codes(self, field: str) -> NDArray[np.int32]:
        """The codes of ``coded`` alone, for who asks only which rows agree."""
        return self.coded(field)[0]

    def similarities(self, question: Vector) -> NDArray[np.float32]:
        """Cosine of a direction (d,) with each memory: (size,); −inf without a vector. A memory of several
        segments counts as ½ its best, ¼ its first and ¼ the mean of all: many segments are many chances."""
        ...

    def similarities_of(self, question: Vector, rows: NDArray[np.int64]) -> NDArray[np.float32]:
        """What ``similarities`` gives for these rows: (len(rows),)."""
        return self.similarities(question)[rows]

    def late(self, tokens: Vectors, rows: NDArray[np.int64]) -> NDArray[np.float32]:
        """Late interaction: per row and question token (m, d), the estimated cosine of the memory's best matching
        token: (len(rows), m); 0 where the memory has no tokens. Of several segments the best in sum counts."""
        ...

    def lexical(self, terms: Mapping[str, float]) -> NDArray[np.float32]:
        """BM25 (k1 1.2, b 0.75) of weighted question terms with each memory's best segment: (size,); 0 for none.

        Statistics are those of the live segments. idf = ln(1 + (n − df + ½) / (df + ½)) (Robertson and Spärck Jones,
        kept positive as in Lucene).
        """
        ...

    def rarity(self, terms: Sequence[str]) -> NDArray[np.float32]:
        """The same idf per term, (len(terms),); the largest one for a term nobody uses."""
        ...

    def covered(self, terms: Sequence[str], rows: NDArray[np.int64]) -> NDArray[np.bool_]:
        """(len(terms), len(rows)): does the memory contain the term?"""
        ...

    def overlap(self, rows: NDArray[np.int64]) -> NDArray[np.float32]:
        """How much memories, at least one, say in the same words, in [0, 1]: the idf of the terms that two of them
        share, over that of all their terms (a weighted Jaccard index): (len(rows), len(rows))."""
        ...


class NamespaceIndex(IndexReader, Protocol):
    """Arrays over one namespace that follow the store; read as an IndexReader.

    Built from IndexRows, changed by upsert and remove, never a source of truth. Not thread-safe for
    changes; safe for concurrent reads between changes.
    """

    def look_up(self, signs: ReadSigns) -> None:
        """Says where token signs are read that rows did not bring; an index that needs none has nothing to do."""

    def upsert(self, rows: Sequence[IndexRow]) -> None: ...

    def remove(self, ids: Sequence[str]) -> None: ...

    def __len__(self) -> int: ...

    @property
    def nbytes(self) -> int:
        """About how much memory it takes."""
        return 4096 * len(self)

    def freeze(self, *, exact: bool = False) -> bytes | None:
        """All of it but token signs, in few bytes; None of an index that cannot be frozen. Counts as a change.

        Args:
            exact: Keep vectors as they are; otherwise they may be coarser when thawed.
        """
        return None

    def thaw(self, body: bytes) -> None:
        """Becomes, empty before, what was frozen. Raises StorageError for what is no index of this kind."""


class Index(NamespaceIndex, IndexReader, Protocol):
    """An index that can be changed and read."""


class IndexKeeper(Protocol):
    """Hands out indexes that have caught up with the store."""

    def open(self, space: Space) -> AbstractContextManager[Index]:
        """The index at a head not older than the last acknowledged write, held still for reading."""
        ...

    def glimpse(self, space: Space, terms: Sequence[str]) -> Index | None:
        """While a large index is being built: an index of the memories that have most of these terms. None when
        ``open`` need not be waited for."""
        return None

    def refresh(self, space: Space) -> None:
        """Says that use counts have changed, which no ``seq`` tells: the next ``open`` reads them again."""
        ...

    def drop(self, space: Space) -> None: ...

    def figures(self) -> Mapping[str, int]:
        """What is in memory: ``hot`` and ``warm`` indexes, ``nbytes`` of both; ``drift``, memories by which an index
        that says it is up to date differed from its store when it was compared last."""
        return {}
