"""Extraction: a language model reads memories behind the scenes and writes down facts, summaries and a profile.

They are memories of the trust "derived", made of originals that stay as they are, and they go with any of them.
"""

from __future__ import annotations

import uuid
from collections import Counter
from collections.abc import Generator, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any, Final

from aim_memory.bodies import DerivedView, ExtractPreview, ExtractRequest, UsageView
from aim_memory.derive import Item, Kind, Window, refusal, windows
from aim_memory.derive.checking import repeats
from aim_memory.engine import analysis
from aim_memory.engine.asking import Answer, Asking, awaited
from aim_memory.engine.fences import Fences
from aim_memory.engine.parts import Parts
from aim_memory.engine.writing import supersede
from aim_memory.errors import GeneratorRefusedError, InvalidInputError
from aim_memory.ingest.drafts import Draft
from aim_memory.ingest.limits import check_id, check_namespace, check_text
from aim_memory.ports import UnitOfWork
from aim_memory.types import EvidenceBlock, Job, NewMemory, Space, StoredMemory

EXTRACT: Final = "extract"
"""The kind of the jobs."""
SOURCES: dict[Kind, str] = {"facts": "extraction", "summaries": "summary", "profile": "profile"}
"""What memories of each kind have as their source."""
LEAST_TURNS = 4
"""A shorter conversation is its own summary."""
_PAGE = 64
_LONG_AGO = datetime(1970, 1, 1, tzinfo=UTC)
_IDS = uuid.UUID("6f1a7a0e-3f5b-5b0c-9d4e-0c3a5c1b8a77")


@dataclass(frozen=True, slots=True)
class Sentence:
    """A sentence of a model, and what was found when it was checked."""

    text: str
    sources: tuple[StoredMemory, ...]
    reason: str | None = None
    """Why it is not kept."""


@dataclass(frozen=True, slots=True)
class Made:
    """What came of one window."""

    sentences: tuple[Sentence, ...]
    answer: Answer

    @property
    def kept(self) -> list[Sentence]:
        return [one for one in self.sentences if one.reason is None]


