"""What is ranked at all: everything, or of a large namespace an excerpt."""

from __future__ import annotations

from collections.abc import Sequence

from aim_memory.ports import IndexReader
from aim_memory.routing.plan import Plan
from aim_memory.routing.values import Ask, Mask
from aim_memory.routing.visible import visible


def focus(ask: Ask, plans: Sequence[Plan], index: IndexReader) -> tuple[IndexReader, Mask]:
    """The index to rank on, and which of its rows may be found.

    Every way to hear it brings in what it finds: as it stands and in the direction of its session, whole and in parts.
    """
    among = visible(ask, index)
    views = [view for planned in plans for view in (planned.own, planned.moving) if view is not None]
    directions = [view.vector for view in views if view.vector is not None]
    excerpt = index.excerpt([view.terms for view in views], directions, ask.anchors, among)
    return excerpt, among if excerpt is index else visible(ask, excerpt)
