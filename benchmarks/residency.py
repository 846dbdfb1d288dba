"""Which indexes stay in memory: policies on the same traces, and real indexes under a budget.

``python -m benchmarks.residency`` compares policies by simulation; ``--play`` opens real indexes of a made-up world, a
few under many names, and tells what they take. Questions come by Zipf's law (s = 1.1) over the namespaces: always to
the same ones (stationary), to ones that change (drifting: after every n / 50 questions two namespaces exchange their
places), and with somebody who asks every namespace once after every 5 n questions (scanned: he cannot be met).
"""

from __future__ import annotations

import argparse
import resource
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing
from functools import partial
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from aim_memory.clock import SystemClock
from aim_memory.storage.index import FlatIndex
from aim_memory.storage.keeper import FollowingKeeper
from aim_memory.storage.residency import Standing
from aim_memory.storage.sql_store import SqlStore
from aim_memory.types import Space
from benchmarks.world import DIMENSION, Prepared, World

Trace = NDArray[np.int64]
_EXPONENT = 1.1
_SETTLED = 0.2
"""Share of a trace that is played before anything is counted."""
_CITED = (0.2, 0.9)
"""Shares of a namespace's questions whose answer cites its memories lie between these."""
_DISTINCT = 8
"""Namespaces of the made-up world; the others are these under other names."""


# --- traces ----------------------------------------------------------------------------------------------------------


def _ranks(count: int, length: int, rng: np.random.Generator) -> Trace:
    likely = np.arange(1, count + 1) ** -_EXPONENT
    return np.searchsorted(np.cumsum(likely / likely.sum()), rng.random(length)).clip(0, count - 1)


def stationary(count: int, length: int, rng: np.random.Generator) -> Trace:
    return rng.permutation(count)[_ranks(count, length, rng)]


