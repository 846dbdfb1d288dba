"""A million memories, written as users write them, and what they cost: time, disk, memory, a restart, a question.

    python -m benchmarks.million [--memories 1000000] [--namespaces 1 1000] [--questions 200] [--home DIR] [--out FILE]

Made-up conversations with made-up vectors (``benchmarks/world.py``) go through ``engine.write`` in batches of 96, dealt
out to the namespaces in turn, so all of the service is measured but the model. Then a new process opens what is there,
as after a restart: how long until the first answer, how long until it is exact, what a question costs over the floor of
``benchmarks/speed.py`` (taken in turn with it), how many vectors it is compared with, and how many of the ten nearest
are among those that are ranked. A large namespace's index is on disk then, and a third process starts from that. With
several namespaces every question goes to another one, whose index has to be built first. With ``--within`` an import
stops after so many seconds, and what was written until then is measured.
"""

from __future__ import annotations

import argparse
import json
import math
import platform
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from datetime import timedelta
from itertools import islice
from pathlib import Path
from statistics import mean, median

import faiss
import numpy as np
from threadpoolctl import threadpool_limits

from aim_memory.assemble import AT_ONCE
from aim_memory.bodies import MemoryItem, QueryReply, QueryRequest, WriteRequest
from aim_memory.clock import SystemClock
from aim_memory.config import AIMConfig
from aim_memory.engine import MemoryEngine, Parts
from aim_memory.ingest.segments import passage
from aim_memory.ports import Embedder
from aim_memory.sessions import Sessions
from aim_memory.settings import LimitSettings
from aim_memory.storage.index import FlatIndex
from aim_memory.storage.keeper import FollowingKeeper
from aim_memory.storage.snapshots import Snapshots
from aim_memory.storage.sql_store import SqlStore
from aim_memory.text import cut_names
from aim_memory.types import Space, TokenBits, Vector, Vectors
from benchmarks.speed import CONVERSATION, TOP, Floor, commit, resident, timed
from benchmarks.world import BEGIN, DIMENSION, PEOPLE, Prepared, Told, World

TENANT = "local"
SESSIONS = 4
"""Of 24 turns each, in one write."""


@dataclass(frozen=True)
class Wanted:
    """A question to one namespace."""

    namespace: str
    text: str
    gold: str


@dataclass(frozen=True)
class Plan:
    """What a restarted process has to know: the questions, their vectors, and those of their tokens."""

    wanted: Sequence[Wanted]
    vectors: Sequence[Vector]
    tokens: Sequence[Vectors]

    @classmethod
    def load(cls, home: Path) -> Plan:
        wanted = [Wanted(**one) for one in json.loads((home / "questions.json").read_text())]
        with np.load(home / "questions.npz") as kept:
            return cls(wanted, list(kept["vectors"]), np.split(kept["tokens"], kept["ends"][:-1]))

    def save(self, home: Path) -> None:
        (home / "questions.json").write_text(json.dumps([asdict(one) for one in self.wanted]))
        ends = np.cumsum([len(own) for own in self.tokens])
        np.savez(home / "questions.npz", vectors=np.stack(self.vectors), tokens=np.concatenate(self.tokens), ends=ends)

    def embedder(self) -> Prepared:
        """Knows the questions as they are, and as the service has them embedded: without names."""
        known: dict[str, tuple[Vector, Vectors]] = {}
        for one, vector, tokens in zip(self.wanted, self.vectors, self.tokens, strict=True):
            known[one.text] = known[cut_names(one.text, PEOPLE)] = vector, tokens
        return Prepared(known)


@dataclass(frozen=True)
class Imported:
    memories: int
    namespaces: int
    wall_s: float
    cpu_s: float
    per_s: float
    disk_mib: int
    rss_mib: int
    """Of the writing process at its end."""


@dataclass(frozen=True)
class Restarted:
    first_answer_s: float
    """Wall time from opening, the tables being there, to the first answer."""
    degraded: bool
    """It came from the words of the question alone, while the index was built."""
    exact_s: float
    """Wall time until the index of the namespace asked first was there."""
    exact_cpu_s: float
    cold_ms: float | None
    """Mean CPU time of another namespace's first question, its index built meanwhile."""
    cpu_ms: float
    """Median CPU time of a question; the namespace's index is there."""
    mean_cpu_ms: float
    floor_ms: float
    ratio: float
    """Of the means."""
    scanned: float
    recall: float
    """Share of the questions whose memory is among the first ten."""
    nearest: float
    """Share of the ten nearest vectors, found by comparing all, that are among those that are ranked."""
    held: int
    """Memories in the indexes of the namespaces that were asked."""
    rss_mib: int
    peak_mib: int


