"""Values shared by every room of the core. Frozen, plain, no I/O.

What crosses the public door (REST, SDK, CLI) is in ``bodies``; what stays inside is here.
All datetimes are timezone-aware UTC. All vectors are float32 and, unless said otherwise, unit length.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal, NamedTuple, TypeAlias

import numpy as np
from numpy.typing import NDArray

Vector: TypeAlias = NDArray[np.float32]
"""One vector, shape (d,), float32."""
Vectors: TypeAlias = NDArray[np.float32]
"""A batch of vectors, shape (n, d), float32, row-major."""

TokenBits: TypeAlias = NDArray[np.uint8]
"""Signs of the vectors of a text's tokens, eight to a byte: (tokens, d / 8). What late interaction keeps of it."""

AnchorKind = Literal["number", "date", "name", "identifier", "symbol", "definition"]
Mode = Literal["fast", "strict", "auto"]
ChangeKind = Literal["write", "edit", "delete", "pin", "supersede", "reopen", "embed"]
Trust = Literal["user", "assistant", "tool", "import", "derived"]
"""How far a text may be believed: by who said it; ``derived`` is what a language model made of other memories."""


ASKS = "?"
"""The term that marks a segment which ends by asking something; see ``text.index_terms``."""
CHANGES = "!"
"""The term that marks a segment which speaks of a change."""


@dataclass(frozen=True, slots=True)
class Space:
    """A namespace of a tenant: the unit of isolation, locking, indexing and erasure."""

    tenant: str
    namespace: str


@dataclass(frozen=True, slots=True)
class Anchor:
    """A typed piece of text that decides and verifies: a number, date, name, identifier, symbol or definition.

    ``key`` is the normalised form: two anchors of one kind agree exactly when their keys are equal
    (dates agree when one interval holds the other; see ``anchors.match``).
    """

    kind: AnchorKind
    key: str
    text: str
    """The surface form, ``source[start:end]``."""
    start: int
    end: int
    value: float | None = None
    """Numbers: the amount in ``unit`` (10M → 1e7); times of day: minutes after midnight."""
    unit: str | None = None
    """Numbers: the canonical unit ("km", "usd", "percent", "token", "time", "ordinal", ...); None for a bare count."""
    slot: str | None = None
    """What the anchor is the value of, when the text says so (a head noun: "price", "model", "meeting").
    Conflict is judged only between anchors of one kind, unit and slot."""
    since: datetime | None = None
    until: datetime | None = None
    """Dates: the half-open interval [since, until) that the expression names."""


@dataclass(frozen=True, slots=True)
class Statement:
    """A single-valued fact that a memory asserts: the key of supersession is (subject, attribute)."""

    subject: str
    """Folded name of whom it is about ("ada"); the speaker's own name or role for first person."""
    attribute: str
    """Canonical attribute ("employer", "home", "phone", ...)."""
    value: str
    """Folded value; equal values never supersede each other."""
    closes: bool = field(default=True, compare=False)
    """Whether it may end an earlier statement when it is written. False where the words may speak of another thing of
    the same name ("the meeting is at 3pm" says nothing about last week's meeting). Not stored."""


@dataclass(frozen=True, slots=True)
class StoredStatement:
    """A statement as the store holds it."""

    statement: Statement
    memory_id: str
    event_time: datetime
    ordinal: int
    closed_by: str | None = None


@dataclass(frozen=True, slots=True)
class Supersession:
    """``new_id`` says later, about the same subject and attribute, something else than ``old_id``."""

    old_id: str
    new_id: str
    statement: Statement
    """The old statement whose validity ends."""
    at: datetime
    """Event time of the new statement: the old one is valid until here."""


def content_digest(
    text: str,
    speaker: str | None,
    role: str | None,
    session_id: str | None,
    source: str | None,
    timestamp: datetime | None,
    metadata: Mapping[str, Any],
) -> str:
    """SHA-256 (hex) of what makes two memories the same: content, who, where, and when if it was given."""
    told = timestamp.isoformat() if timestamp else None
    parts = [text, speaker, role, session_id, told, source, dict(metadata)]
    return hashlib.sha256(json.dumps(parts, sort_keys=True, ensure_ascii=False).encode()).hexdigest()


@dataclass(frozen=True, slots=True)
class Segment:
    """A stretch of a memory's text that is embedded and analysed on its own: ``text[start:end]``."""

    start: int
    end: int
    terms: Mapping[str, int]
    """Analysed terms with their counts."""
    vector: Vector | None = None
    """Shape (d,), unit length; None while embedding is pending."""
    tokens: TokenBits | None = None
    """Of the same pass as the vector; None where the embedder shows none."""


