"""Runs a program on a leash: when the holder of the leash lets go, is killed, or says so, nothing of it stays behind.

    python vllm_leash.py LOG BYTES GRACE_S COMMAND...

Run as a script of its own, on the standard library alone. The holder keeps our standard input open; its end is the
word to stop, and anything written to it before that the word to stop at once. Our standard output gets one line, the
program's id, which is also the id of its group. The program's words go to LOG, of which one older part of BYTES is
kept. Our exit code is the program's, 128 + n for signal n.

The program is asked to stop with SIGTERM, after GRACE_S its whole group is killed, and whatever of it left the group is
killed too: a model server that dies leaves its workers behind, with the memory of the model.
"""

from __future__ import annotations

import contextlib
import ctypes
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterable
from pathlib import Path
from typing import IO

PR_SET_PDEATHSIG = 1
PR_SET_CHILD_SUBREAPER = 36


def main() -> int:
    log, size, grace_s, *command = sys.argv[1:]
    over, at_once = threading.Event(), threading.Event()
    signal.signal(signal.SIGTERM, lambda *_: over.set())
    signal.signal(signal.SIGINT, lambda *_: over.set())
    _control(PR_SET_CHILD_SUBREAPER, 1)
    try:
        program = subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            start_new_session=True,
            preexec_fn=_die_with_parent,
        )
    except OSError as failure:
        Path(log).write_text(f"{type(failure).__name__}: {failure}\n", encoding="utf-8")
        return 127
    print(program.pid, flush=True)  # noqa: T201  the holder reads it
    writer = threading.Thread(target=_keep, args=(program.stdout, Path(log), int(size)), daemon=True)
    writer.start()
    threading.Thread(target=_until_let_go, args=(over, at_once), daemon=True).start()
    threading.Thread(target=_until_ended, args=(program, over), daemon=True).start()
    over.wait()
    code = _end(program, 0.0 if at_once.is_set() else float(grace_s))
    writer.join(1)
    return code if code >= 0 else 128 - code


def _until_let_go(over: threading.Event, at_once: threading.Event) -> None:
    if os.read(0, 1):
        at_once.set()
    over.set()


def _until_ended(program: subprocess.Popen[bytes], over: threading.Event) -> None:
    program.wait()
    over.set()


def _end(program: subprocess.Popen[bytes], grace_s: float) -> int:
    if program.poll() is None and grace_s:
        program.terminate()
        with contextlib.suppress(subprocess.TimeoutExpired):
            program.wait(grace_s)
    with contextlib.suppress(ProcessLookupError):
        os.killpg(program.pid, signal.SIGKILL)
    code = program.wait()
    while orphans := list(_children()):
        for orphan in orphans:
            with contextlib.suppress(ProcessLookupError):
                os.kill(orphan, signal.SIGKILL)
        with contextlib.suppress(ChildProcessError):
            os.wait()
    return code


def _children() -> Iterable[int]:
    """Our own, orphans of the program among them (Linux; elsewhere none are seen)."""
    for thread in Path("/proc/self/task").glob("*/children"):
        yield from map(int, thread.read_text(encoding="ascii").split())


def _keep(words: IO[bytes], log: Path, size: int) -> None:
    """Appends to the log; one that is full becomes the older part."""
    with contextlib.ExitStack() as files:
        file = files.enter_context(log.open("ab"))
        while part := words.read1(min(size, 65536)):  # type: ignore[attr-defined]
            if file.tell() + len(part) > size:
                file.close()
                log.replace(f"{log}.1")
                file = files.enter_context(log.open("ab"))
            file.write(part)
            file.flush()


def _die_with_parent() -> None:
    _control(PR_SET_PDEATHSIG, signal.SIGKILL)


def _control(what: int, value: int) -> None:
    """Linux only; elsewhere the end of standard input is enough unless we are killed ourselves."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(what, value, 0, 0, 0)


if __name__ == "__main__":
    sys.exit(main())