class Recorded(Embedder):
    """Gives the texts of the batch that is being written the vectors and signs that the world has for them."""

    generation = Prepared.generation
    dimension = DIMENSION
    window = Prepared.window

    def __init__(self, world: World) -> None:
        self._world = world
        self._batch: dict[str, Told] = {}

    def take(self, batch: Sequence[Told]) -> None:
        self._batch = {passage(one.speaker, one.text): one for one in batch}

    def embed_queries(self, texts: Sequence[str]) -> Vectors:
        raise NotImplementedError("nothing is asked while memories are imported")

    def embed_documents_with_tokens(self, texts: Sequence[str]) -> tuple[Vectors, Sequence[TokenBits]]:
        told = [self._batch[text] for text in texts]
        return np.stack([one.vector for one in told]), [self._world.signs(one) for one in told]


def engine_over(
    store: SqlStore, embedder: Embedder, at_once: int | None = None, snapshots: Snapshots | None = None
) -> tuple[MemoryEngine, FollowingKeeper[FlatIndex]]:
    generation = Prepared.generation
    keeper = FollowingKeeper(
        store, lambda: FlatIndex(DIMENSION), at_once=at_once, snapshots=snapshots, generation=generation
    )
    parts = Parts(
        store=store,
        keeper=keeper,
        sessions=Sessions(store),
        embedder=embedder,
        generators={},
        clock=SystemClock(),
        config=AIMConfig(),
        limits=LimitSettings(),
    )
    return MemoryEngine(parts), keeper


def store_in(home: Path) -> SqlStore:
    return SqlStore(f"sqlite:///{home / 'aim.db'}", SystemClock(), Prepared.generation)


