"""Every anchor of one kind that a text holds: surface form and normalised key, English and Chinese."""

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from aim_memory.anchors import extract

REFERENCE = datetime(2026, 3, 18, 9, tzinfo=UTC)
"""A Wednesday."""
LINES = Path(__file__).with_name("anchors_golden.jsonl").read_text(encoding="utf-8").splitlines()
CASES = [json.loads(line) for line in LINES]


@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case['kind']}: {case['text']}")
def test_golden(case: dict[str, Any]) -> None:
    found = [anchor for anchor in extract(case["text"], reference=REFERENCE) if anchor.kind == case["kind"]]
    assert [[anchor.text, anchor.key] for anchor in found] == case["anchors"]


def test_the_golden_set_is_large_and_bilingual() -> None:
    chinese = [case for case in CASES if any("\u3400" <= char <= "\u9fff" for char in case["text"])]
    assert len(CASES) >= 200
    assert len(chinese) >= 70
