"""What the service costs over bare vLLM: many streams at once through both, in one run, against one model server.

    python -m benchmarks.serving MODEL [--streams 32] [--seconds 300] [--turns 5] [--tokens 256] [--out FILE]
                                       [-- VLLM OPTIONS]

``aimem serve --model MODEL`` runs vLLM. Turn by turn, the same chats go to the service, which recalls, weaves the notes
in and passes on, and, as the very prompts that the service makes of them, to vLLM itself, so that both meet the same
machine and the same prompts. Each stream asks, reads to the end, and asks again until the turn is over.

Counted: errors, streams that did not end, time to the first token, tokens per second of wall time and of processor
time, and what the service holds (memory, open files) after its first turn and after its last. vLLM's environment is
named by AIM_VLLM__ENVIRONMENT.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import platform
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx2

from benchmarks.chats import Outcome, Place, chat, median, recording
from benchmarks.clients import asked, told
from benchmarks.served import Served, at_dashes, cpu_s, handles, resident_mib, serving

NAMESPACE = "bench"
MEMORIES = 600
QUESTIONS = 256
STUCK_AFTER_S = 120.0
NOTHING_REMEMBERED = {"X-AIM-Namespace": NAMESPACE, "X-AIM-Memory": "read"}


@dataclass
class Tally:
    """What came of the turns of one way."""

    outcomes: list[Outcome] = field(default_factory=list)
    stuck: int = 0
    wall_s: float = 0.0
    model_cpu_s: float = 0.0
    service_cpu_s: float = 0.0

    def report(self) -> dict[str, Any]:
        well = [one for one in self.outcomes if one.trouble is None]
        tokens = sum(one.tokens for one in well)
        firsts = sorted(1000 * one.first_s for one in well if one.first_s is not None)
        troubles = [one.trouble for one in self.outcomes if one.trouble]
        return {
            "answers": len(well),
            "errors": len(troubles),
            "first_error": troubles[0] if troubles else None,
            "stuck": self.stuck,
            "prompt_tokens_p50": median([one.prompt_tokens for one in well]),
            "cached_share": round(
                sum(one.cached_tokens for one in well) / max(1, sum(one.prompt_tokens for one in well)), 3
            ),
            "first_token_p50_ms": round(median(firsts), 1),
            "first_token_p95_ms": round(firsts[int(0.95 * len(firsts))], 1) if firsts else None,
            "tokens_per_s": round(tokens / self.wall_s, 1),
            "tokens_per_cpu_s": round(tokens / (self.model_cpu_s + self.service_cpu_s), 1),
            "cpu_ms_per_answer": {
                "model": round(1000 * self.model_cpu_s / max(1, len(well)), 1),
                "service": round(1000 * self.service_cpu_s / max(1, len(well)), 1),
            },
        }


@dataclass(frozen=True)
class Run:
    """What all turns share."""

    served: Served
    streams: int
    seconds: float

    async def turn(self, tally: Tally, place: Place, bodies: Sequence[Mapping[str, Any]]) -> None:
        """All streams ask one after the other, each from a place of its own in the list, until the time is over."""
        pids = self.served.model_pids()
        model, service, start = cpu_s(pids), cpu_s([self.served.pid]), time.perf_counter()
        first = len(tally.outcomes)
        streams = [
            asyncio.create_task(self._stream(tally, place, bodies, first + number, start + self.seconds))
            for number in range(self.streams)
        ]
        await asyncio.gather(*streams)
        tally.wall_s += time.perf_counter() - start
        tally.model_cpu_s += cpu_s(pids) - model
        tally.service_cpu_s += cpu_s([self.served.pid]) - service

    async def _stream(
        self, tally: Tally, place: Place, bodies: Sequence[Mapping[str, Any]], number: int, until: float
    ) -> None:
        while time.perf_counter() < until:
            try:
                async with asyncio.timeout(STUCK_AFTER_S):
                    # A salt for each: a prompt that comes again is not found in the cache because it came before.
                    salted = {**bodies[number % len(bodies)], "cache_salt": f"{id(place)}-{number}"}
                    tally.outcomes.append(await chat(place, salted))
            except TimeoutError:
                tally.stuck += 1
            number += self.streams


def remember(url: str) -> None:
    for start in range(0, MEMORIES, 50):
        texts = [{"text": told(start + place)} for place in range(50)]
        reply = httpx2.post(
            f"{url}/v1/memories", json={"namespace": NAMESPACE, "memories": texts}, trust_env=False, timeout=120
        )
        reply.raise_for_status()


def chats(model: str, tokens: int) -> list[dict[str, Any]]:
    return [
        {
            "model": model,
            "messages": [{"role": "user", "content": asked(number)}],
            # Of different lengths, or else all streams would march in step and ask at the same moment.
            "max_tokens": tokens // 2 + tokens * (number * 37 % QUESTIONS) // QUESTIONS,
            "temperature": 0,
            "ignore_eos": True,
        }
        for number in range(QUESTIONS)
    ]


def woven(home: Path, bodies: Sequence[Mapping[str, Any]], model: str) -> list[dict[str, Any]]:
    """What the service makes of these chats, as it would send it to its model."""
    with recording() as (url, heard):
        settings = {"AIM_GENERATOR__KIND": "openai", "AIM_GENERATOR__URL": url, "AIM_GENERATOR__MODEL": "recording"}
        with serving(home, **settings) as listening, httpx2.Client(trust_env=False, timeout=120) as http:
            for body in bodies:
                sent = {**body, "model": "recording"}
                http.post(
                    f"{listening.url}/v1/chat/completions", json=sent, headers=NOTHING_REMEMBERED
                ).raise_for_status()
    return [{**body, "model": model} for body in heard]


def embedding_ms(url: str, times: int = 64) -> float:
    """Median of embedding a question, with nothing else going on."""
    taken = []
    with httpx2.Client(trust_env=False, timeout=60) as http:
        for number in range(times):
            start = time.perf_counter()
            body = {"model": "auto", "input": asked(number)}
            http.post(f"{url}/v1/embeddings", json=body).raise_for_status()
            taken.append(1000 * (time.perf_counter() - start))
    return round(median(taken[8:]), 2)


async def measure(served: Served, given: argparse.Namespace, home: Path) -> dict[str, Any]:
    name = served.status()["vllm"]["model"]
    bare, through = served.bare(), Place(f"{served.url}/v1", NOTHING_REMEMBERED)
    bodies = chats(name, given.tokens)
    prompts = await asyncio.to_thread(woven, home, bodies, name)
    run = Run(served, given.streams, given.seconds / given.turns)
    warm, ours, theirs = Run(served, given.streams, 5.0), Tally(), Tally()
    await warm.turn(Tally(), bare, prompts)
    await warm.turn(Tally(), through, bodies)
    held: list[dict[str, float]] = []
    embedding = await asyncio.to_thread(embedding_ms, served.url)
    for turn in range(given.turns):
        for tally, place, asked_ in _in_turn(turn, (theirs, bare, prompts), (ours, through, bodies)):
            await run.turn(tally, place, asked_)
        held.append({"rss_mib": round(resident_mib(served.pid), 1), "open_files": handles(served.pid)})
        print(
            f"turn {turn + 1}: bare {theirs.report()}\n        ours {ours.report()}\n        held {held[-1]}",
            flush=True,
        )
    return {"bare": theirs.report(), "through": ours.report(), "embedding_ms": embedding, "held": held}


def _in_turn(turn: int, *ways: tuple[Tally, Place, Any]) -> Sequence[tuple[Tally, Place, Any]]:
    """The way that went second goes first the next time."""
    return ways if turn % 2 == 0 else ways[::-1]


def judged(found: dict[str, Any]) -> dict[str, Any]:
    """The figures that promises are made about."""
    bare, ours, held = found["bare"], found["through"], found["held"]
    allowed = 1.1 * bare["first_token_p50_ms"] + found["embedding_ms"]
    return {
        "errors": bare["errors"] + ours["errors"],
        "stuck": bare["stuck"] + ours["stuck"],
        "throughput_of_bare": round(ours["tokens_per_s"] / (bare["tokens_per_s"] or 1.0), 3),
        "cpu_of_bare": round(bare["tokens_per_cpu_s"] / (ours["tokens_per_cpu_s"] or 1.0), 3),
        "first_token_p50_ms": ours["first_token_p50_ms"],
        "first_token_allowed_ms": round(allowed, 1),
        "memory_growth": round(held[-1]["rss_mib"] / held[0]["rss_mib"] - 1, 4),
    }


def machine() -> dict[str, Any]:
    commit = subprocess.run(["git", "describe", "--always", "--dirty"], capture_output=True, text=True, check=False)
    load = [round(value, 1) for value in os.getloadavg()]
    return {"commit": commit.stdout.strip(), "cores": os.cpu_count(), "machine": platform.machine(), "load": load}


def main() -> None:
    given = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    given.add_argument("model", type=Path)
    given.add_argument("--streams", type=int, default=32)
    given.add_argument("--seconds", type=float, default=300, help="of each way")
    given.add_argument("--turns", type=int, default=5)
    given.add_argument("--tokens", type=int, default=256, help="of an answer in the mean")
    given.add_argument("--out", type=Path)
    ours, options = at_dashes(sys.argv[1:])
    chosen = given.parse_args(ours, argparse.Namespace(options=options))
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder)
        with serving(home, "--model", str(chosen.model), "--", *chosen.options) as served:
            served.until_ready()
            remember(served.url)
            before = machine()
            found = asyncio.run(measure(served, chosen, home))
    named = {"model": chosen.model.name, "options": options, "streams": chosen.streams, "seconds": chosen.seconds}
    report = {**named, "tokens": chosen.tokens, "machine": before, **found, "judged": judged(found)}
    print(json.dumps(report, indent=2))
    if chosen.out:
        chosen.out.write_text(json.dumps(report, indent=2) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