@dataclass(frozen=True, slots=True)
class NewMemory:
    """A memory ready to be inserted: decided, analysed and (usually) embedded, before any transaction opens."""

    id: str
    text: str
    summary: str
    digest: str
    """What makes a memory the same: ``content_digest``, with the timestamp only if it was given."""
    timestamp: datetime
    """Event time: when it was said."""
    created_at: datetime
    session_id: str | None = None
    speaker: str | None = None
    role: str | None = None
    source: str | None = None
    trust: Trust = "user"
    author: str | None = None
    """Name of the credential that wrote it."""
    metadata: Mapping[str, Any] = field(default_factory=dict)
    pinned: bool = False
    expires_at: datetime | None = None
    segments: tuple[Segment, ...] = ()
    anchors: tuple[Anchor, ...] = ()
    statements: tuple[Statement, ...] = ()
    generation: str | None = None
    """Embedder generation of the vectors; None while pending."""
    derived_from: tuple[str, ...] = ()
    """The memories that it was made of: it goes when one of them goes or says something else."""


@dataclass(frozen=True, slots=True)
class StoredMemory:
    """A memory as it lies in the store."""

    id: str
    ordinal: int
    """Count of writes in the namespace when it came: the age clock of decay."""
    text: str
    summary: str
    digest: str
    timestamp: datetime
    created_at: datetime
    updated_at: datetime
    session_id: str | None
    speaker: str | None
    role: str | None
    source: str | None
    trust: Trust
    author: str | None
    metadata: Mapping[str, Any]
    pinned: bool
    expires_at: datetime | None
    version: int
    evidence_id: str
    valid_from: datetime
    valid_until: datetime | None
    superseded_by: str | None
    anchors: tuple[Anchor, ...]
    pending: bool
    derived_from: tuple[str, ...] = ()
    """Ids, in their order."""

    def has_expired(self, now: datetime) -> bool:
        return self.expires_at is not None and self.expires_at <= now


@dataclass(frozen=True, slots=True)
class Version:
    """One earlier or present state of a memory, newest last."""

    version: int
    kind: ChangeKind
    at: datetime
    text: str
    by: str | None = None
    """For supersede: the id of the superseding memory."""


@dataclass(frozen=True, slots=True)
class Head:
    """How far a namespace has come. (epoch, seq) is a follower's watermark."""

    epoch: int
    seq: int
    ordinal: int


@dataclass(frozen=True, slots=True)
class Change:
    """A row of the change log: what a follower must look at again."""

    seq: int
    kind: ChangeKind
    memory_id: str


@dataclass(frozen=True, slots=True)
class IndexRow:
    """What an index keeps of one memory. No text."""

    id: str
    ordinal: int
    timestamp: datetime
    created_at: datetime
    session_id: str | None
    speaker: str | None
    role: str | None
    source: str | None
    metadata: Mapping[str, Any]
    pinned: bool
    expires_at: datetime | None
    valid_from: datetime
    valid_until: datetime | None
    superseded_by: str | None
    segments: tuple[Segment, ...]
    anchors: tuple[Anchor, ...]
    uses: float = 0.0
    """Reinforcement: citations and positive feedback minus negative feedback."""
    length: int = 0
    """Characters of the memory's text."""


@dataclass(frozen=True, slots=True)
class Columns:
    """What an index knows of its memories beside words and vectors: one array per property, all of shape (rows,).

    Times are POSIX seconds. Open ends are +inf (``valid_until``, ``expires_at``).
    """

    alive: NDArray[np.bool_]
    ordinal: NDArray[np.int64]
    timestamp: NDArray[np.float64]
    created_at: NDArray[np.float64]
    valid_from: NDArray[np.float64]
    valid_until: NDArray[np.float64]
    expires_at: NDArray[np.float64]
    pinned: NDArray[np.bool_]
    superseded: NDArray[np.bool_]
    question: NDArray[np.bool_]
    """The memory itself asks something."""
    uses: NDArray[np.float32]
    length: NDArray[np.int64]
    event_since: NDArray[np.float64]
    event_until: NDArray[np.float64]
    """From the first to the end of the last day that the memory's dates name; +inf and −inf where it names none."""
    previous: NDArray[np.int64]
    """The row before in the same session; −1 at its start and for memories without a session."""
    following: NDArray[np.int64]
    """The row after in the same session; −1 at its end."""


@dataclass(frozen=True, slots=True)
class SessionState:
    """Where a session is heading. Small, written behind, newest turn wins.

    ``direction`` (d,) is the decayed mean of the session's own question vectors, not unit length
    (|v| ≤ 1 − μ^turns); ``drift`` (d,) is the previous proposed change, for the left-spin gate.
    """

    turns: int = 0
    direction: Vector | None = None
    drift: Vector | None = None
    recent: tuple[str, ...] = ()
    """The last questions, oldest first."""
    updated_at: datetime | None = None
    generation: str | None = None
    """Of the embedder whose vectors these are: they are never compared with those of another."""
    epoch: int = field(default=0, compare=False)
    """Of the namespace that was asked: what was asked of one that was erased is not its successor's. 0 where none is
    known."""
    stored: bool = field(default=False, compare=False)
    """Whether the store had it before: then it is written only where one still is, for it may have been reset since."""


