"""What the service costs over doing the least, as ratios taken in one run.

    python benchmarks/speed.py [MEMORIES] [QUESTIONS]

The floor keeps one SQLite row per memory (WAL, synced, one commit per batch) and compares a question with a matrix of
all vectors. Both sides use the hashing embedder, so what is compared is the service and not a model. Figures depend on
the machine, the ratios much less; the commit and the machine are printed with them.
"""

from __future__ import annotations

import platform
import sqlite3
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from statistics import median
from typing import TypeVar

import numpy as np

from aim_memory.embedded import AIMMemory
from aim_memory.llm.hashing import HashingEmbedder
from aim_memory.settings import EmbedderSettings, Settings

PEOPLE = ["Ada", "Ben", "Chen", "Dora", "Emil", "Fang", "Gita", "Hugo"]
THINGS = ["the boat", "a bicycle", "the garden", "a cello", "the archive", "a telescope", "the kitchen", "a novel"]
DEEDS = ["repaired", "sold", "painted", "moved", "photographed", "lent", "insured", "measured"]
BATCH = 50
T = TypeVar("T")


class Floor:
    """The least a memory can do: keep texts, and rank them by cosine."""

    def __init__(self, home: Path) -> None:
        self._embedder = HashingEmbedder()
        self._vectors = np.zeros((0, self._embedder.dimension), dtype=np.float32)
        self._rows = sqlite3.connect(home / "floor.db", isolation_level=None)
        self._rows.execute("PRAGMA journal_mode = WAL")
        self._rows.execute("PRAGMA synchronous = FULL")
        self._rows.execute("CREATE TABLE memories (id INTEGER PRIMARY KEY, text TEXT)")

    def write(self, texts: Sequence[str]) -> None:
        self._vectors = np.vstack([self._vectors, self._embedder.embed_documents(texts)])
        self._rows.execute("BEGIN IMMEDIATE")
        self._rows.executemany("INSERT INTO memories (text) VALUES (?)", [(text,) for text in texts])
        self._rows.execute("COMMIT")

    def query(self, text: str) -> list[str]:
        scores = self._vectors @ self._embedder.embed_queries([text])[0]
        best = [int(row) + 1 for row in np.argsort(-scores)[:10]]
        found = "SELECT text FROM memories WHERE id IN (SELECT value FROM json_each(?))"
        return [text for (text,) in self._rows.execute(found, (str(best),))]


def main(memories: int = 2000, questions: int = 300) -> None:
    texts = [sentence(number) for number in range(memories + questions)]
    settings = Settings(embedder=EmbedderSettings(kind="hashing"))
    with tempfile.TemporaryDirectory() as scratch, AIMMemory(scratch, settings=settings) as memory:
        floor = Floor(Path(scratch))
        batches = [texts[start : start + BATCH] for start in range(0, memories, BATCH)]
        asked = texts[memories:]
        print(f"{memories} memories, {questions} questions, {_commit()}, {platform.platform()}, {platform.machine()}")
        report("write, one at a time", asked, lambda text: floor.write([text]), lambda text: _write(memory, [text]))
        report(f"write, {BATCH} at a time", batches, floor.write, lambda batch: _write(memory, batch))
        report("query", asked, floor.query, lambda text: memory.query(text, namespace="speed"))


def _write(memory: AIMMemory, texts: Sequence[str]) -> None:
    memory.write(namespace="speed", memories=[{"text": text} for text in texts])


def report(what: str, inputs: Sequence[T], least: Callable[[T], object], whole: Callable[[T], object]) -> None:
    """Runs both sides in turn, so that whatever else the machine does meets both alike."""
    pairs = [(_seconds(least, one), _seconds(whole, one)) for one in inputs]
    floor, service = (1000 * median(times) for times in zip(*pairs, strict=True))
    print(f"{what:24} floor {floor:8.2f} ms   service {service:8.2f} ms   ratio {service / floor:6.1f}")


def _seconds(step: Callable[[T], object], given: T) -> float:
    began = time.perf_counter()
    step(given)
    return time.perf_counter() - began


def sentence(number: int) -> str:
    """A sentence of its own for every number below 2 ** 16 or so."""
    person, thing, deed = PEOPLE[number % 8], THINGS[number // 8 % 8], DEEDS[number // 64 % 8]
    return f"{person} {deed} {thing} for {number} euros and told {PEOPLE[(number // 7 + 3) % 8]} about it."


def _commit() -> str:
    found = subprocess.run(["git", "describe", "--always", "--dirty"], capture_output=True, text=True, check=False)
    return f"commit {found.stdout.strip() or 'unknown'}"


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
