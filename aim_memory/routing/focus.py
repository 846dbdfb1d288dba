"""What is ranked at all: everything, or of a large namespace an excerpt."""

from __future__ import annotations

from aim_memory.ports import IndexReader
from aim_memory.routing.plan import Plan
from aim_memory.routing.values import Ask, Mask
from aim_memory.routing.visible import visible


def focus(ask: Ask, planned: Plan, index: IndexReader) -> tuple[IndexReader, Mask]:
    """The index to rank on, and which of its rows may be found.

    Both ways to hear the question, as it stands and in the direction of its session, bring in what they find.
    """
    among = visible(ask, index)
    views = [view for view in (planned.own, planned.moving) if view is not None]
    directions = [view.vector for view in views if view.vector is not None]
    excerpt = index.excerpt([view.terms for view in views], directions, ask.anchors, among)
    return excerpt, among if excerpt is index else visible(ask, excerpt)
