"""Writes docs/transcript.md: real calls of curl against a real server, and what came back.

    python docs/transcript.py

The server runs on a free port of this machine over an empty folder, with the hashing embedder, so that every machine
gets the same replies. Ids, times and figures of speed differ from run to run; ``normal`` takes them out.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

TARGET = Path(__file__).with_name("transcript.md")
SHOWN_URL = "http://127.0.0.1:8765"
_LONGEST_LINE = 240
_ADDRESS = re.compile(r"AIM-Memory on (http://\S+)")

HEAD = """# The API, by hand

Real calls and their replies, written by `python docs/transcript.py`; a test runs it again and compares. JSON is laid
out for reading, and long lines end in `…`. Every route, field, limit and error is in the server's own `/docs`.

Start a server with `aimem serve`. It says where it stands:

```
{posture}
```
"""

CONVERSATION = {
    "namespace": "user/ada",
    "session_id": "planning",
    "messages": [
        {
            "role": "user",
            "name": "Ada",
            "content": "The launch of the kettle app is on 7 May 2026.",
            "timestamp": "2026-03-02T09:15:00Z",
        },
        {
            "role": "user",
            "name": "Ada",
            "content": "The rent of my studio is 1,250 euros a month.",
            "timestamp": "2026-03-02T09:16:00Z",
        },
        {
            "role": "user",
            "name": "Ada",
            "content": "我的猫叫饼干，今年三岁。",
            "timestamp": "2026-03-02T09:17:00Z",
        },
    ],
}
STEPS: tuple[tuple[str, str, str, dict[str, Any]], ...] = (
    ("Write", "A conversation goes in as it is; it is on disk when the reply comes.", "/v1/memories", CONVERSATION),
    (
        "Query",
        "The memories that matter, best first, with a context for a prompt and an account of the work.",
        "/v1/query",
        {"namespace": "user/ada", "query": "How much is the rent of my studio?", "top_k": 1},
    ),
    (
        "Answer",
        "An answer with its sources: `quote` is `text[start:end]` of the memory named.",
        "/v1/answer",
        {"namespace": "user/ada", "query": "When is the launch of the kettle app?", "top_k": 1},
    ),
    (
        "Answer in a stream",
        "The same, as it comes. Closing the stream stops the generation.",
        "/v1/answer",
        {"namespace": "user/ada", "query": "我的猫叫什么？", "top_k": 1, "stream": True},
    ),
    (
        "When something is wrong",
        "Every failure is a problem (RFC 9457) with a stable `code`, and names what is at fault.",
        "/v1/query",
        {"namespace": "user/ada", "query": "When?", "topk": 5},
    ),
)


def main() -> None:
    TARGET.write_text(transcript(), encoding="utf-8")
    print(f"wrote {TARGET}")


def transcript() -> str:
    """The whole document, from a fresh server."""
    with tempfile.TemporaryDirectory() as home, _server(home) as (url, posture):
        shown = posture.replace(url, SHOWN_URL).replace(home, "~/.aim-memory")
        parts = [HEAD.format(posture=shown)]
        parts += [_step(url, *step) for step in STEPS]
        parts.append(_with_a_key(url, home))
    return "\n".join(parts)


def normal(document: str) -> str:
    """A document without what differs from run to run: ids, moments, and numbers with a fraction."""
    document = re.sub(r"[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[0-9a-f]{4}-[0-9a-f]{12}", "ID", document)
    document = re.sub(r"\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}\.\d+Z", "MOMENT", document)
    document = re.sub(r"aim_[0-9a-f]+_", "aim_ID_", document)
    document = re.sub(r"-?\d+\.\d+(e-?\d+)?", "NUMBER", document)
    return re.sub(r"…\n", "\n", re.sub(r"(data: .{80}).*", r"\1", document))


@contextmanager
def _server(home: str) -> Iterator[tuple[str, str]]:
    """A server on a free port: its address and its posture line."""
    command = [sys.executable, "-m", "aim_memory.cli.main", "serve", "--port", "0"]
    with subprocess.Popen(
        command, env=_environment(home), stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    ) as child:
        try:
            assert child.stdout is not None
            posture = child.stdout.readline().strip()
            found = _ADDRESS.search(posture)
            if found is None:
                raise SystemExit(f"the server did not start: {posture}")
            yield found[1], posture
        finally:
            child.terminate()


def _environment(home: str) -> dict[str, str]:
    return {**os.environ, "AIM_HOME": home, "AIM_EMBEDDER__KIND": "hashing", "NO_PROXY": "127.0.0.1"}


def _step(url: str, title: str, about: str, path: str, body: dict[str, Any]) -> str:
    streamed = body.get("stream", False)
    wrong = title == STEPS[-1][0]
    options = "-sN" if streamed else "-si" if wrong else "-s"
    sent = json.dumps(body, ensure_ascii=False)
    reply = _run("curl", options, f"{url}{path}", "-H", "Content-Type: application/json", "-d", sent)
    shown = json.dumps(body, ensure_ascii=False, indent=2) if len(sent) > 150 else sent
    command = f"curl {options} {SHOWN_URL}{path} -H 'Content-Type: application/json' -d '{shown}'"
    return f"## {title}\n\n{about}\n\n```sh\n{command}\n```\n\n{_fenced(reply)}"


def _with_a_key(url: str, home: str) -> str:
    """The first key shuts the door of the running server."""
    made = _run(
        sys.executable, "-m", "aim_memory.cli.main", "keys", "create", "laptop", "--json", env=_environment(home)
    )
    token = json.loads(made)["key"]
    shown = f"{token[:17]}…"
    refused = _run("curl", "-si", f"{url}/v1/namespaces")
    admitted = _run("curl", "-s", f"{url}/v1/namespaces", "-H", f"Authorization: Bearer {token}")
    return (
        "## With a key\n\nA key is shown once, when it is made, and from then on the server asks for one.\n\n"
        f"```sh\naimem keys create laptop\ncurl -si {SHOWN_URL}/v1/namespaces\n```\n\n{_fenced(refused)}\n"
        f"```sh\ncurl -s {SHOWN_URL}/v1/namespaces -H 'Authorization: Bearer {shown}'\n```\n\n{_fenced(admitted)}"
    )


def _run(*command: str, env: dict[str, str] | None = None) -> str:
    done = subprocess.run(command, capture_output=True, text=True, check=True, env=env, timeout=120)
    return done.stdout.replace("\r\n", "\n")


def _fenced(reply: str) -> str:
    """A reply as a code block: headers as they are, JSON laid out, long lines cut."""
    head, _, body = reply.rpartition("\n\n") if reply.startswith("HTTP/") else ("", "", reply)
    headers = [line for line in head.splitlines() if not line.startswith("date:")]
    language = "http" if head else "json" if body.startswith("{") else ""
    if body.startswith("{"):
        body = json.dumps(json.loads(body), ensure_ascii=False, indent=2)
    lines = [*headers, *([""] if headers else []), *body.strip().splitlines()]
    cut = (line if len(line) <= _LONGEST_LINE else f"{line[:_LONGEST_LINE]} …" for line in lines)
    return f"```{language}\n{chr(10).join(cut)}\n```\n"


if __name__ == "__main__":
    main()
