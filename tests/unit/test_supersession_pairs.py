"""Supersession on whole sentences: pairs of own writing, more than half of them traps.

The rules were written while looking at the "tuned" pairs; nobody looked at how the "held_out" ones fare. The "sealed"
ones were written before their author read the rules, in German, Spanish and Japanese too, which have none: what is
superseded must be right there as well, however little is found.
"""

import json
from collections import Counter
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from aim_memory.anchors import extract
from aim_memory.mirror import NewStatement, decide, statements

LINES = Path(__file__).with_name("supersession_pairs.jsonl").read_text(encoding="utf-8").splitlines()
PAIRS: list[dict[str, Any]] = [json.loads(line) for line in LINES]
OLD, NEW = datetime(2026, 3, 2, 9, tzinfo=UTC), datetime(2026, 3, 16, 9, tzinfo=UTC)


def stated(text: str, speaker: str, role: str, at: datetime, ordinal: int) -> list[NewStatement]:
    found = statements(text, speaker=speaker, role=role, anchors=extract(text, reference=at))
    return [NewStatement(str(ordinal), at, ordinal, statement) for statement in found]


def superseded(pair: dict[str, Any]) -> bool:
    old = stated(pair["old"], pair["old_speaker"], "user", OLD, 1)
    return bool(decide([*old, *stated(pair["new"], pair["new_speaker"], pair["new_role"], NEW, 2)], []))


def counts(pairs: list[dict[str, Any]]) -> Counter[tuple[bool, bool]]:
    return Counter((pair["supersedes"], superseded(pair)) for pair in pairs)


@pytest.mark.parametrize(("part", "least"), [("tuned", 0.8), ("held_out", 0.8), ("sealed", 0.4)])
def test_precision_and_recall(part: str, least: float) -> None:
    precision, recall = figures(part, [pair for pair in PAIRS if pair["part"] == part])
    assert precision >= 0.98
    assert recall >= least


def test_precision_and_recall_of_all() -> None:
    precision, recall = figures("all", PAIRS)
    assert precision >= 0.98
    assert recall >= 0.80


def figures(title: str, pairs: list[dict[str, Any]]) -> tuple[float, float]:
    found = counts(pairs)
    right, wrong, missed = found[True, True], found[False, True], found[True, False]
    precision, recall = right / (right + wrong), right / (right + missed)
    print(f"\n{title}: {found.total()} pairs, precision {precision:.3f}, recall {recall:.3f}")  # noqa: T201
    return precision, recall


def test_wrong_at_most_twice_in_a_hundred_traps() -> None:
    traps = [pair for pair in PAIRS if not pair["supersedes"]]
    assert sum(superseded(pair) for pair in traps) <= 0.02 * len(traps)


def test_the_set_is_large_bilingual_and_mostly_traps() -> None:
    assert len(PAIRS) >= 300
    assert sum(not pair["supersedes"] for pair in PAIRS) >= len(PAIRS) / 2
    assert sum(pair["lang"] == "zh" for pair in PAIRS) >= len(PAIRS) / 3
