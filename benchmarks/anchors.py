"""Time per text of anchor extraction and statement reading, and both as ratios to a plain word count of the same text.

Run: python benchmarks/anchors.py [--profile] [file.jsonl with a "text" field]
"""

from __future__ import annotations

import argparse
import cProfile
import json
import pstats
import time
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from pathlib import Path

from aim_memory.anchors import compare, extract
from aim_memory.mirror import statements
from aim_memory.types import Anchor, Statement

_REFERENCE = datetime(2026, 3, 18, 9, tzinfo=UTC)
_TURN_EN = (
    "I moved to Halifax two weeks ago, the rent is $1,450 a month, and Dr. Tamsin Roe said Biscuit should get 50 mg of "
    "carprofen until 14 March, so call me at 902-555-0143."
)
_TURN_ZH = (
    "我上周三搬到杭州了，房租每个月3600元，同事王小明说公司离这里只有5公里，下周一早上九点开会，手机号还是13800002156。"
)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("file", nargs="?", type=Path)
    parser.add_argument("--profile", action="store_true")
    options = parser.parse_args()
    corpora = {"turn, English": [_TURN_EN], "turn, Chinese": [_TURN_ZH]}
    corpora |= {"600 words, English": [_long(_TURN_EN, 600)], "1,200 characters, Chinese": [_TURN_ZH * 20]}
    if options.file:
        with options.file.open(encoding="utf-8") as lines:
            corpora[options.file.name] = [json.loads(line)["text"] for line in lines]
    for name, texts in corpora.items():
        _report(name, texts)
    if options.profile:
        _profile([text for texts in corpora.values() for text in texts])


def _long(text: str, words: int) -> str:
    return " ".join((text.split() * words)[:words])


def _report(name: str, texts: Sequence[str]) -> None:
    rounds = max(1, 200 // len(texts))
    anchors = [extract(text, reference=_REFERENCE) for text in texts]
    base = _seconds(lambda: [text.lower().split() for text in texts], rounds)
    found = _seconds(lambda: [extract(text, reference=_REFERENCE) for text in texts], rounds)
    stated = _seconds(lambda: [_state(text, held) for text, held in zip(texts, anchors, strict=True)], rounds)
    matched = _seconds(lambda: [compare(held, held) for held in anchors], rounds)
    per = 1e6 / len(texts)
    print(
        f"{name:28} extract {found * per:8.0f} µs ({found / base:5.0f}x words)  statements {stated * per:8.0f} µs"
        f"  compare {matched * per:6.0f} µs  anchors {sum(map(len, anchors)) / len(texts):5.1f}"
    )


def _state(text: str, anchors: Sequence[Anchor]) -> tuple[Statement, ...]:
    return statements(text, speaker="ada", role="user", anchors=anchors)


def _seconds(work: Callable[[], object], rounds: int) -> float:
    """CPU seconds of one round, the best of three runs."""
    best = float("inf")
    for _ in range(3):
        start = time.process_time()
        for _ in range(rounds):
            work()
        best = min(best, (time.process_time() - start) / rounds)
    return best


def _profile(texts: Sequence[str]) -> None:
    profiler = cProfile.Profile()
    profiler.enable()
    for text in texts:
        extract(text, reference=_REFERENCE)
    profiler.disable()
    pstats.Stats(profiler).sort_stats("tottime").print_stats(18)


if __name__ == "__main__":
    main()
