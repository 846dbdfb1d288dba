"""What no question changes: arrays that follow from an index as it stands, derived once and kept until it changes."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from aim_memory.ports import IndexReader
from aim_memory.routing.neighbours import SHORT, USUAL, Pairs, around, pairs
from aim_memory.routing.roles import assistants
from aim_memory.routing.values import Mask, Scores
from aim_memory.text import participants


@dataclass(frozen=True, slots=True)
class Standing:
    """Arrays are (rows,) where nothing else is said."""

    latest: int
    """The greatest ordinal."""
    lasting: bool
    """No memory expires."""
    assistants: Mask
    restating: Scores | None
    """0 for what people said; for an assistant's turn 1 and more, with the log of its length: long ones restate. None
    where no assistant speaks."""
    asking: Scores | None
    """1 for a bare question, less the longer the turn is: a long one says something before it asks. None where nobody
    asks."""
    sociable: Scores
    """How much a memory leans on its neighbours: half at ``SHORT`` characters, for long ones stand alone."""
    around: NDArray[np.int64]
    """(4, rows): see ``neighbours.around``."""
    pairs: Pairs
    """The rows that follow another in their session, and those that they follow."""

    def bound(self, among: Mask) -> Pairs:
        """The pairs both of whose rows are ``among``."""
        if among.all():
            return self.pairs
        later, earlier = self.pairs
        kept = among[later] & among[earlier]
        return later[kept], earlier[kept]


@dataclass(frozen=True, slots=True)
class Setting:
    """What is known of a whole namespace before a question is heard."""

    names: tuple[str, ...]
    """Participants."""
    brevity: float
    """How short the memories are, in (0, 1]: little for passages, in which every notion occurs."""
    terse: float
    """1 where they are no longer than a usual turn, then falling as ``brevity``: where they are long, that one holds
    a notion, or stands beside one that holds a word, says little."""


def setting(index: IndexReader) -> Setting:
    lengths = index.columns.length
    brevity = USUAL / (USUAL + float(lengths.mean())) if len(lengths) else 1.0
    return Setting(participants(index.coded("speaker")[1]), brevity, min(1.0, 2 * brevity))


def standing(index: IndexReader) -> Standing:
    columns, spoken = index.columns, assistants(index)
    lengths = columns.length
    usual = USUAL / (USUAL + lengths)
    return Standing(
        latest=int(columns.ordinal.max(initial=0)),
        lasting=bool(np.isinf(columns.expires_at).all()),
        assistants=spoken,
        restating=(spoken * (1 - np.log2(usual))).astype(np.float32) if spoken.any() else None,
        asking=(columns.question * usual).astype(np.float32) if columns.question.any() else None,
        sociable=(SHORT / (SHORT + lengths)).astype(np.float32),
        around=around(columns),
        pairs=pairs(columns),
    )
