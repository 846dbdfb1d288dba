"""Sixteen clients at once, against the embedder's own batches, in one run with the packaged model.

    python -m benchmarks.clients [--questions 256] [--processes 2] [--out FILE]

Rates of questions per second: the model fed batches of 16 by itself; 16 threads that embed one question each through
the batching embedder; 16 threads that each ask the whole service; and the same 16 shared out among processes over one
folder. Per second of CPU time too, which tells what the rest of a query costs beside the model.
"""

from __future__ import annotations

import argparse
import json
import tempfile
import time
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from multiprocessing import get_context
from multiprocessing.queues import SimpleQueue
from multiprocessing.synchronize import Event, Semaphore
from pathlib import Path

from aim_memory.embedded import AIMMemory
from aim_memory.llm.batching import BatchingEmbedder
from aim_memory.llm.sentence_transformers import SentenceTransformersEmbedder
from aim_memory.settings import EmbedderSettings

CLIENTS = 16
PEOPLE = ("Ada", "Boris", "Chen", "Dora", "Emil", "Fang", "Gita", "Hugo")
THINGS = ("boat", "bicycle", "garden", "cello", "archive", "telescope", "kitchen", "novel")
DEEDS = ("repair", "sell", "paint", "move", "photograph", "lend", "insure", "measure")


def told(number: int) -> str:
    return f"I will {DEEDS[number // 64 % 8]} the {THINGS[number // 8 % 8]} of {PEOPLE[number % 8]} for {number} euros."


def asked(number: int) -> str:
    return (
        f"When did {PEOPLE[number % 8]} {DEEDS[number // 64 % 8]} the {THINGS[number // 8 % 8]}, and what for {number}?"
    )


def rates(texts: list[str], step: Callable[[list[str]], object]) -> dict[str, float]:
    wall, cpu = time.perf_counter(), time.process_time()
    step(texts)
    return {
        "per_s": round(len(texts) / (time.perf_counter() - wall), 1),
        "per_cpu_s": round(len(texts) / (time.process_time() - cpu), 1),
    }


def at_once(step: Callable[[str], object], clients: int = CLIENTS) -> Callable[[Iterable[str]], object]:
    def run(texts: Iterable[str]) -> object:
        with ThreadPoolExecutor(clients) as pool:
            return list(pool.map(step, texts))

    return run


def shared_out(home: str, processes: int, warm: list[str], texts: list[str]) -> dict[str, float]:
    """Each process has its own model and index, and asks its share of the texts by its share of the clients."""
    context = get_context("spawn")
    ready, go, spent = context.Semaphore(0), context.Event(), context.SimpleQueue()
    shares = [texts[number::processes] for number in range(processes)]
    workers = [
        context.Process(target=_worker, args=(home, CLIENTS // processes, warm[:32], share, ready, go, spent))
        for share in shares
    ]
    for worker in workers:
        worker.start()
    for _ in workers:
        ready.acquire()
    began = time.perf_counter()
    go.set()
    cpu = sum([spent.get() for _ in workers])
    wall = time.perf_counter() - began
    for worker in workers:
        worker.join()
    return {"per_s": round(len(texts) / wall, 1), "per_cpu_s": round(len(texts) / cpu, 1)}


def _worker(
    home: str, clients: int, warm: list[str], texts: list[str], ready: Semaphore, go: Event, spent: SimpleQueue[float]
) -> None:
    with AIMMemory(home) as memory:
        ask = at_once(lambda text: memory.query(text, namespace="speed"), clients)
        ask(warm)
        ready.release()
        go.wait()
        began = time.process_time()
        ask(texts)
        spent.put(time.process_time() - began)


def main() -> None:
    given = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    given.add_argument("--questions", type=int, default=256)
    given.add_argument("--processes", type=int, default=2)
    given.add_argument("--out", type=Path)
    chosen = given.parse_args()
    model = SentenceTransformersEmbedder(EmbedderSettings())
    batching = BatchingEmbedder(model)
    texts = [asked(number) for number in range(2 * chosen.questions)]
    warm, texts = texts[: chosen.questions], texts[chosen.questions :]
    with tempfile.TemporaryDirectory() as home, AIMMemory(home) as memory:
        for start in range(0, 600, 50):
            memory.write(namespace="speed", memories=[{"text": told(start + place)} for place in range(50)])
        at_once(lambda text: memory.query(text, namespace="speed"))(warm[:32])
        model.embed_queries(warm[:32])
        report = {
            "batches": rates(
                texts, lambda own: [model.embed_queries(own[at : at + 16]) for at in range(0, len(own), 16)]
            ),
            "embedding_clients": rates(texts, at_once(lambda text: batching.embed_queries([text]))),
            "asking_clients": rates(texts, at_once(lambda text: memory.query(text, namespace="speed"))),
        }
        report["in_processes"] = shared_out(home, chosen.processes, warm, texts)
    print(json.dumps(report, indent=2))
    if chosen.out:
        chosen.out.write_text(json.dumps(report, indent=2) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
