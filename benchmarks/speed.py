"""What a query costs over doing the least, as ratios taken in one run.

    python -m benchmarks.speed [--memories 600 100000] [--questions 200] [--exact] [--out FILE]

The floor keeps vectors in a flat FAISS index and texts in SQLite; its query is one search and one read of ten rows. The
service's is all of ``engine.query``: anchors, plan, ranking, loading, context. Both look their vectors up, so no model
is measured, and both are timed in CPU time of their thread, in turn. Every ratio is to the floor at 600 memories, the
size of a long conversation. Each question is asked once; others were asked before it.
"""

from __future__ import annotations

import argparse
import json
import platform
import resource
import sqlite3
import subprocess
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from itertools import islice
from pathlib import Path
from statistics import mean, median

import faiss
import numpy as np
from threadpoolctl import threadpool_limits

from aim_memory.bodies import QueryRequest
from aim_memory.clock import SystemClock
from aim_memory.config import AIMConfig
from aim_memory.engine import MemoryEngine, Parts
from aim_memory.sessions import Sessions
from aim_memory.settings import LimitSettings
from aim_memory.storage.index import FlatIndex
from aim_memory.storage.keeper import FollowingKeeper
from aim_memory.storage.sql_store import SqlStore
from aim_memory.text import cut_names
from aim_memory.types import Space, Vector, Vectors
from benchmarks.world import DIMENSION, PEOPLE, Asked, Prepared, Told, World

CONVERSATION = 600
"""Memories of the floor: a long conversation."""
TOP = 10
SPACE = Space("local", "speed")


@dataclass(frozen=True)
class Figures:
    memories: int
    cpu_ms: float
    """Median CPU time of a query."""
    mean_cpu_ms: float
    ratio: float
    """Of the means, to the floor's."""
    scanned: float
    """Share of the memories that a question was compared with."""
    recall: float
    """Share of the questions whose memory is among the first ten."""
    exact_recall: float | None
    """The same with everything ranked."""
    build_s: float
    """CPU time to build the index from SQL, at the first query."""
    rss_mib: int
    disk_mib: int


class Floor:
    """The least a memory can do: keep texts, and rank them by cosine."""

    def __init__(self, home: Path, told: Sequence[Told]) -> None:
        self._vectors = faiss.IndexFlatIP(DIMENSION)
        self._vectors.add(np.stack([one.vector for one in told]))
        self._rows = sqlite3.connect(home / "floor.db", isolation_level=None)
        self._rows.execute("PRAGMA journal_mode = WAL")
        self._rows.execute("CREATE TABLE memories (id INTEGER PRIMARY KEY, text TEXT)")
        self._rows.executemany("INSERT INTO memories VALUES (?, ?)", [(n, one.text) for n, one in enumerate(told)])

    def query(self, vector: Vector) -> list[tuple[int, str]]:
        rows = self._vectors.search(vector[None], TOP)[1][0].tolist()
        found = "SELECT id, text FROM memories WHERE id IN (SELECT value FROM json_each(?))"
        return self._rows.execute(found, (str(rows),)).fetchall()


@dataclass(frozen=True)
class Town:
    """A store with memories in it, and questions about some of them."""

    store: SqlStore
    questions: Sequence[Asked]
    known: dict[str, tuple[Vector, Vectors]]
    first: Sequence[Told]
    home: Path

    def engine(self, whole: int | None = None) -> MemoryEngine:
        made = (lambda: FlatIndex(DIMENSION)) if whole is None else (lambda: FlatIndex(DIMENSION, whole=whole))
        return MemoryEngine(
            Parts(
                store=self.store,
                keeper=FollowingKeeper(self.store, made),
                sessions=Sessions(self.store),
                embedder=Prepared(self.known),
                generators={},
                clock=SystemClock(),
                config=AIMConfig(),
                limits=LimitSettings(),
            )
        )


