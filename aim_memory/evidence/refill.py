"""Filling a context to coverage under a hard token budget."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache

from aim_memory.anchors import compare
from aim_memory.evidence.pieces import Piece, RankedMemory, Source, Span, cut, order
from aim_memory.evidence.plain import plain
from aim_memory.evidence.render import day, joined, line, render, shares_day
from aim_memory.evidence.tokens import count_tokens
from aim_memory.types import Anchor, EvidenceBlock, StoredMemory

DAY_COST = count_tokens("2025-03-06 ")


@dataclass(frozen=True, slots=True)
class Context:
    """What a generator is given, and what it stands for."""

    text: str
    """One line per memory, oldest first; the day stands where it changes."""
    pieces: tuple[EvidenceBlock, ...]
    """The same stretches as literal text of their memories, best memory first, text order within one."""
    coverage: tuple[Anchor, ...]
    """Anchors of the question that the pieces hold."""
    missing: tuple[Anchor, ...]
    tokens: int
    full_text_tokens: int
    """What the whole texts of the hits would have cost in the same form."""


def build(
    question: str,
    anchors: Sequence[Anchor],
    hits: Sequence[RankedMemory],
    *,
    budget_tokens: int,
    refill: bool,
    neighbours: Mapping[str, Sequence[StoredMemory]] | None = None,
) -> Context:
    """Chooses what of the hits goes into the context.

    Without ``refill`` every hit comes as its summary, best first, while the budget lasts. With it, sentences that hold
    question anchors nobody has covered yet come first, then each memory in rank order (texts that are not long whole,
    of long ones the best sentence), then the other sentences by rank and relevance. Texts of a summary's length are
    always whole, sentences never cut, the budget never exceeded.

    Args:
        question: As asked.
        anchors: Of the question.
        hits: Best first.
        budget_tokens: Most tokens of ``Context.text``, by ``count_tokens``.
        refill: Bring original sentences back.
        neighbours: Turns beside a hit, by the hit's id; they fill what the hits leave free.
    """
    sources = cut(question, order(hits, (neighbours or {}) if refill else {}))
    draft = _Draft(sources, budget_tokens)
    if refill:
        for piece in _anchored(anchors, sources):
            draft.add(piece.place, [(piece.start, piece.end)])
        for place, source in enumerate(sources):
            if not draft.add(place, source.lead):
                draft.add(place, source.best)
        for piece in _remaining(sources):
            if piece.tokens <= draft.left:
                draft.add(piece.place, [(piece.start, piece.end)])
    else:
        for place, source in enumerate(sources):
            draft.add(place, source.summary)
    return draft.context(anchors, _full(hits))


class _Draft:
    """A context being filled. Costs are kept per line and day, so adding is cheap and never counts too little."""

    def __init__(self, sources: Sequence[Source], budget: int) -> None:
        self._sources = sources
        self._budget = budget
        self._chosen: dict[int, list[Span]] = {}
        self._costs: dict[int, int] = {}
        self._dated = [(day(source.memory), shares_day(line(source.memory, source.current, []))) for source in sources]

    @property
    def left(self) -> int:
        """Tokens of the budget that are free."""
        return self._budget - sum(self._costs.values()) - DAY_COST * len(self._days(self._chosen))

    def add(self, place: int, spans: Sequence[Span]) -> bool:
        """Takes spans of a source if the budget allows, and says so; what is there already costs nothing."""
        held = self._chosen.get(place, [])
        wanted = [*held, *(span for span in spans if span not in held)]
        if len(wanted) == len(held):
            return True
        cost = count_tokens(self._line(place, wanted) + "\n")
        more = DAY_COST * (len(self._days([*self._chosen, place])) - len(self._days(self._chosen)))
        if cost + more - self._costs.get(place, 0) <= self.left:
            self._chosen[place], self._costs[place] = wanted, cost
            return True
        return False

    def _days(self, places: Iterable[int]) -> set[object]:
        """What a day has to be written for: once a day, and for each line that always has its own."""
        return {own if keeps else (own, place) for place in places for own, keeps in [self._dated[place]]}

    def _line(self, place: int, spans: Sequence[Span]) -> str:
        return line(self._sources[place].memory, self._sources[place].current, spans)

    def context(self, anchors: Sequence[Anchor], full_text_tokens: int) -> Context:
        aged = sorted(self._chosen, key=lambda place: _age(self._sources[place].memory))
        text = render([(day(self._sources[place].memory), self._line(place, self._chosen[place])) for place in aged])
        covered = [anchor for anchor in anchors if any(self._holds(anchor, place) for place in aged)]
        return Context(
            text=text,
            pieces=tuple(self._blocks()),
            coverage=tuple(covered),
            missing=tuple(anchor for anchor in anchors if anchor not in covered),
            tokens=count_tokens(text),
            full_text_tokens=full_text_tokens,
        )

    def _holds(self, anchor: Anchor, place: int) -> bool:
        return any(holds(anchor, self._sources[place].memory, span) for span in self._chosen[place])

    def _blocks(self) -> list[EvidenceBlock]:
        return [
            _block(self._sources[place], span)
            for place in sorted(self._chosen)
            for span in joined(self._sources[place].memory.text, self._chosen[place])
        ]


def holds(anchor: Anchor, memory: StoredMemory, span: Span) -> bool:
    """Whether the stretch of the memory's text has an anchor that agrees."""
    inside = [held for held in memory.anchors if span[0] <= held.start and held.end <= span[1]]
    return bool(compare((anchor,), inside).matched)


def _anchored(anchors: Sequence[Anchor], sources: Sequence[Source]) -> list[Piece]:
    """Per question anchor the best piece that holds it: highest memory, then most relevant sentence."""
    found = []
    for anchor in anchors:
        for source in sources:
            fits = [piece for piece in source.pieces if holds(anchor, source.memory, (piece.start, piece.end))]
            if fits:
                found.append(max(fits, key=lambda piece: piece.worth))
                break
    return found


def _remaining(sources: Sequence[Source]) -> list[Piece]:
    """All pieces, by relevance discounted by rank."""
    pieces = [piece for source in sources for piece in source.pieces]
    return sorted(pieces, key=lambda piece: -(piece.worth + 0.05) / (1 + piece.place) ** 0.5)


def _block(source: Source, span: Span) -> EvidenceBlock:
    memory = source.memory
    return EvidenceBlock(
        memory_id=memory.id,
        text=memory.text[slice(*span)],
        start=span[0],
        end=span[1],
        score=source.score,
        timestamp=memory.timestamp,
        speaker=memory.speaker,
        current=source.current,
        role=memory.role,
        session_id=memory.session_id,
        ordinal=memory.ordinal,
    )


def _full(hits: Sequence[RankedMemory]) -> int:
    """Line by line: the cost of a text is the same in every question."""
    lines = sum(count_tokens(line(memory, current, []) + "\n") + _cost(memory.text) for memory, _, current in hits)
    return lines + DAY_COST * len({day(memory) for memory, _, _ in hits})


@lru_cache(maxsize=4096)
def _cost(text: str) -> int:
    return count_tokens(plain(text))


def _age(memory: StoredMemory) -> tuple[float, int]:
    return memory.timestamp.timestamp(), memory.ordinal