def drifting(count: int, length: int, rng: np.random.Generator) -> Trace:
    ranks, who = _ranks(count, length, rng), rng.permutation(count)
    trace = np.empty(length, np.int64)
    for start in range(0, length, step := max(1, count // 50)):
        one, other = rng.integers(count, size=2)
        who[[one, other]] = who[[other, one]]
        trace[start : start + step] = who[ranks[start : start + step]]
    return trace


def scanned(count: int, length: int, rng: np.random.Generator) -> Trace:
    usual = stationary(count, length, rng)
    pieces = [usual[start : start + 5 * count] for start in range(0, length, 5 * count)]
    return np.concatenate([part for piece in pieces for part in (piece, rng.permutation(count))])[:length]


TRACES = {"stationary": stationary, "drifting": drifting, "scanned": scanned}


# --- policies --------------------------------------------------------------------------------------------------------


class Policy(Protocol):
    def asked(self, who: int, cited: bool, residents: int) -> None: ...

    def least(self, residents: Trace) -> int:
        """Who goes."""
        ...


class Lru(Policy):
    def __init__(self, count: int) -> None:
        self._last, self._now = np.zeros(count), 0

    def asked(self, who: int, cited: bool, residents: int) -> None:
        self._now += 1
        self._last[who] = self._now

    def least(self, residents: Trace) -> int:
        return int(residents[self._last[residents].argmin()])


class Lfu(Lru):
    """Most questions ever; among equals, the last one asked."""

    def __init__(self, count: int) -> None:
        super().__init__(count)
        self._asked = np.zeros(count)

    def asked(self, who: int, cited: bool, residents: int) -> None:
        super().asked(who, cited, residents)
        self._asked[who] += 1

    def least(self, residents: Trace) -> int:
        return int(residents[(self._asked[residents] + 1e-9 * self._last[residents]).argmin()])


class ThreeNumbers(Lfu):
    """A²CR by the letter: 0.4 attention + 0.3 frequency + 0.3 recency, each in [0, 1].

    Attention and frequency are counts of citations and questions that fade by ``decay``, recency fades since the last
    question. By value they are divided by the greatest; by rank each is its place among the residents.
    """

    def __init__(self, count: int, *, per_question: bool, by_rank: bool = False, decay: float = 0.05) -> None:
        super().__init__(count)
        self._cited = np.zeros(count)
        self._per_question, self._by_rank, self._decay = per_question, by_rank, decay
        self._clock = 0.0

    def asked(self, who: int, cited: bool, residents: int) -> None:
        self._clock += self._decay if self._per_question else self._decay / max(residents, 1)
        left = np.exp(self._last[who] - self._clock)
        self._asked[who] = self._asked[who] * left + 1
        self._cited[who] = self._cited[who] * left + cited
        self._last[who] = self._clock

    def least(self, residents: Trace) -> int:
        recency = np.exp(self._last[residents] - self._clock)
        parts = self._cited[residents] * recency, self._asked[residents] * recency, recency
        attention, frequency, recency = (self._scaled(part) for part in parts)
        return int(residents[(0.4 * attention + 0.3 * frequency + 0.3 * recency).argmin()])

    def _scaled(self, values: NDArray[np.float64]) -> NDArray[np.float64]:
        return values.argsort().argsort() / len(values) if self._by_rank else values / max(values.max(), 1e-300)


class OneNumber(Policy):
    """A²CR as it is used."""

    def __init__(self, count: int) -> None:
        self._standing = Standing()
        self._spaces = [Space("t", str(number)) for number in range(count)]

    def asked(self, who: int, cited: bool, residents: int) -> None:
        self._standing.asked(self._spaces[who], residents)
        if cited:
            self._standing.answered(self._spaces[who])

    def least(self, residents: Trace) -> int:
        found = self._standing.least(self._spaces[who] for who in residents)
        return int(found.namespace if found else 0)


POLICIES: Mapping[str, Callable[[int], Policy]] = {
    "LRU": Lru,
    "LFU": Lfu,
    "A²CR, three numbers, time in questions": partial(ThreeNumbers, per_question=True),
    "A²CR, three numbers, time in turnovers": partial(ThreeNumbers, per_question=False),
    "A²CR, three ranks, time in turnovers": partial(ThreeNumbers, per_question=False, by_rank=True),
    "A²CR, one fading number": OneNumber,
}


def met(trace: Trace, count: int, room: int, policy: Policy, rng: np.random.Generator) -> float:
    """The share of questions, once settled, that meet their index in memory, where ``room`` have place."""
    likely, chance = rng.uniform(*_CITED, size=count), rng.random(len(trace))
    there, held, hits, counted = np.zeros(count, np.bool_), 0, 0, 0
    for number, who in enumerate(trace.tolist()):
        if number >= _SETTLED * len(trace):
            counted += 1
            hits += there[who]
        policy.asked(who, bool(chance[number] < likely[who]), held)
        if there[who]:
            continue
        if held < room:
            held += 1
        else:
            there[policy.least(np.flatnonzero(there))] = False
        there[who] = True
    return hits / counted


def compare(count: int, length: int, rooms: Sequence[int]) -> Iterator[str]:
    yield "| namespaces | in memory | trace | " + " | ".join(POLICIES) + " |"
    yield "|" + "---|" * (3 + len(POLICIES))
    for room in rooms:
        for name, make in TRACES.items():
            trace = make(count, length, np.random.default_rng(3))
            shares = [met(trace, count, room, own(count), np.random.default_rng(5)) for own in POLICIES.values()]
            yield f"| {count:,} | {room:,} | {name} | " + " | ".join(f"{100 * share:.1f}" for share in shares) + " |"


# --- real indexes ----------------------------------------------------------------------------------------------------


class ManyNames:
    """A store whose few namespaces have many names: "17" is the namespace 17 modulo their number."""

    def __init__(self, store: SqlStore, spaces: Sequence[Space]) -> None:
        self._store, self._spaces = store, spaces

    def __getattr__(self, name: str) -> Any:
        own = getattr(self._store, name)
        return lambda space, *more: own(self._spaces[int(space.namespace) % len(self._spaces)], *more)


def filled(folder: Path, memories: int) -> tuple[SqlStore, list[Space]]:
    store = SqlStore(f"sqlite:///{folder / 'aim.db'}", SystemClock(), Prepared.generation)
    spaces = [Space("t", f"n{number}") for number in range(_DISTINCT)]
    for seed, space in enumerate(spaces):
        world = World(memories, seed)
        told = [one for session in world.told() for one in session]
        with store.begin(space) as work:
            work.insert([world.memory(one, number) for number, one in enumerate(told)])
            work.commit()
    return store, spaces


def play(store: SqlStore, spaces: Sequence[Space], count: int, length: int, budget: int) -> Iterator[str]:
    """Opens indexes along a stationary trace; which were hot, warm or cold, and what each cost of CPU time."""
    keeper: FollowingKeeper[FlatIndex] = FollowingKeeper(
        ManyNames(store, spaces),  # type: ignore[arg-type]
        lambda: FlatIndex(DIMENSION),
        budget,
    )
    before, most = _resident_bytes(), 0
    took: dict[str, list[float]] = {"hot": [], "warm": [], "cold": []}
    for number, who in enumerate(stationary(count, length, np.random.default_rng(3)).tolist()):
        space = Space("t", str(who))
        state, began = keeper.state_of(space), time.thread_time()
        with keeper.open(space):
            pass
        if number >= _SETTLED * length:
            took[state].append(1000 * (time.thread_time() - began))
            most = max(most, keeper.held.nbytes)
    told = sum(map(len, took.values()))
    held = keeper.held
    yield f"{held.hot} hot, {held.warm} warm of {count:,}; at most {most / 1e6:.0f} MB counted of {budget / 1e6:.0f}"
    yield f"the process grew by {(_resident_bytes() - before) / 1e6:.0f} MB, its peak is {_peak_bytes() / 1e6:.0f} MB"
    for state, times in took.items():
        spread = np.quantile(times, (0.5, 0.99)).round(1).tolist() if times else []
        yield f"{state}: {100 * len(times) / told:.1f} % of the questions, CPU ms at the median and 99 %: {spread}"


def _resident_bytes() -> int:
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * resource.getpagesize()


def _peak_bytes() -> int:
    return 1024 * resource.getrusage(resource.RUSAGE_SELF).ru_maxrss


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--namespaces", type=int, default=1_000)
    parser.add_argument("--questions", type=int, default=50_000)
    parser.add_argument("--room", type=int, nargs="*", default=[350, 450, 550])
    parser.add_argument("--play", type=int, metavar="MEGABYTES", help="Budget of real indexes of 1,000 memories each.")
    asked = parser.parse_args()
    if asked.play is None:
        for line in compare(asked.namespaces, asked.questions, asked.room):
            print(line, flush=True)
        return
    with tempfile.TemporaryDirectory() as folder:
        store, spaces = filled(Path(folder), 1_000)
        with closing(store):
            for line in play(store, spaces, asked.namespaces, asked.questions, asked.play * 1_000_000):
                print(line, flush=True)


if __name__ == "__main__":
    main()
