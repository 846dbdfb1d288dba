"""An embeddings server on loopback, over the hashing embedder or over a script, for tests of what speaks to one."""

from __future__ import annotations

import json
import threading
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from aim_memory.llm.hashing import HashingEmbedder


@dataclass
class EmbeddingServer:
    """``script`` replies (status, body) come first; then every text gets its hashed vector. ``requests`` holds what was
    asked: (headers, body)."""

    script: list[tuple[int, str]] = field(default_factory=list)
    requests: list[tuple[dict[str, str], dict[str, Any]]] = field(default_factory=list)

    def __enter__(self) -> EmbeddingServer:
        self._http = ThreadingHTTPServer(("127.0.0.1", 0), _requests_of(self))
        self._thread = threading.Thread(target=self._http.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
        self._thread.start()
        return self

    def __exit__(self, *error: object) -> None:
        self._http.shutdown()
        self._http.server_close()
        self._thread.join()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._http.server_port}/v1"

    def reply(self, headers: dict[str, str], asked: dict[str, Any]) -> tuple[int, str]:
        self.requests.append((headers, asked))
        if self.script:
            return self.script.pop(0)
        vectors = HashingEmbedder().embed_documents(asked["input"])
        # Neither in order nor of unit length: that is the caller's to mend.
        items = [{"index": place, "embedding": (3 * vector).tolist()} for place, vector in enumerate(vectors)]
        return 200, json.dumps({"object": "list", "data": items[::-1], "model": asked["model"]})


def _requests_of(server: EmbeddingServer) -> type[BaseHTTPRequestHandler]:
    class Requests(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            asked = json.loads(self.rfile.read(int(self.headers["content-length"])))
            headers = {name.lower(): value for name, value in self.headers.items()}
            status, body = server.reply(headers, asked)
            self.send_response(status)
            self.send_header("content-type", "application/json")
            self.send_header("content-length", str(len(body.encode())))
            self.end_headers()
            self.wfile.write(body.encode())

        def log_message(self, *args: object) -> None:
            """Tests are quiet."""

    return Requests