def build(home: Path, memories: int, questions: int) -> Town:
    """Writes a world; every so many memories one gets a question."""
    world = World(memories)
    home.mkdir(parents=True)
    store = SqlStore(f"sqlite:///{home / 'aim.db'}", SystemClock(), Prepared.generation)
    asked: list[Asked] = []
    known: dict[str, tuple[Vector, Vectors]] = {}
    first: list[Told] = []
    step, number, sessions = max(1, memories // questions), 0, world.told()
    while batch := [one for session in islice(sessions, 80) for one in session]:
        with store.begin(SPACE) as work:
            work.insert([world.memory(one, number + place) for place, one in enumerate(batch)])
            work.commit()
        for one in batch[:: min(step, len(batch))] if step < len(batch) else batch[:1]:
            question, vector = world.question(one)
            asked.append(question)
            heard = cut_names(question.text, PEOPLE)  # what the service embeds
            known[heard] = known[question.text] = vector, world.tokens(heard)
        first += batch[: max(0, CONVERSATION - len(first))]
        number += len(batch)
    order = np.random.default_rng(3).permutation(len(asked))[:questions]
    return Town(store, [asked[place] for place in order], known, first, home)


def ask(town: Town, engine: MemoryEngine, beside: Callable[[Vector], object] | None = None) -> tuple[float, list, list]:
    """(CPU seconds to build the index, per question (reply, CPU ms), per question the CPU ms of what ran beside)."""
    requests = [QueryRequest(query=one.text, namespace=SPACE.namespace, top_k=TOP) for one in town.questions]
    built = timed(lambda: engine.query(SPACE.tenant, requests[0]))[1] / 1000
    for request in requests[: len(requests) // 4]:
        engine.query(SPACE.tenant, request)
    replies, others = [], []
    for request in requests[len(requests) // 4 :]:
        if beside is not None:
            vector = town.known[request.query][0]
            others.append(timed(lambda vector=vector: beside(vector))[1])
        replies.append(timed(lambda request=request: engine.query(SPACE.tenant, request)))
    return built, replies, others


def timed(step: Callable[[], object]) -> tuple[object, float]:
    began = time.thread_time()
    result = step()
    return result, 1000 * (time.thread_time() - began)


def recall(town: Town, replies: Sequence[tuple]) -> float:
    golds = [one.gold for one in town.questions[-len(replies) :]]
    return mean(gold in {hit.id for hit in reply.results} for gold, (reply, _) in zip(golds, replies, strict=True))


def measure(town: Town, memories: int, floor_ms: float | None, exact: bool) -> tuple[Figures, dict[str, float]]:
    floor = Floor(town.home, town.first)
    alone = [timed(lambda vector=vector: floor.query(vector))[1] for vector, _ in list(town.known.values())[:200]]
    engine = town.engine()
    built, replies, others = ask(town, engine, floor.query)
    own = {
        "alone_ms": round(median(alone), 4),
        "in_turn_ms": round(median(others), 4),
        "mean_ms": round(mean(others), 4),
    }
    times = [ms for _, ms in replies]
    figures = Figures(
        memories=memories,
        cpu_ms=round(median(times), 3),
        mean_cpu_ms=round(mean(times), 3),
        ratio=round(mean(times) / (floor_ms or own["mean_ms"]), 1),
        scanned=round(mean(reply.work.scanned / reply.work.stored for reply, _ in replies), 4),
        recall=round(recall(town, replies), 4),
        exact_recall=None,
        build_s=round(built, 1),
        rss_mib=resident(),
        disk_mib=sum(file.stat().st_size for file in town.home.iterdir()) >> 20,
    )
    del engine
    if exact:
        figures = Figures(
            **{**asdict(figures), "exact_recall": round(recall(town, ask(town, town.engine(1 << 40))[1]), 4)}
        )
    return figures, own


def resident(what: str = "VmRSS") -> int:
    """MiB of this process; ``VmHWM`` for the most it ever had."""
    status = Path("/proc/self/status")
    if status.exists():
        return int(status.read_text().partition(f"{what}:")[2].split()[0]) >> 10
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss >> 10


def main() -> None:
    given = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    given.add_argument("--memories", type=int, nargs="+", default=[CONVERSATION, 100_000])
    given.add_argument("--questions", type=int, default=200)
    given.add_argument("--exact", action="store_true", help="rank everything, too, and compare what is found")
    given.add_argument("--out", type=Path)
    chosen = given.parse_args()
    threadpool_limits(1)
    faiss.omp_set_num_threads(1)
    report: dict[str, object] = {"commit": commit(), "machine": platform.platform(), "processor": platform.machine()}
    print(json.dumps(report))
    floor_ms, sizes = None, []
    for memories in chosen.memories:
        with tempfile.TemporaryDirectory() as scratch:
            town = build(Path(scratch) / "home", memories, chosen.questions)
            figures, own = measure(town, memories, floor_ms, chosen.exact)
            town.store.close()
        if floor_ms is None:
            floor_ms, report["floor"] = own["mean_ms"], own
            print("floor", json.dumps(own))
        sizes.append(asdict(figures))
        print(json.dumps(sizes[-1]), flush=True)
    report["sizes"] = sizes
    if chosen.out:
        chosen.out.write_text(json.dumps(report, indent=2) + "\n", encoding="utf-8")


def commit() -> str:
    found = subprocess.run(["git", "describe", "--always", "--dirty"], capture_output=True, text=True, check=False)
    return found.stdout.strip() or "unknown"


if __name__ == "__main__":
    main()