def bring(home: Path, memories: int, namespaces: int, questions: int, within: float) -> Imported:
    """Writes a world and leaves beside it what will be asked."""
    world, store = World(memories), store_in(home)
    embedder = Recorded(world)
    engine, _ = engine_over(store, embedder)
    chosen = set(np.linspace(0, memories // 96 - 1, questions).astype(int).tolist())
    asked: list[tuple[Wanted, Vector, Vectors]] = []
    number = 0
    wall, cpu = time.perf_counter(), time.process_time()
    for turn, batch in enumerate(_batches(world)):
        namespace = f"n{turn % namespaces}"
        embedder.take(batch)
        engine.write(TENANT, WriteRequest(namespace=namespace, memories=[*_items(batch, number)]))
        if turn in chosen:
            one, vector = world.question(batch[turn % len(batch)])
            asked.append((Wanted(namespace, one.text, one.gold), vector, world.tokens(cut_names(one.text, PEOPLE))))
        number += len(batch)
        if turn % 500 == 0:
            print(f"{number} {time.perf_counter() - wall:.0f} s {resident()} MiB", file=sys.stderr, flush=True)
        if time.perf_counter() - wall > within:
            break
    wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
    store.close()
    order = np.random.default_rng(3).permutation(len(asked))
    Plan(*zip(*(asked[at] for at in order), strict=True)).save(home)
    disk = sum(file.stat().st_size for file in home.glob("aim.db*")) >> 20
    return Imported(number, namespaces, round(wall, 1), round(cpu, 1), round(number / wall), disk, resident())


def _batches(world: World) -> Iterator[list[Told]]:
    sessions = world.told()
    while batch := [one for session in islice(sessions, SESSIONS) for one in session]:
        yield batch


def _items(batch: Sequence[Told], number: int) -> Iterator[MemoryItem]:
    for place, one in enumerate(batch):
        said = BEGIN + timedelta(minutes=number + place)
        yield MemoryItem(text=one.text, id=one.id, session_id=one.session, speaker=one.speaker, timestamp=said)


class Asking:
    """A process that has just been started over a store."""

    def __init__(self, home: Path) -> None:
        self._plan = Plan.load(home)
        self._scratch = tempfile.TemporaryDirectory()
        self._floor = Floor(
            Path(self._scratch.name), [one for session in World(CONVERSATION).told() for one in session]
        )
        self._store = store_in(home)
        snapshots = Snapshots(home / "indexes")
        self._engine, self._keeper = engine_over(self._store, self._plan.embedder(), AT_ONCE, snapshots)

    def measure(self) -> Restarted:
        began, cpu = time.perf_counter(), time.process_time()
        wanted = self._plan.wanted
        degraded = self._ask(wanted[0])[0].degraded
        answered = time.perf_counter() - began
        with self._keeper.open(Space(TENANT, wanted[0].namespace)):  # waits for the one that is being built
            exact, exact_cpu = time.perf_counter() - began, time.process_time() - cpu
        cold = self._cold()
        replies, floors = self._in_turn()
        spent = [ms for _, ms in replies]
        found = [one.gold in {hit.id for hit in reply.results} for one, (reply, _) in zip(wanted, replies, strict=True)]
        return Restarted(
            first_answer_s=round(answered, 3),
            degraded=degraded,
            exact_s=round(exact, 2),
            exact_cpu_s=round(exact_cpu, 2),
            cold_ms=cold,
            cpu_ms=round(median(spent), 2),
            mean_cpu_ms=round(mean(spent), 2),
            floor_ms=round(mean(floors), 4),
            ratio=round(mean(spent) / mean(floors), 1),
            scanned=round(mean(reply.work.scanned / reply.work.stored for reply, _ in replies), 4),
            recall=round(mean(found), 4),
            nearest=round(mean(self._nearest(at) for at in range(min(100, len(wanted)))), 4),
            held=sum(map(self._held, {one.namespace for one in wanted})),
            rss_mib=resident(),
            peak_mib=resident("VmHWM"),
        )

    def _cold(self) -> float | None:
        """Mean CPU time of the first question to a namespace, but for the first of all."""
        seen, spent = {self._plan.wanted[0].namespace}, []
        for one in self._plan.wanted:
            if one.namespace not in seen:
                seen.add(one.namespace)
                spent.append(self._ask(one)[1])
        return round(mean(spent), 1) if spent else None

    def _in_turn(self) -> tuple[list[tuple[QueryReply, float]], list[float]]:
        """The questions and the floor's."""
        replies, floors = [], []
        for one, vector in zip(self._plan.wanted, self._plan.vectors, strict=True):
            floors.append(timed(lambda vector=vector: self._floor.query(vector))[1])
            replies.append(self._ask(one))
        return replies, floors

    def _ask(self, one: Wanted) -> tuple[QueryReply, float]:
        request = QueryRequest(query=one.text, namespace=one.namespace, top_k=TOP)
        return timed(lambda: self._engine.query(TENANT, request))

    def _nearest(self, at: int) -> float:
        """How many of the vectors nearest to a question are among those that are ranked for it."""
        vector = self._plan.vectors[at]
        with self._keeper.open(Space(TENANT, self._plan.wanted[at].namespace)) as index:
            best = np.argsort(-index.similarities(vector), kind="stable")[:TOP]
            return float(np.isin(best, index.nearest([vector], index.columns.alive)[0]).mean())

    def _held(self, namespace: str) -> int:
        with self._keeper.open(Space(TENANT, namespace)) as index:
            return len(index)


def run(home: Path, memories: int, namespaces: int, questions: int, within: float) -> dict[str, object]:
    """Imports, and asks in a new process, which builds its index from SQL; where that left a snapshot, in another one
    that finds it."""
    home.mkdir(parents=True)
    imported = bring(home, memories, namespaces, questions, within)
    print(json.dumps(asdict(imported)), flush=True)
    report = {"imported": asdict(imported), "restarted": asked_anew(home)}
    if [*(home / "indexes").glob("*.index")]:
        report["from a snapshot"] = asked_anew(home)
    return report


def asked_anew(home: Path) -> dict[str, object]:
    again = [sys.executable, "-m", "benchmarks.million", "--ask", str(home)]
    asked = subprocess.run(again, check=True, capture_output=True, text=True)
    print(asked.stdout, flush=True)
    figures: dict[str, object] = json.loads(asked.stdout)
    return figures


def main() -> None:
    given = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    given.add_argument("--memories", type=int, default=1_000_000)
    given.add_argument("--namespaces", type=int, nargs="+", default=[1, 1000])
    given.add_argument("--questions", type=int, default=200)
    given.add_argument("--within", type=float, default=math.inf)
    given.add_argument("--home", type=Path, help="an empty folder for the databases, which stay; else they go")
    given.add_argument("--out", type=Path)
    given.add_argument("--ask", type=Path, help=argparse.SUPPRESS)
    chosen = given.parse_args()
    threadpool_limits(1)
    faiss.omp_set_num_threads(1)
    if chosen.ask:
        print(json.dumps(asdict(Asking(chosen.ask).measure())))
        return
    report: dict[str, object] = {"commit": commit(), "machine": platform.platform(), "processor": platform.machine()}
    with tempfile.TemporaryDirectory() as scratch:
        home = chosen.home or Path(scratch)
        report["runs"] = [
            run(home / f"of{n}", chosen.memories, n, chosen.questions, chosen.within) for n in chosen.namespaces
        ]
    if chosen.out:
        chosen.out.write_text(json.dumps(report, indent=2) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
