"""Filling a context to coverage under a hard token budget."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from aim_memory.anchors import compare
from aim_memory.evidence.draft import DAY, YEAR, Draft
from aim_memory.evidence.pieces import Piece, RankedMemory, Source, Span, cut, order
from aim_memory.evidence.plain import plainly
from aim_memory.evidence.render import day, head, joined
from aim_memory.evidence.summary import SUMMARY_WORDS
from aim_memory.evidence.tokens import weighed, whole
from aim_memory.types import Anchor, EvidenceBlock, StoredMemory

_DECIDING = frozenset({"number", "date", "identifier", "symbol"})
"""Kinds of anchors that are looked for before anything else: few memories hold them, and those are the ones meant."""
_LEAST = 4.0
"""Tokens below which nothing fits that is worth looking for."""


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
    summaries_only: bool = False,
) -> Context:
    """Chooses what of the hits goes into the context.

    Pieces are taken by value: of texts that are not long the whole, of long ones sentences, by the rank of the memory
    and the sentence's share of the question. Without ``refill`` no long text says more than a summary holds until
    every hit has had its turn. With it, sentences that hold deciding anchors of the question come first, and
    neighbours of the hits come among them. Sentences are never cut, the budget is never exceeded.

    Args:
        question: As asked.
        anchors: Of the question.
        hits: Best first.
        budget_tokens: Most tokens of ``Context.text``, by ``count_tokens``.
        refill: Bring original sentences back.
        neighbours: Turns beside a hit, by the hit's id.
        summaries_only: Every hit comes as its summary, best first, and nothing else.
    """
    sources = cut(question, order(hits, (neighbours or {}) if refill else {}))
    draft = Draft(sources, budget_tokens)
    _fill(draft, sources, _offers(anchors, sources, refill, summaries_only))
    text, tokens = draft.finish()
    covered = [anchor for anchor in anchors if _covers(draft, sources, anchor)]
    return Context(
        text=text,
        pieces=tuple(_blocks(draft, sources)),
        coverage=tuple(covered),
        missing=tuple(anchor for anchor in anchors if anchor not in covered),
        tokens=tokens,
        full_text_tokens=_full(hits),
    )


def _offers(anchors: Sequence[Anchor], sources: Sequence[Source], refill: bool, summaries_only: bool) -> list[Piece]:
    """What the draft is offered, in this order."""
    if summaries_only:
        return [source.summary for source in sources]
    pieces = sorted((piece for source in sources for piece in source.pieces), key=lambda piece: -piece.value)
    return [*_anchored(anchors, sources), *pieces] if refill else _breadth_first(pieces)


def _breadth_first(pieces: Sequence[Piece]) -> list[Piece]:
    """The same, but what goes beyond a summary's length in a memory comes after everything else."""
    early: list[Piece] = []
    late: list[Piece] = []
    taken: defaultdict[int, float] = defaultdict(float)
    for piece in pieces:
        fits = not taken[piece.place] or taken[piece.place] + piece.words <= SUMMARY_WORDS
        (early if fits else late).append(piece)
        taken[piece.place] += piece.words if fits else 0
    return early + late


def _fill(draft: Draft, sources: Sequence[Source], offers: Iterable[Piece]) -> None:
    """Takes what fits; of a text that does not fit whole, its best sentences."""
    for piece in offers:
        if draft.left < _LEAST:
            break
        if not draft.add(piece) and len(piece.stretches) > 1:
            for sentence in sorted(sources[piece.place].sentences, key=lambda one: -one.value):
                draft.add(sentence)


def _anchored(anchors: Sequence[Anchor], sources: Sequence[Source]) -> list[Piece]:
    """Per deciding anchor the best piece that holds it: of the highest memory, the most relevant."""
    found = []
    for anchor in (anchor for anchor in anchors if anchor.kind in _DECIDING):
        for source in sources:
            if fits := [piece for piece in source.pieces if _held(anchor, source.memory, _spans(piece))]:
                found.append(max(fits, key=lambda piece: piece.value))
                break
    return found


def _spans(piece: Piece) -> list[Span]:
    return [(stretch.start, stretch.end) for stretch in piece.stretches]


def _held(anchor: Anchor, memory: StoredMemory, spans: Iterable[Span]) -> bool:
    """Whether one of the stretches of a memory's text has an anchor that agrees."""
    kin = [held for held in memory.anchors if held.kind == anchor.kind]
    inside = [held for held in kin if any(a <= held.start and held.end <= b for a, b in spans)] if kin else ()
    return bool(inside) and bool(compare((anchor,), inside).matched)


def _covers(draft: Draft, sources: Sequence[Source], anchor: Anchor) -> bool:
    return any(_held(anchor, sources[place].memory, spans) for place, spans in draft.spans.items())


def _blocks(draft: Draft, sources: Sequence[Source]) -> list[EvidenceBlock]:
    return [
        _block(sources[place], span)
        for place in sorted(draft.spans)
        for span in joined(sources[place].memory.text, draft.spans[place])
    ]


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
    heads = [whole(weighed(head(memory, current) + "\n")) for memory, _, current in hits]
    texts = [whole(weighed(plainly(memory.text))) for memory, _, _ in hits]
    days = {day(memory) for memory, _, _ in hits}
    return round(sum(heads) + sum(texts) + DAY * len(days) + YEAR * len({own.year for own in days}))