class Extracting:
    def __init__(self, parts: Parts) -> None:
        self._parts = parts
        self._asking = None if parts.chat is None else Asking(parts.chat)
        self._fences = Fences()

    def arguments(self, request: ExtractRequest) -> dict[str, Any]:
        """The arguments of the job that does what a request asks for.

        Raises InvalidInputError, where there is no language model too.
        """
        self._model()
        check_namespace(request.namespace)
        if request.session_id is not None:
            if request.what != "summaries":
                raise InvalidInputError("session_id is for summaries.", field="session_id")
            check_id(request.session_id, "session_id", self._parts.limits)
        return {"namespace": request.namespace, "what": request.what, "session_id": request.session_id}

    def extract(self, job: Job) -> Generator[Job, None, dict[str, int]]:
        """A job: reads what has not been read, window by window. What it kept of a window is committed with the mark
        that the window was read, so nothing is made twice or lost, whenever the process ends.

        An answer that cannot be read, or a window that the model refuses, is counted; its memories stay as they are,
        unread.
        """
        space, kind = Space(job.tenant or "", job.arguments["namespace"]), job.arguments["what"]
        counts = Counter[str]((job.cursor or {}).get("counts", {}))
        if kind == "facts":
            job = replace(job, total=job.done + self._parts.store.count_unread(space))
        for window in self._windows(space, kind, job.arguments["session_id"], (job.cursor or {}).get("after", 0)):
            try:
                made = yield from awaited(self._made(space, kind, window), job)
                counts.update(self._keep(space, kind, window, made))
            except GeneratorRefusedError:
                counts["windows_refused"] += 1
            cursor = {"after": window.memories[-1].ordinal, "counts": dict(counts)}
            job = replace(job, done=job.done + len(window.memories), cursor=cursor)
            yield job
        return {"memories_read": job.done, **counts}

    async def preview(self, tenant: str, request: ExtractRequest, limit: int) -> ExtractPreview:
        """What extraction would make of the next ``limit`` windows. Asks the model and writes nothing."""
        asked, space = self.arguments(request), Space(tenant, request.namespace)
        found = self._windows(space, request.what, asked["session_id"], 0)
        seen = [
            (window, await self._made(space, request.what, window))
            for window, _ in zip(found, range(limit), strict=False)
        ]
        sentences = [one for _, made in seen for one in made.sentences]
        usage = [made.answer.usage for _, made in seen]
        return ExtractPreview(
            waiting=self._parts.store.count_unread(space),
            read=sum(len(window.memories) for window, _ in seen),
            items=[_view(one) for one in sentences if one.reason is None],
            refused=[_view(one) for one in sentences if one.reason is not None],
            unreadable=[made.answer.unreadable for _, made in seen if made.answer.unreadable],
            usage=UsageView(
                prompt_tokens=sum(one.prompt_tokens for one in usage),
                completion_tokens=sum(one.completion_tokens for one in usage),
            ),
        )

    def _model(self) -> Asking:
        if self._asking is None:
            raise InvalidInputError(
                "extraction takes a language model: set AIM_GENERATOR__KIND=openai, AIM_GENERATOR__URL and "
                "AIM_GENERATOR__MODEL."
            )
        return self._asking

    # What is read

    def _windows(self, space: Space, kind: Kind, session_id: str | None, after: int) -> Iterator[Window]:
        match kind:
            case "facts":
                return self._unread(space, after)
            case "summaries":
                return self._conversations(space, session_id)
            case "profile":
                return self._facts(space)

    def _unread(self, space: Space, after: int) -> Iterator[Window]:
        store, now = self._parts.store, self._parts.clock.now()
        while ids := store.unread(space, after, _PAGE):
            memories = list(store.get(space, ids).values())
            alive = [memory for memory in memories if not memory.has_expired(now)]
            window = next(windows(alive, self._parts.extraction.window_tokens), None)
            if window is not None:
                yield window
            last = window.memories if window is not None else memories
            after = last[-1].ordinal if last else after + 1

    def _conversations(self, space: Space, session_id: str | None) -> Iterator[Window]:
        """Conversations without a summary that is up to date."""
        sessions: dict[str, list[StoredMemory]] = {}
        for memory in self._all(space):
            if memory.trust != "derived" and memory.session_id and session_id in (None, memory.session_id):
                sessions.setdefault(memory.session_id, []).append(memory)
        for memories in sessions.values():
            for window in windows(memories, 2 * self._parts.extraction.window_tokens):
                long = len(window.memories) >= LEAST_TURNS
                if long and not self._parts.store.get(space, [_id(space, "summaries", window.ids)]):
                    yield window

    def _facts(self, space: Space) -> Iterator[Window]:
        """The facts that hold, the newest as far as they fit, unless there is a profile of just these."""
        held = [one for one in self._all(space) if one.source == SOURCES["facts"] and one.trust == "derived"]
        facts = sorted((one for one in held if one.superseded_by is None), key=lambda one: (one.timestamp, one.ordinal))
        newest = next(windows(reversed(facts), 2 * self._parts.extraction.window_tokens), None)
        if newest is None:
            return
        window = Window(newest.memories[::-1])
        if not self._parts.store.get(space, [_id(space, "profile", window.ids)]):
            yield window

    def _all(self, space: Space) -> Iterator[StoredMemory]:
        store, now, after = self._parts.store, self._parts.clock.now(), 0
        while ids := store.page(space, after, _PAGE, now):
            memories = store.get(space, ids)
            yield from memories.values()
            after = max((memory.ordinal for memory in memories.values()), default=after + 1)

    # What is made of it

    async def _made(self, space: Space, kind: Kind, window: Window) -> Made:
        nonce = self._fences.word(space, None, (memory.text for memory in window.memories))
        answer = await self._model().ask(kind, window, nonce)
        return Made(tuple(self._checked(kind, window, item) for item in answer.items), answer)

    def _checked(self, kind: Kind, window: Window, item: Item) -> Sentence:
        blocks = dict(enumerate(window.blocks, start=1))
        numbers = [number for number in dict.fromkeys(item.sources) if number in blocks]
        sources = tuple(window.memories[number - 1] for number in numbers)
        reason = self._refusal(kind, item.text, [blocks[number] for number in numbers])
        return Sentence(item.text, sources, reason)

    def _refusal(self, kind: Kind, text: str, sources: Sequence[EvidenceBlock]) -> str | None:
        try:
            check_text(text, "text", self._parts.limits.message_bytes)
        except InvalidInputError as error:
            return error.message
        said_at = max((block.timestamp for block in sources), default=self._parts.clock.now())
        if reason := refusal(text, sources, reference=said_at):
            return reason
        return "it repeats what was said" if kind == "facts" and repeats(text, sources) else None

    # What is kept

    def _keep(self, space: Space, kind: Kind, window: Window, made: Made) -> Counter[str]:
        """Commits what was kept of a window, unless its originals went or changed meanwhile; counts what came of it."""
        counts = Counter({f"{kind}_refused": len(made.sentences) - len(made.kept), f"{kind}_kept": 0})
        counts["prompt_tokens"] += made.answer.usage.prompt_tokens
        counts["completion_tokens"] += made.answer.usage.completion_tokens
        if made.answer.unreadable is not None:
            return counts + Counter({"windows_unreadable": 1})
        new = self._memories(space, kind, window, made.kept)
        former = self._former(space, kind, window)
        with self._parts.store.begin(space) as work:
            held = work.existing(window.ids)
            same = {one.id for one in window.memories if one.id in held and held[one.id].version == one.version}
            if not same:
                return counts  # a commit would bring the name of an erased namespace back
            fresh = _fresh(work, kind, [memory for memory in new if _rests_on(memory, window, same)])
            if fresh or kind == "facts":
                work.delete(former if fresh else [])
                supersede(work, fresh, work.insert(fresh))
                if kind == "facts":
                    work.mark_read(sorted(same))
                work.commit()
        counts[f"{kind}_kept"] = len(fresh)
        return counts

    def _memories(self, space: Space, kind: Kind, window: Window, kept: Sequence[Sentence]) -> list[NewMemory]:
        """A memory for each fact, or one of all sentences."""
        if kind == "facts":
            told = [(_id(space, kind, [one.text, *_ids(one.sources)]), one.text, one.sources) for one in kept]
        else:
            whole = "\n".join(one.text for one in kept)
            told = [(_id(space, kind, window.ids), whole, _every(kept))] if kept else []
        drafts = [_draft(kind, id_, text, sources) for id_, text, sources in told]
        authored = [(draft, None) for draft in drafts]
        made = analysis.memories(self._parts, authored, self._parts.clock.now()) if drafts else []
        return [
            _derived(memory, draft, sources) for memory, draft, (*_, sources) in zip(made, drafts, told, strict=True)
        ]

    def _former(self, space: Space, kind: Kind, window: Window) -> list[str]:
        """Summaries and profiles whose place a new one takes."""
        if kind == "facts":
            return []
        origins = [origin for one in window.memories for origin in (one.derived_from or (one.id,))]
        found = self._parts.store.get(space, self._parts.store.derivatives(space, origins))
        if kind == "profile":
            return [one.id for one in self._all(space) if one.source == SOURCES[kind] and one.trust == "derived"]
        return [one.id for one in found.values() if one.source == SOURCES[kind]]


