"""How anchors agree and contradict.

Two anchors of one kind agree when their keys are equal. Beyond that: dates agree when one interval holds the other;
an amount without a unit agrees with the same figure in any unit; a time of day without its half ("6:30") agrees with
either half; a name agrees with a longer form of it ("Roe", "Tamsin Roe").
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from aim_memory.anchors.units import dimension
from aim_memory.types import Anchor

_HALF_DAY = 720


@dataclass(frozen=True, slots=True)
class AnchorMatch:
    """What a question wants against what a memory holds."""

    matched: tuple[Anchor, ...] = ()
    """Wanted anchors that some held anchor agrees with."""
    missing: tuple[Anchor, ...] = ()
    """Wanted anchors that no held anchor agrees with."""
    conflicting: tuple[Anchor, ...] = ()
    """Held anchors that contradict a missing one."""


def compare(wanted: Sequence[Anchor], held: Sequence[Anchor]) -> AnchorMatch:
    """Splits ``wanted`` into matched and missing, and names the held anchors that contradict. Order is kept.

    A held anchor contradicts a wanted one when kind, dimension and stated slot are the same and none of the held
    anchors agrees with it. Definitions and names never contradict.
    """
    matched = tuple([anchor for anchor in wanted if _held(anchor, held)])
    if len(matched) == len(wanted):
        return AnchorMatch(matched)
    missing = tuple([anchor for anchor in wanted if anchor not in matched])
    conflicting = tuple([other for other in held if any(_same_slot(anchor, other) for anchor in missing)])
    return AnchorMatch(matched, missing, conflicting)


def _held(wanted: Anchor, held: Sequence[Anchor]) -> bool:
    return any(agree(wanted, other) for other in held)


def agree(one: Anchor, other: Anchor) -> bool:
    """Whether two anchors say the same. Symmetric."""
    if one.kind != other.kind:
        return False
    if one.key == other.key:
        return True
    if one.kind == "number":
        return _same_amount(one, other)
    if one.kind == "date":
        return _within(one, other) or _within(other, one)
    return one.kind == "name" and _same_name(one.key, other.key)


def _same_amount(one: Anchor, other: Anchor) -> bool:
    if one.value is None or other.value is None:
        return False
    if {one.unit, other.unit} == {"time", "clock"}:
        return one.value % _HALF_DAY == other.value % _HALF_DAY
    bare = (one.unit is None) != (other.unit is None)
    return bare and one.value == other.value and "ordinal" not in (one.unit, other.unit) and not _clocks(one, other)


def _clocks(one: Anchor, other: Anchor) -> bool:
    return bool({one.unit, other.unit} & {"time", "clock"})


def _within(inner: Anchor, outer: Anchor) -> bool:
    if inner.since is None or inner.until is None or outer.since is None or outer.until is None:
        return False
    return outer.since <= inner.since and inner.until <= outer.until


def _same_name(one: str, other: str) -> bool:
    if " " not in one and " " not in other:
        return False
    first, second = one.split(), other.split()
    shorter, longer = (first, second) if len(first) <= len(second) else (second, first)
    return len(shorter) < len(longer) and set(shorter) <= set(longer)


def _same_slot(wanted: Anchor, held: Anchor) -> bool:
    if wanted.kind != held.kind or wanted.slot is None or wanted.slot != held.slot:
        return False
    if wanted.kind == "number":
        return _family(wanted) == _family(held)
    return wanted.kind in ("date", "identifier")


def _family(anchor: Anchor) -> str | None:
    return "time" if anchor.unit == "clock" else dimension(anchor.unit)
