"""Which memories a question may find at all. Narrowed before anything is ranked."""

from __future__ import annotations

from aim_memory.ports import IndexReader
from aim_memory.routing.standing import standing
from aim_memory.routing.values import Ask, Mask


def visible(ask: Ask, index: IndexReader) -> Mask:
    """True, per row, for what is there, not expired, kept by the filter, valid ``as_of`` and known by ``known_at``."""
    columns = index.columns
    among = columns.alive
    if not index.derived(standing).lasting:
        among = among & (columns.expires_at > ask.now.timestamp())
    if ask.as_of is not None:
        moment = ask.as_of.timestamp()
        among = among & (columns.valid_from <= moment) & (moment < columns.valid_until)
    if ask.known_at is not None:
        among = among & (columns.created_at <= ask.known_at.timestamp())
    if ask.keep is not None:
        among = among & ask.keep.mask(index)
    return among