@dataclass(frozen=True, slots=True)
class ApiKey:
    """A credential. The secret itself is shown once and never stored."""

    id: str
    tenant: str
    name: str
    role: str
    created_at: datetime
    revoked_at: datetime | None = None
    expires_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class AuditEntry:
    """What an administrator did, or tried to do. Never any content."""

    at: datetime
    tenant: str
    key_id: str
    name: str
    """Of the key."""
    action: str
    """"erase", "backup", "keys.create", ..."""
    target: str | None
    """What it was done to; a namespace by ``namespace_digest``, because names are erased too."""
    outcome: str
    """"ok", or the code of the error."""
    id: int = 0
    """Given by the store: later entries have greater ones."""


@dataclass(frozen=True, slots=True)
class ChosenEmbedder:
    """The embedder that a store was switched to."""

    generation: str
    settings: Mapping[str, Any]
    """How to open it: fields of ``EmbedderSettings``."""


Verb = Literal["write", "update", "delete", "erase", "query", "answer", "chat"]


@dataclass(frozen=True, slots=True)
class Operation:
    """One verb of the engine, now that it has ended: figures, and nothing of what was said or of whose it is."""

    verb: Verb
    took_s: float
    counts: Mapping[str, int] = field(default_factory=dict)
    """What it came to, by name; see ``engine.observing``."""
    steps_ms: Mapping[str, float] = field(default_factory=dict)
    """Its steps in their order."""
    error: str | None = None
    """The code of the error that it ended with; "cancelled" where its caller went away."""


JobState = Literal["queued", "running", "done", "failed", "cancelled"]


@dataclass(frozen=True, slots=True)
class Job:
    """Work that outlives the request and the process that began it. It lies in the store, step by step."""

    id: str
    """A UUIDv7: later ones were submitted later."""
    kind: str
    """What is to be done: "reindex", "backup", ..."""
    created_at: datetime
    updated_at: datetime
    tenant: str | None = None
    """Whose it is; None: the whole service's."""
    arguments: Mapping[str, Any] = field(default_factory=dict)
    """JSON."""
    state: JobState = "queued"
    done: int = 0
    total: int | None = None
    """Progress, in units of the kind; ``total`` None while it is not known."""
    cursor: Any = None
    """JSON: where the next step goes on; None before the first."""
    result: Any = None
    """JSON: what came out."""
    error: str | None = None
    attempts: int = 0
    """How often it was taken up since its last step."""
    owner: str | None = None
    """Who works on it."""
    lease_until: datetime | None = None
    """Until when its owner is believed to be alive."""
    finished_at: datetime | None = None

    @property
    def finished(self) -> bool:
        return self.state not in ("queued", "running")


class EvidenceBlock(NamedTuple):
    """A piece of stored text offered to a generator: ``memory.text[start:end]``."""

    memory_id: str
    text: str
    start: int
    end: int
    score: float
    timestamp: datetime
    speaker: str | None = None
    current: bool = True
    role: str | None = None
    session_id: str | None = None
    ordinal: int | None = None
    """Write order of the memory: says which turn of a session came after which."""


@dataclass(frozen=True, slots=True)
class Message:
    """A chat message for a generator."""

    role: Literal["system", "user", "assistant"]
    content: str


@dataclass(frozen=True, slots=True)
class Prompt:
    """All a generator gets: rendered messages for a language model, and the same evidence as values."""

    question: str
    blocks: tuple[EvidenceBlock, ...]
    messages: tuple[Message, ...]
    confidence: float
    """How likely the evidence holds an answer, in [0, 1]."""
    max_tokens: int = 512
    history: tuple[str, ...] = ()
    """Earlier questions of the session, oldest first: what "it" may refer to."""
    listed: tuple[EvidenceBlock, ...] = ()
    """The same blocks in the order in which the messages number them, from 1."""
    hard: bool = False
    """Whether the question is worth a larger model: exactness was asked for, or the evidence is thin or disagrees."""
    response_format: Mapping[str, Any] | None = None
    """The shape of the answer, as OpenAI's API takes it; None for plain text."""


@dataclass(frozen=True, slots=True)
class Usage:
    """Tokens counted by the generator."""

    prompt_tokens: int = 0
    completion_tokens: int = 0


@dataclass(frozen=True, slots=True)
class Delta:
    """A piece of a generated answer. The last one carries ``finish`` and ``usage``."""

    text: str = ""
    finish: Literal["stop", "length", "abstained"] | None = None
    usage: Usage | None = None
    degraded: bool = False
    """True when it comes from a fallback because the generator asked for failed."""
    reason: str | None = None
    """Why it is degraded."""
