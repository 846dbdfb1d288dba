"""What a model server's prefix cache really holds of a session's prompts, and what that saves until the first token.

    python -m benchmarks.prefix_served MODEL [--talks 4] [--out FILE] [-- VLLM OPTIONS]

The prompts of ``benchmarks.prefix``, arrangement by arrangement, sent to the vLLM that ``aimem serve --model MODEL``
runs. Each session has a cache of its own (``cache_salt``), so that no arrangement profits from another. Counted by
vLLM itself: ``vllm:prefix_cache_queries_total`` and ``vllm:prefix_cache_hits_total``; the time to the first token is
that of all turns but the first. The tokens are those of the model, and its cache keeps blocks of its own size.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
import time
from collections import defaultdict
from pathlib import Path
from typing import Any

import httpx2

from benchmarks.chats import median
from benchmarks.prefix import EXAMPLES, Counting, Told, conversations, measure, read_rows
from benchmarks.served import Served, at_dashes, serving


class Cached(Counting):
    """One arrangement: sends the prompts of sessions as they come, and counts what the server found in its cache."""

    def __init__(self, served: Served) -> None:
        self._served = served
        bare = served.bare()
        self._http = httpx2.Client(base_url=bare.url, headers=dict(bare.headers), timeout=300, trust_env=False)
        self._model = served.status()["vllm"]["model"]
        self._sessions = 0
        self._queried = self._cached = self._prompts = 0
        self._firsts_ms: list[float] = []

    def add(self, told: Told) -> None:
        """The (prompt, reply) of a session; both are in the cache when the next turn comes."""
        self._sessions += 1
        salt = f"{id(self)}-{self._sessions}"
        for turn, (prompt, reply) in enumerate(told):
            before, start = self._counters(), time.perf_counter()
            self._send(prompt, salt)
            if turn:
                self._firsts_ms.append(1000 * (time.perf_counter() - start))
            after = self._counters()
            self._prompts += 1
            self._queried += after["queried_tokens"] - before["queried_tokens"]
            self._cached += after["cached_tokens"] - before["cached_tokens"]
            self._send(prompt + reply, salt)

    def report(self) -> dict[str, Any]:
        computed = self._queried - self._cached
        return {
            "prompts": self._prompts,
            "tokens_of_a_prompt": round(self._queried / self._prompts),
            "computed": round(computed / self._prompts),
            "from_the_cache": round(self._cached / self._queried, 3),
            "first_token_p50_ms": round(median(self._firsts_ms), 1),
        }

    def _counters(self) -> dict[str, int]:
        counted: dict[str, int] = self._served.status()["vllm"]["prefix_cache"]
        return counted

    def _send(self, prompt: str, salt: str) -> None:
        body = {"model": self._model, "prompt": prompt, "max_tokens": 1, "temperature": 0, "cache_salt": salt}
        reply = self._http.post("/completions", json=body)
        if reply.status_code != 200:
            raise SystemExit(f"the model server answered {reply.status_code}: {reply.text[:300]}")


def measured(served: Served, talks: int) -> dict[str, Any]:
    """Arrangement → figures, over whole conversations."""
    rows = read_rows(EXAMPLES / "conversations.jsonl")
    own = sorted({row["session_id"] for row in rows})[::4]
    memories = [row for row in rows if row["session_id"] not in own]
    chosen = [talk for talk in conversations(rows) if talk.name in own][:talks]
    arrangements: dict[str, Cached] = defaultdict(lambda: Cached(served))
    with tempfile.TemporaryDirectory() as home:
        measure(memories, chosen, Path(home), arrangements)
    return {name: arrangement.report() for name, arrangement in arrangements.items()}


def main() -> None:
    given = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    given.add_argument("model", type=Path)
    given.add_argument("--talks", type=int, default=4)
    given.add_argument("--out", type=Path)
    ours, options = at_dashes(sys.argv[1:])
    chosen = given.parse_args(ours)
    with (
        tempfile.TemporaryDirectory() as home,
        serving(Path(home), "--model", str(chosen.model), "--", *options) as served,
    ):
        served.until_ready()
        found = measured(served, chosen.talks)
    print("| arrangement | tokens of a prompt | computed | from the cache | first token, ms |\n|---|---|---|---|---|")
    for name, figures in found.items():
        share = f"{figures['from_the_cache']:.0%}"
        print(
            f"| {name} | {figures['tokens_of_a_prompt']:,} | {figures['computed']:,} | {share} | "
            f"{figures['first_token_p50_ms']:.0f} |"
        )
    if chosen.out:
        chosen.out.write_text(json.dumps(found, indent=2) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