def _fresh(work: UnitOfWork, kind: Kind, memories: Sequence[NewMemory]) -> list[NewMemory]:
    """Those that are not there yet; of facts, not as the same sentence of other originals either."""
    known = set(work.existing([memory.id for memory in memories]))
    fresh: dict[str, NewMemory] = {}
    for memory in memories:
        repeated = kind == "facts" and work.repeat_of(None, memory.digest, _LONG_AGO) is not None
        if memory.id not in known and not repeated:
            fresh.setdefault(memory.digest, memory)
    return list(fresh.values())


def _rests_on(memory: NewMemory, window: Window, same: set[str]) -> bool:
    """Whether all that it was made of is as it was read."""
    changed = [one for one in window.memories if one.id not in same]
    return not any(origin in memory.derived_from for one in changed for origin in (one.derived_from or (one.id,)))


def _every(kept: Sequence[Sentence]) -> tuple[StoredMemory, ...]:
    return tuple({source.id: source for one in kept for source in one.sources}.values())


def _ids(memories: Sequence[StoredMemory]) -> list[str]:
    return [memory.id for memory in memories]


def _id(space: Space, kind: Kind, parts: Sequence[str]) -> str:
    """The same for the same, so that what was done before a kill is known when it is done again."""
    return str(uuid.uuid5(_IDS, "\0".join((space.tenant, space.namespace, kind, *parts))))


def _draft(kind: Kind, id_: str, text: str, sources: Sequence[StoredMemory]) -> Draft:
    """Of no session: it is no turn of one, and comes between no two. It ends with the first of its originals."""
    sessions = {source.session_id for source in sources}
    ends = [source.expires_at for source in sources if source.expires_at is not None]
    return Draft(
        text=text,
        id=id_,
        session_id=None,
        speaker=None,
        role=None,
        timestamp=max(source.timestamp for source in sources),
        metadata={"session_id": next(iter(sessions))} if kind == "summaries" and len(sessions) == 1 else {},
        pinned=False,
        expires_at=min(ends, default=None),
        source=SOURCES[kind],
    )


def _derived(memory: NewMemory, draft: Draft, sources: Sequence[StoredMemory]) -> NewMemory:
    """As what it is: it may be superseded, and supersedes nothing that somebody said."""
    origins = sorted({origin for source in sources for origin in (source.derived_from or (source.id,))})
    stated = tuple(replace(statement, closes=False) for statement in memory.statements)
    told = replace(draft, timestamp=None).digest  # the same sentence is the same fact, on whatever day it was said
    return replace(memory, trust="derived", derived_from=tuple(origins), statements=stated, digest=told)


def _view(sentence: Sentence) -> DerivedView:
    return DerivedView(text=sentence.text, sources=_ids(sentence.sources), reason=sentence.reason)
