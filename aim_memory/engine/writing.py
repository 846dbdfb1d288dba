"""Write, edit, delete: analyse outside the transaction, decide and commit inside it."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import TypeAlias

from aim_memory.bodies import DeleteReply, MemoryView, UpdateRequest, WriteReply, WriteRequest, WriteResult
from aim_memory.engine import analysis
from aim_memory.engine.gathering import Gathering
from aim_memory.engine.parts import Parts, missing
from aim_memory.engine.views import memory_view
from aim_memory.errors import AIMMemoryError, ConflictError, InvalidInputError, StaleVersionError
from aim_memory.ingest import drafts as ingest
from aim_memory.ingest import gate
from aim_memory.mirror import NewStatement, decide
from aim_memory.ports import UnitOfWork
from aim_memory.types import NewMemory, Space, StoredMemory, Supersession

REPEAT_WINDOW = timedelta(minutes=1)
"""An exact repeat in one session within this time, without an id, is the same memory (a client's retry)."""
SMALL = 4
"""Items of a write that may be made together with others'; what takes longer is not to hold them up."""
_EDIT_TRIES = 5


@dataclass(frozen=True, slots=True)
class GateRefusal:
    """The write gate found too little in a text. Not an error: the text was valid."""

    reason: str


@dataclass(frozen=True, slots=True)
class _Once:
    """A request that takes effect once, however often it comes; any number of times without a key."""

    key: str | None
    request: str

    @property
    def fingerprint(self) -> str:
        return hashlib.sha256(self.request.encode()).hexdigest()


_Verdict: TypeAlias = NewMemory | str | GateRefusal | AIMMemoryError
"""The memory to insert, the id of the memory it repeats, or why it is not kept."""


_Candidate: TypeAlias = tuple[ingest.Draft, NewMemory] | InvalidInputError
_Begins: TypeAlias = Callable[[Space], AbstractContextManager[UnitOfWork]]


@dataclass(frozen=True, slots=True)
class _Asked:
    """A write as it was asked for."""

    space: Space
    once: _Once
    items: Sequence[ingest.Draft | InvalidInputError]
    author: str | None
    embed: bool


class Writing:
    def __init__(self, parts: Parts) -> None:
        self._parts = parts
        self._gathering = Gathering(self._write_together, leaders=max(1, (os.cpu_count() or 1) // 2))

    def write(
        self,
        tenant: str,
        request: WriteRequest,
        *,
        idempotency_key: str | None,
        author: str | None,
        embed: bool = True,
    ) -> WriteReply:
        """``embed``: whether vectors are made now; otherwise the memories are pending."""
        items = ingest.drafts(request, self._parts.limits)
        once = _Once(idempotency_key, request.model_dump_json())
        asked = _Asked(Space(tenant, request.namespace), once, items, author, embed)
        if embed and len(items) <= SMALL and self._parts.store.local:
            return self._gathering.call(asked)
        outcome = self._write_together([asked])[0]
        if isinstance(outcome, AIMMemoryError):
            raise outcome
        return outcome

    def _write_together(self, several: Sequence[_Asked]) -> list[WriteReply | AIMMemoryError]:
        """Each request in a transaction of its own, as far as anybody can tell. Raises what all of them failed of."""
        now = self._parts.clock.now()
        candidates = self._analysed(several, now)
        with self._parts.store.together() as begin:
            return [self._written(begin, one, own, now) for one, own in zip(several, candidates, strict=True)]

    def _analysed(self, several: Sequence[_Asked], now: datetime) -> list[list[_Candidate]]:
        valid = [(item, one.author) for one in several for item in one.items if isinstance(item, ingest.Draft)]
        made = iter(analysis.memories(self._parts, valid, now, embed=all(one.embed for one in several)))
        return [
            [(item, next(made)) if isinstance(item, ingest.Draft) else item for item in one.items] for one in several
        ]

    def _written(
        self, begin: _Begins, asked: _Asked, candidates: Sequence[_Candidate], now: datetime
    ) -> WriteReply | AIMMemoryError:
        try:
            with begin(asked.space) as work:
                return self._write_in(work, asked, candidates, now)
        except AIMMemoryError as error:
            return error

    def _write_in(self, work: UnitOfWork, asked: _Asked, candidates: Sequence[_Candidate], now: datetime) -> WriteReply:
        once = asked.once
        if once.key and (kept := work.replay(once.key, once.fingerprint)):
            return WriteReply.model_validate_json(kept).model_copy(update={"replayed": True})
        reply = WriteReply(results=self._admit(work, candidates, now), seq=work.head.seq)
        if once.key:
            work.keep_reply(once.key, once.fingerprint, reply.model_dump_json().encode(), now)
        work.commit()
        return reply

    def _admit(self, work: UnitOfWork, candidates: Sequence[_Candidate], now: datetime) -> list[WriteResult]:
        """Decides each item in order, inserts what is new, closes what it supersedes.

        Raises the first refusal when nothing of the request could be accepted.
        """
        given = [draft.id for draft, _ in (c for c in candidates if isinstance(c, tuple)) if draft.id]
        held = work.existing(given)
        if over := [id for id, memory in held.items() if memory.has_expired(now)]:
            work.delete(over)  # their ids are free
        known: dict[str, StoredMemory | NewMemory] = {id: one for id, one in held.items() if id not in over}
        fresh: dict[str, NewMemory] = {}
        verdicts: list[_Verdict] = []
        for candidate in candidates:
            verdict: _Verdict
            if isinstance(candidate, InvalidInputError):
                verdict = candidate
            else:
                verdict = self._verdict(work, *candidate, known, fresh, now)
            if isinstance(verdict, NewMemory):
                fresh[verdict.id] = known[verdict.id] = verdict
            verdicts.append(verdict)
        refusals = [verdict for verdict in verdicts if isinstance(verdict, AIMMemoryError)]
        if len(refusals) == len(verdicts):
            raise refusals[0]
        closings = self._insert(work, list(fresh.values()))
        return [_result(verdict, candidate, closings) for verdict, candidate in zip(verdicts, candidates, strict=True)]

    def _verdict(
        self,
        work: UnitOfWork,
        draft: ingest.Draft,
        memory: NewMemory,
        known: Mapping[str, StoredMemory | NewMemory],
        fresh: Mapping[str, NewMemory],
        now: datetime,
    ) -> _Verdict:
        if draft.id is not None and draft.id in known:
            if _is_that(draft, known[draft.id]):
                return draft.id
            return ConflictError(f"memory {draft.id!r} exists with other content; PATCH it to edit, or use a new id.")
        if draft.id is None:
            twins = (m.id for m in fresh.values() if m.digest == memory.digest and m.session_id == memory.session_id)
            if repeat := next(twins, None) or _repeated(work, memory, now):
                return repeat
        terms = {term: count for part in memory.segments for term, count in part.terms.items()}
        worth = gate.value(terms, memory.anchors)
        if worth < self._parts.config.write_threshold:
            threshold = self._parts.config.write_threshold
            return GateRefusal(f"its gate value {worth:.2f} is below the write threshold {threshold:.2f}.")
        return memory

    def _insert(self, work: UnitOfWork, fresh: Sequence[NewMemory]) -> dict[str, list[str]]:
        """Inserts, closes what is superseded, and returns new id → ids it supersedes."""
        if not fresh:
            return {}
        ordinals = work.insert(fresh)
        supersessions = supersede(work, fresh, ordinals)
        closings: dict[str, list[str]] = {}
        for closing in supersessions:
            closings.setdefault(closing.new_id, []).append(closing.old_id)
        return closings

    def update(
        self,
        tenant: str,
        memory_id: str,
        request: UpdateRequest,
        *,
        namespace: str | None,
        if_match: int | None,
        idempotency_key: str | None,
        author: str | None,
    ) -> MemoryView:
        parts = self._parts
        space = parts.space_of(tenant, memory_id, namespace)
        once = _Once(idempotency_key, f"update {memory_id} {if_match} {request.model_dump_json(exclude_unset=True)}")
        prolongs = "expires_at" in request.model_fields_set
        for _ in range(_EDIT_TRIES):
            before = parts.store.get(space, [memory_id]).get(memory_id)
            if before is None or (before.has_expired(parts.clock.now()) and not prolongs):
                raise missing(memory_id)
            if if_match is not None and if_match != before.version:
                if self._was_done(space, once):
                    return memory_view(space, before)
                raise StaleVersionError(f"memory {memory_id!r} is at version {before.version}, not {if_match}.")
            after = self._edit(space, before, request, author, once)
            if after is not None:
                return memory_view(space, after)
        raise StaleVersionError(f"memory {memory_id!r} is being edited by others; read it again, then edit.")

    def _was_done(self, space: Space, once: _Once) -> bool:
        """Whether this very request was served before. Raises IdempotencyError."""
        if once.key is None:
            return False
        with self._parts.store.begin(space) as work:
            return _is_done(work, once)

    def _edit(
        self, space: Space, before: StoredMemory, request: UpdateRequest, author: str | None, once: _Once
    ) -> StoredMemory | None:
        """The memory once it is edited, or None when somebody else edited it in the meantime."""
        parts, now = self._parts, self._parts.clock.now()
        draft = ingest.edited(before, request, parts.limits)
        # A time that this edit does not set is nobody's claim: writing the same id and text again is no conflict.
        digest = replace(draft, timestamp=request.timestamp).digest
        memory = replace(analysis.memories(parts, [(draft, author)], now)[0], trust=before.trust, digest=digest)
        with parts.store.begin(space) as work:
            held = work.existing([before.id]).get(before.id)
            if held is None:
                raise missing(before.id)
            if _is_done(work, once):
                return held
            if held.version != before.version:
                return None
            work.update(memory, now)
            supersede(work, [memory], {memory.id: before.ordinal})
            after = work.existing([before.id])[before.id]
            if once.key is not None:  # without the text, which must go when the memory goes
                work.keep_reply(once.key, once.fingerprint, b"edited", now)
            work.commit()
        return after

    def delete(self, tenant: str, memory_id: str, *, namespace: str | None) -> DeleteReply:
        space = self._parts.space_of(tenant, memory_id, namespace)
        with self._parts.store.begin(space) as work:
            deleted = work.delete([memory_id])
            if not deleted:
                raise missing(memory_id)
            work.commit()
        return DeleteReply(deleted=deleted)


def _is_that(draft: ingest.Draft, held: StoredMemory | NewMemory) -> bool:
    """Whether it is what is held. Exports name the time that was noted where none was given: that is no other."""
    timeless = replace(draft, timestamp=None).digest
    return held.digest == draft.digest or (held.digest == timeless and held.timestamp == draft.timestamp)


def _repeated(work: UnitOfWork, memory: NewMemory, now: datetime) -> str | None:
    """The id of the memory that a new one repeats, if one does that is still there to be found."""
    repeat = work.repeat_of(memory.session_id, memory.digest, now - REPEAT_WINDOW)
    return None if repeat is None or work.existing([repeat])[repeat].has_expired(now) else repeat


def _is_done(work: UnitOfWork, once: _Once) -> bool:
    return once.key is not None and work.replay(once.key, once.fingerprint) is not None


def supersede(work: UnitOfWork, memories: Sequence[NewMemory], ordinals: Mapping[str, int]) -> Sequence[Supersession]:
    """Has the mirror decide which statements the new ones close, or are closed by, and closes them."""
    new = [
        NewStatement(memory.id, memory.timestamp, ordinals[memory.id], statement)
        for memory in memories
        for statement in memory.statements
    ]
    if not new:
        return ()
    keys = sorted({(one.statement.subject, one.statement.attribute) for one in new})
    own = set(ordinals)
    stored = [held for held in work.statements(keys) if held.memory_id not in own]
    supersessions = decide(new, stored)
    work.supersede(supersessions)
    return supersessions


def _result(
    verdict: _Verdict,
    candidate: _Candidate,
    closings: Mapping[str, list[str]],
) -> WriteResult:
    if isinstance(verdict, GateRefusal | AIMMemoryError):
        asked = candidate[0].id if isinstance(candidate, tuple) else None
        reason = verdict.reason if isinstance(verdict, GateRefusal) else verdict.message
        return WriteResult(id=asked or "", status="rejected", reason=reason)
    if isinstance(verdict, str):
        return WriteResult(id=verdict, status="unchanged")
    return WriteResult(
        id=verdict.id,
        status="created",
        supersedes=sorted(set(closings.get(verdict.id, ()))),
        indexing="ready" if verdict.generation else "pending",
        warnings=_warnings(verdict),
    )


def _warnings(memory: NewMemory) -> list[str]:
    parts = len(memory.segments)
    return [f"longer than the embedder's window: kept whole, indexed as {parts} segments"] if parts > 1 else []
