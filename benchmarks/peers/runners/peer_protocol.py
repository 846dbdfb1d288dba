"""What every runner does alike: reads what the driver prepared, writes, asks, and says what it cost.

A runner is started by the driver in the environment of its peer, so this file needs nothing but numpy:

    python RUNNER.py FOLDER HOME RESULT --variant NAME --manner one|batches

FOLDER holds ``memories.jsonl``, ``questions.jsonl``, ``texts.json`` and ``vectors.npy`` (a unit vector for each text),
HOME is an empty folder for the store, RESULT is the JSON file to write.
"""

from __future__ import annotations

import argparse
import json
import resource
import sys
import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from importlib.metadata import version
from itertools import groupby
from pathlib import Path
from typing import Any

import numpy as np

DEPTH = 20
"""Results asked for."""
BATCH = 50
"""Memories written at a time in the manner ``batches``."""


@dataclass(frozen=True)
class Memory:
    """A memory; ``told`` is its text as a peer gets it that knows no speakers."""

    id: str
    namespace: str
    text: str
    told: str
    session: str | None
    timestamp: str | None
    speaker: str | None


@dataclass(frozen=True)
class Question:
    """A question; ``longer`` is it with the turns before it, where there are any."""

    id: str
    namespace: str
    text: str
    history: tuple[str, ...]
    longer: str | None


class Vectors:
    """The embedder that all share: looks vectors up by text, whatever its white space."""

    def __init__(self, folder: Path) -> None:
        texts = json.loads((folder / "texts.json").read_text(encoding="utf-8"))
        self._rows = {_key(text): row for row, text in enumerate(texts)}
        self._vectors = np.load(folder / "vectors.npy")
        self.dimension = int(self._vectors.shape[1])

    def __call__(self, texts: Sequence[str]) -> np.ndarray:
        """(len(texts), dimension) float32. KeyError: a text was never embedded."""
        return self._vectors[[self._rows[_key(text)] for text in texts]]

    def of(self, text: str) -> list[float]:
        """One vector as a list, which is what most libraries take."""
        return self([text])[0].tolist()


def _key(text: str) -> str:
    return " ".join(text.split())


class Peer(ABC):
    """A store under test."""

    distributions: Sequence[str] = ()
    """What is installed for it, to be named with its version."""

    def __init__(self, home: Path, vectors: Vectors, variant: str) -> None:
        self.home = home
        self.vectors = vectors
        self.variant = variant

    @abstractmethod
    def write(self, memory: Memory) -> None: ...

    @abstractmethod
    def write_batch(self, memories: Sequence[Memory]) -> None:
        """Memories of one namespace, at most BATCH of them."""

    def settle(self) -> None:  # noqa: B027 - most have nothing to do here
        """Brings what was written to disk, and ready for questions, where the peer does not do so by itself."""

    @abstractmethod
    def query(self, namespace: str, text: str) -> list[str]:
        """At most DEPTH ids, best first."""

    def query_after(self, question: Question) -> list[str]:
        """The same for a question whose earlier turns are known."""
        return self.query(question.namespace, question.longer or question.text)

    def embed_memory(self, memory: Memory) -> object:
        """What the embedder is asked for a memory; timed, to be taken off the cost of a write."""
        return self.vectors.of(memory.told)

    def embed_question(self, text: str) -> object:
        """What the embedder is asked for a question."""
        return self.vectors.of(text)

    def close(self) -> None:  # noqa: B027
        """Lets go of the store."""


def run(kind: type[Peer]) -> None:
    """The main function of every runner."""
    parser = argparse.ArgumentParser(description=__doc__)
    for name in ("folder", "home", "result"):
        parser.add_argument(name, type=Path)
    parser.add_argument("--variant", default="")
    parser.add_argument("--manner", choices=("one", "batches"), required=True)
    options = parser.parse_args()
    memories = [Memory(**row) for row in _rows(options.folder / "memories.jsonl")]
    questions = [
        Question(**row | {"history": tuple(row["history"])}) for row in _rows(options.folder / "questions.jsonl")
    ]
    peer = kind(options.home, Vectors(options.folder), options.variant)
    outcome: dict[str, Any] = {"versions": {name: version(name) for name in kind.distributions}}
    outcome["opened_cpu_s"] = time.process_time()
    outcome["write"] = _write(peer, memories, options.manner)
    if options.manner == "one":
        outcome |= _ask(peer, questions)
        outcome["rss_mib"] = _peak_mib()
    outcome["embedding"] = {
        "write_cpu_ms": _cpu_ms(peer.embed_memory, memories),
        "query_cpu_ms": _cpu_ms(peer.embed_question, [question.text for question in questions]),
    }
    peer.close()
    outcome["disk_mib"] = sum(file.stat().st_size for file in options.home.rglob("*") if file.is_file()) / 2**20
    options.result.write_text(json.dumps(outcome), encoding="utf-8")


def _write(peer: Peer, memories: Sequence[Memory], manner: str) -> dict[str, Any]:
    began = time.process_time()
    if manner == "one":
        walls = [_wall_ms(peer.write, memory) for memory in memories]
    else:
        walls = [_wall_ms(peer.write_batch, batch) for batch in _batches(memories)]
    peer.settle()
    cpu = time.process_time() - began
    return {"cpu_ms": 1000 * cpu / len(memories), "wall_ms": _quantiles(walls)}


def _ask(peer: Peer, questions: Sequence[Question]) -> dict[str, Any]:
    ranked: dict[str, list[str]] = {}
    walls = []
    began = time.process_time()
    for question in questions:
        asked = time.perf_counter()
        ranked[question.id] = peer.query(question.namespace, question.text)
        walls.append(1000 * (time.perf_counter() - asked))
    cpu = time.process_time() - began
    led = {question.id: peer.query_after(question) for question in questions if question.history}
    query = {"cpu_ms": 1000 * cpu / len(questions), "wall_ms": _quantiles(walls)}
    return {"ranked": ranked, "ranked_after": led, "query": query}


def _batches(memories: Sequence[Memory]) -> Iterator[list[Memory]]:
    for _, own in groupby(memories, key=lambda memory: memory.namespace):
        rows = list(own)
        for start in range(0, len(rows), BATCH):
            yield rows[start : start + BATCH]


def _wall_ms(step: Callable[[Any], object], given: object) -> float:
    began = time.perf_counter()
    step(given)
    return 1000 * (time.perf_counter() - began)


def _cpu_ms(step: Callable[[Any], object], inputs: Sequence[Any]) -> float:
    began = time.process_time()
    for one in inputs:
        step(one)
    return 1000 * (time.process_time() - began) / len(inputs)


def _quantiles(walls: Sequence[float]) -> dict[str, float]:
    return {"p50": float(np.percentile(walls, 50)), "p95": float(np.percentile(walls, 95))}


def _peak_mib() -> float:
    """The most memory this process ever held; what the driver held before it started this one is not in it."""
    status = Path("/proc/self/status")
    if status.exists():
        peak = next(line for line in status.read_text().splitlines() if line.startswith("VmHWM"))
        return int(peak.split()[1]) / 1024
    held = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return held / (2**20 if sys.platform == "darwin" else 1024)


def _rows(file: Path) -> list[dict[str, Any]]:
    with file.open(encoding="utf-8") as lines:
        return [json.loads(line) for line in lines]
