"""A context being filled, piece by piece, under a hard budget."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from aim_memory.evidence.pieces import Piece, Source, Span
from aim_memory.evidence.render import GAP, Line, day, head, line, render, shares_day
from aim_memory.evidence.tokens import weigh, weighed, whole
from aim_memory.types import StoredMemory

DAY = weigh("03-06 ")
YEAR = weigh("2025-03-06 ") - DAY
_GAP = weigh(GAP)


class Draft:
    """Costs are sums over stretches, speakers and days; what that misses is put right at the end."""

    def __init__(self, sources: Sequence[Source], budget: int) -> None:
        self.left = float(budget)
        """Tokens of the budget that are free."""
        self._budget = budget
        self._sources = sources
        self._heads = [head(source.memory, source.current) for source in sources]
        self._spans: dict[int, list[Span]] = {}
        self._stamps: set[tuple[str, object]] = set()
        self._taken: list[tuple[int, list[Span]]] = []

    @property
    def spans(self) -> Mapping[int, Sequence[Span]]:
        """What was taken of each source, by place."""
        return self._spans

    def add(self, piece: Piece) -> bool:
        """Takes a piece if the budget allows, and says so; what is there already costs nothing."""
        held = self._spans.get(piece.place, [])
        fresh = [one for one in piece.stretches if (one.start, one.end) not in held]
        stamps = {} if held else self._stamps_of(piece.place)
        joint = _GAP if held else weighed(self._heads[piece.place] + "\n")
        cost = sum(one.tokens for one in fresh) + joint + sum(stamps.values())
        fits = not fresh or cost <= self.left
        if fresh and fits:
            spans = [(one.start, one.end) for one in fresh]
            self._spans[piece.place] = held + spans
            self._taken.append((piece.place, spans))
            self._stamps |= stamps.keys()
            self.left -= cost
        return fits

    def finish(self) -> tuple[str, int]:
        """The text, one line per source, oldest first, and its tokens. Takes back what came last while that is too
        long."""
        while (tokens := whole((text := self._written()).weight)) > self._budget:
            place, spans = self._taken.pop()
            self._spans[place] = [span for span in self._spans[place] if span not in spans]
            if not self._spans[place]:
                del self._spans[place]
        return text.text, tokens

    def _written(self) -> Line:
        chosen = [(self._sources[place], spans) for place, spans in self._spans.items()]
        chosen.sort(key=lambda pair: _age(pair[0].memory))
        return render([(day(one.memory), line(one.memory, one.current, spans)) for one, spans in chosen])

    def _stamps_of(self, place: int) -> dict[tuple[str, object], float]:
        """What has yet to be written of a line's day, with its cost: day and year once each, or all for it alone."""
        own = day(self._sources[place].memory)
        if not shares_day(self._heads[place]):
            return {("line", place): YEAR + DAY}
        wanted: dict[tuple[str, object], float] = {("day", own): DAY, ("year", own.year): YEAR}
        return {stamp: cost for stamp, cost in wanted.items() if stamp not in self._stamps}


def _age(memory: StoredMemory) -> tuple[float, int]:
    return memory.timestamp.timestamp(), memory.ordinal
