"""Two questions in one: what hearing each of them by itself adds.

    python -m benchmarks.pairs --data DIR... [--sets NAME...] [--cache DIR] [--most 300] [--seed 7]

Questions of one namespace, without earlier turns and with at most three memories as evidence, are joined two by two, as
people do ("…? Also, …?"); the evidence of both has to be found. Each pair is asked with the mechanism and without it.
"""

from __future__ import annotations

import argparse
from collections import defaultdict
from collections.abc import Iterator, Sequence
from pathlib import Path
from statistics import mean

import numpy as np

from aim_memory.cli.bench.intervals import Pairs, difference
from aim_memory.cli.bench.metrics import MEASURES, Outcome
from aim_memory.cli.bench.outcomes import judged
from aim_memory.cli.bench.sets import EvaluationSet, Question, read_sets
from aim_memory.cli.bench.stage import Stage, staged
from aim_memory.settings import Settings
from aim_memory.text import questions, script

JOINTS = ("Also, ", "And ", "Oh, and one more thing: ", "")
JOINTS_ZH = ("另外，", "还有，", "对了，", "")
SHOWN = ("R@1", "R@5", "R@10")
EVIDENCE = 3


def joined(chosen: EvaluationSet, most: int, seed: int) -> Iterator[Question]:
    draw = np.random.default_rng(seed)
    alone: defaultdict[str, list[Question]] = defaultdict(list)
    for question in chosen.questions:
        if 0 < len(question.gold) <= EVIDENCE and not question.history and len(questions(question.text)) == 1:
            alone[question.namespace].append(question)
    pairs = [pair for own in alone.values() for pair in _two_by_two(own, draw)]
    for place in sorted(draw.permutation(len(pairs))[:most].tolist()):
        one, other = pairs[place]
        yield one.model_copy(update={"text": _together(one.text, other.text, draw), "gold": one.gold | other.gold})


def _two_by_two(own: Sequence[Question], draw: np.random.Generator) -> list[tuple[Question, Question]]:
    mixed = [own[place] for place in draw.permutation(len(own)).tolist()]
    return list(zip(mixed[::2], mixed[1::2], strict=False))


def _together(one: str, other: str, draw: np.random.Generator) -> str:
    if script(one) == "han":
        return f"{_asking(one, '？')}{draw.choice(JOINTS_ZH)}{_asking(other, '？')}"
    return f"{_asking(one, '?')} {draw.choice(JOINTS)}{_asking(other, '?')}"


def _asking(text: str, mark: str) -> str:
    bare = text.strip()
    return bare if bare.endswith(("?", "？", "؟")) else bare.rstrip(".。 ") + mark


def compare(stage: Stage, asked: Sequence[Question]) -> str:
    kept = [_outcomes(stage, asked, each) for each in (False, True)]
    cells = []
    for name in SHOWN:
        before, after = ([MEASURES[name](one) for one in own] for own in kept)
        change = difference([Pairs(before, after, [one.namespace for one in asked])])
        cells.append(f"{name} {100 * mean(before):.1f} → {100 * mean(after):.1f} [{change.low:.1f}, {change.high:.1f}]")
    return "  ".join(cells)


def _outcomes(stage: Stage, asked: Sequence[Question], each: bool) -> list[Outcome]:
    config = stage.config.model_copy(update={"each_question": each})
    return [judged(stage.chosen, one, stage.names, stage.ask(one, config), 0.0) for one in asked]


def main() -> None:
    given = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    given.add_argument("--data", type=Path, nargs="+", required=True)
    given.add_argument("--sets", nargs="*", default=())
    given.add_argument("--cache", type=Path, help="where vectors are kept between runs")
    given.add_argument("--most", type=int, default=300, help="pairs of a set")
    given.add_argument("--seed", type=int, default=7)
    chosen = given.parse_args()
    settings = Settings()
    folder = chosen.cache or settings.home / "vectors"
    settings = settings.model_copy(update={"embedder": settings.embedder.model_copy(update={"cache_dir": folder})})
    for one in read_sets(chosen.data, chosen.sets):
        if asked := [*joined(one, chosen.most, chosen.seed)]:
            with staged(settings, one, lambda count: None) as stage:
                print(f"{one.name:12} {len(asked):4}  {compare(stage, asked)}", flush=True)


if __name__ == "__main__":
    main()
