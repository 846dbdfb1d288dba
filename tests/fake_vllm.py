"""What ``vllm serve`` looks like from outside, in a second and without a model.

How it behaves is read from ``behaviour.json`` in the model's folder, each time it starts:

    gate      listen only when there is a file ``gate``    crash    end at once with this code
    crash_first  crash at so many first starts, code 7     hang     ignore SIGTERM
    worker    start a worker in its group, as vLLM does, that does not end by itself
    runaway   start one that leaves the group too
    sick      listen, but never be healthy

``starts`` in the same folder has a line for every start, ``workers`` one for every worker: its id.
Besides what vLLM answers, ``POST /crash`` ends it at once and ``POST /sick`` makes it unhealthy.
"""

from __future__ import annotations

import argparse
import json
import os
import signal
import subprocess
import sys
import time
from contextlib import suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

METRICS = """# TYPE vllm:prefix_cache_queries_total counter
vllm:prefix_cache_queries_total{engine="0",model_name="tiny"} 1280.0
vllm:prefix_cache_queries_created{engine="0",model_name="tiny"} 1.79e+09
vllm:prefix_cache_hits_total{engine="0",model_name="tiny"} 512.0
"""


class Requests(BaseHTTPRequestHandler):
    sick = False
    pause_s = 0.0

    def do_GET(self) -> None:
        match self.path:
            case "/health":
                self._say(503 if self.sick else 200, b"")
            case "/metrics":
                self._say(200, METRICS.encode())
            case "/v1/models" if self._admitted():
                self._say(200, json.dumps({"object": "list", "data": [{"id": "tiny", "object": "model"}]}).encode())
            case _:
                self._say(401 if self.path.startswith("/v1") else 404, b"{}")

    def do_POST(self) -> None:
        asked: dict[str, Any] = json.loads(self.rfile.read(int(self.headers.get("content-length", 0))) or b"{}")
        match self.path:
            case "/crash":
                os._exit(3)
            case "/sick":
                type(self).sick = True
                self._say(200, b"")
            case "/v1/chat/completions" if self._admitted():
                self._speak(asked)
            case _:
                self._say(401, b"{}")

    def _speak(self, asked: dict[str, Any]) -> None:
        words = "The model server says hello ".split()
        usage = {"prompt_tokens": 9, "completion_tokens": 5, "total_tokens": 14}
        if not asked.get("stream"):
            message = {"role": "assistant", "content": " ".join(words)}
            choice = {"index": 0, "message": message, "finish_reason": "stop"}
            self._say(200, json.dumps({"id": "c", "model": "tiny", "choices": [choice], "usage": usage}).encode())
            return
        self.send_response(200)
        self.send_header("content-type", "text/event-stream")
        self.end_headers()
        chunks: list[dict[str, Any]] = [{"choices": [{"index": 0, "delta": {"content": f"{w} "}}]} for w in words]
        chunks.append({"choices": [{"index": 0, "delta": {}, "finish_reason": "stop"}]})
        chunks.append({"choices": [], "usage": usage})
        with suppress(ConnectionError):
            for chunk in chunks:
                time.sleep(self.pause_s)
                self.wfile.write(b"data: %s\n\n" % json.dumps({"id": "c", "model": "tiny", **chunk}).encode())
                self.wfile.flush()
            self.wfile.write(b"data: [DONE]\n\n")

    def _admitted(self) -> bool:
        return self.headers.get("authorization") == f"Bearer {os.environ['VLLM_API_KEY']}"

    def _say(self, status: int, body: bytes) -> None:
        self.send_response(status)
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *args: object) -> None:
        """Only what it is asked to say goes to its log."""


def main() -> None:
    given = argparse.ArgumentParser()
    given.add_argument("verb", choices=["serve"])
    given.add_argument("model", type=Path)
    given.add_argument("--host")
    given.add_argument("--port", type=int)
    asked, others = given.parse_known_args()
    behaviour = json.loads((asked.model / "behaviour.json").read_text(encoding="utf-8"))
    with (asked.model / "starts").open("a+", encoding="utf-8") as starts:
        starts.write(" ".join(others) + "\n")
        starts.seek(0)
        count = len(starts.readlines())
    print(f"start {count} of the fake model server", flush=True)  # noqa: T201
    if count <= behaviour.get("crash_first", 0):
        print("ValueError: the model is too large", flush=True)  # noqa: T201
        sys.exit(7)
    if "crash" in behaviour:
        sys.exit(behaviour["crash"])
    if behaviour.get("hang"):
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
    for kind in ("worker", "runaway"):
        if behaviour.get(kind):
            _start_worker(asked.model, runaway=kind == "runaway")
    while behaviour.get("gate") and not (asked.model / "gate").exists():
        time.sleep(0.02)
    Requests.sick, Requests.pause_s = behaviour.get("sick", False), behaviour.get("pause_s", 0.0)
    ThreadingHTTPServer((asked.host, asked.port), Requests).serve_forever()


def _start_worker(model: Path, *, runaway: bool) -> None:
    forever = [sys.executable, "-c", "import signal; signal.pause()"]
    worker = subprocess.Popen(forever, start_new_session=runaway)
    with (model / "workers").open("a", encoding="utf-8") as workers:
        workers.write(f"{worker.pid}\n")


if __name__ == "__main__":
    main()
