"""A model server that starts slowly, crashes, hangs, or loses its parent: real processes, and none is left behind."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx2
import pytest

from aim_memory.errors import ConfigurationError
from aim_memory.llm.vllm import ModelServer
from aim_memory.llm.vllm_environment import VllmEnvironment
from aim_memory.settings import GeneratorSettings, VllmSettings
from tests.model_server import Double, alive, until

ROOT = Path(__file__).resolve().parents[2]


def server_of(double: Double, **settings: Any) -> ModelServer:
    given = {"rest_s": 0.05, "stop_timeout_s": 5.0} | settings
    environment = VllmEnvironment(double.environment)
    return ModelServer(str(double.model), VllmSettings(**given), environment, double.model.parent / "vllm.log")


@contextmanager
def running(server: ModelServer) -> Iterator[list[str]]:
    """The server, and what it tells; closed at the end, with nothing of it left."""
    told: list[str] = []
    server.start(told.append)
    pids = set()
    try:
        pids.add(until(lambda: server.state()["pid"]))
        yield told
        pids.add(server.state()["pid"])
    finally:
        server.close()
        assert not [pid for pid in pids if pid and alive(pid)]


def state_of(server: ModelServer) -> str:
    return str(server.state()["state"])


def test_a_slow_start_is_waited_for_and_told(tmp_path: Path) -> None:
    double = Double.made(tmp_path, gate=True)
    server = server_of(double)
    with running(server) as told:
        until(double.starts)
        assert (state_of(server), server.ready) == ("starting", False)
        assert server.absence() == "the model tiny is starting: not ready yet."
        double.open_gate()
        until(lambda: server.ready)
        assert len(told) == 2
        assert "is starting" in told[0]
        assert "is ready at http://127.0.0.1:" in told[1]
        assert server.absence() is None
        assert server.state()["prefix_cache"] == {"queried_tokens": 1280, "cached_tokens": 512}
    assert state_of(server) == "stopped"


def test_its_key_is_asked_for_and_nowhere_to_be_read(tmp_path: Path) -> None:
    double = Double.made(tmp_path)
    server = server_of(double, options=("--max-model-len", "64"))
    with running(server):
        until(lambda: server.ready)
        access = server.access(GeneratorSettings(kind="vllm", model=str(double.model)))
        key = access.api_key.get_secret_value() if access.api_key else ""
        assert httpx2.get(f"{access.url}/models", trust_env=False).status_code == 401
        headers = {"authorization": f"Bearer {key}"}
        assert httpx2.get(f"{access.url}/models", trust_env=False, headers=headers).status_code == 200
        shown = Path(f"/proc/{server.state()['pid']}/cmdline").read_text()
        assert len(key) > 30
        assert key not in shown
        assert key not in repr(access)
        assert "--max-model-len\0" + "64" in shown
    assert access.model == "tiny"


def test_our_own_secrets_do_not_reach_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AIM_API_KEY", "s3cret")
    monkeypatch.setenv("VLLM_CPU_KVCACHE_SPACE", "1")
    server = server_of(Double.made(tmp_path))
    with running(server):
        seen = Path(f"/proc/{server.state()['pid']}/environ").read_text()
    assert "s3cret" not in seen
    assert "VLLM_CPU_KVCACHE_SPACE=1" in seen
    assert "VLLM_NO_USAGE_STATS=1" in seen


def test_one_that_crashes_at_its_start_is_started_again(tmp_path: Path) -> None:
    double = Double.made(tmp_path, crash_first=2)
    server = server_of(double)
    with running(server) as told:
        until(lambda: server.ready)
        assert server.state()["restarts"] == 2
        assert len(double.starts()) == 3
        fallen = [line for line in told if "is down" in line]
        assert len(fallen) == 2
        assert all("it ended with code 7" in line and "ValueError: the model is too large" in line for line in fallen)


def test_one_that_crashes_later_is_started_again_at_the_same_address(tmp_path: Path) -> None:
    double = Double.made(tmp_path, worker=True, runaway=True)
    server = server_of(double)
    with running(server):
        until(lambda: server.ready)
        first = server.state()
        with pytest.raises(httpx2.HTTPError):
            httpx2.post(f"http://127.0.0.1:{first['port']}/crash", trust_env=False)
        until(lambda: server.state()["restarts"] == 1 and server.ready)
        second = server.state()
        assert second["port"] == first["port"]
        assert second["pid"] != first["pid"]
        assert second["trouble"] == "it ended with code 3"
        lost, kept = double.workers()[:2], double.workers()[2:]
        assert not [pid for pid in lost if alive(pid)]
        assert all(alive(pid) for pid in kept)
    assert not [pid for pid in kept if alive(pid)]


@pytest.mark.parametrize("victim", ["program", "leash"])
def test_kill_9_is_a_crash_like_any_other(tmp_path: Path, victim: str) -> None:
    double = Double.made(tmp_path, worker=True)
    server = server_of(double)
    with running(server):
        until(lambda: server.ready)
        pid = server.state()["pid"]
        leash = int(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[1])
        os.kill(pid if victim == "program" else leash, signal.SIGKILL)
        until(lambda: server.state()["restarts"] == 1 and server.ready)
        assert server.state()["trouble"] == "it ended with signal 9"
        assert not alive(pid)
        until(lambda: not alive(double.workers()[0]))


def test_one_that_is_never_well_is_ended_and_tried_again(tmp_path: Path) -> None:
    double = Double.made(tmp_path, sick=True)
    server = server_of(double, start_timeout_s=0.3)
    with running(server):
        until(lambda: len(double.starts()) > 1)
        assert server.state()["trouble"] == "it was not ready for 0.3 s"
        double.behave()


def test_one_that_falls_sick_is_started_again(tmp_path: Path) -> None:
    server = server_of(Double.made(tmp_path), health_timeout_s=0.3)
    with running(server):
        until(lambda: server.ready)
        httpx2.post(f"http://127.0.0.1:{server.state()['port']}/sick", trust_env=False)
        until(lambda: server.state()["restarts"] == 1 and server.ready)
        assert server.state()["trouble"] == "it was not well for 0.3 s"


def test_one_that_does_not_stop_is_killed_with_its_workers(tmp_path: Path) -> None:
    double = Double.made(tmp_path, hang=True, worker=True, runaway=True)
    server = server_of(double, stop_timeout_s=0.2)
    with running(server):
        until(lambda: server.ready)
    assert len(double.workers()) == 2
    assert not [pid for pid in double.workers() if alive(pid)]


def test_a_port_that_is_taken_is_said_at_the_start(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        server = server_of(Double.made(tmp_path), port=taken.getsockname()[1])
        with pytest.raises(ConfigurationError, match="AIM_VLLM__PORT"):
            server.start(pytest.fail)
    server.close()


def test_a_port_that_was_taken_meanwhile_is_waited_for(tmp_path: Path) -> None:
    double = Double.made(tmp_path)
    server = server_of(double)
    with running(server):
        until(lambda: server.ready)
        double.behave(crash=1)
        state = server.state()
        os.kill(state["pid"], signal.SIGKILL)
        until(lambda: len(double.starts()) > 1)
        with socket.create_server(("127.0.0.1", state["port"])):
            until(lambda: "is taken" in server.state()["trouble"])
            double.behave()
        until(lambda: server.ready)


@pytest.mark.parametrize("option", ["--port", "--api-key=x", "--host"])
def test_options_that_are_ours_are_refused(tmp_path: Path, option: str) -> None:
    server = server_of(Double.made(tmp_path), options=(option, "1"))
    with pytest.raises(ConfigurationError, match=option.partition("=")[0]):
        server.start(pytest.fail)
    server.close()


def test_without_vllm_or_without_the_model_it_does_not_begin(tmp_path: Path) -> None:
    double = Double.made(tmp_path)
    (double.model / "config.json").unlink()
    with pytest.raises(ConfigurationError, match=r"has no config\.json"):
        server_of(double).start(pytest.fail)
    with pytest.raises(ConfigurationError, match="aimem model install"):
        server_of(Double(tmp_path / "nothing", double.model)).start(pytest.fail)


def test_a_program_that_cannot_be_run_is_a_failure_like_others(tmp_path: Path) -> None:
    double = Double.made(tmp_path)
    program = double.environment / "bin" / "vllm"
    program.write_text("#!/no/such/interpreter\n")
    server = server_of(double)
    told: list[str] = []
    server.start(told.append)
    until(lambda: any("code 127" in line and "No such file" in line for line in told))
    server.close()


def test_its_log_is_kept_within_bounds(tmp_path: Path) -> None:
    double = Double.made(tmp_path)
    (double.environment / "bin" / "vllm").write_text(
        '#!/bin/sh\nyes "The same line again" | head -c 100000\nsleep 1000\n'
    )
    server = server_of(double, log_bytes=4096, stop_timeout_s=0.1)
    log = tmp_path / "vllm.log"
    with running(server):
        until(lambda: log.with_name("vllm.log.1").exists())
    sizes = [log.stat().st_size, log.with_name("vllm.log.1").stat().st_size]
    assert max(sizes) <= 4096


def test_nothing_outlives_a_parent_that_is_killed(tmp_path: Path) -> None:
    double = Double.made(tmp_path, worker=True, runaway=True)
    code = (
        "import sys; from pathlib import Path; from tests.model_server import Double; "
        "from tests.faults.test_model_server import server_of; "
        f"server = server_of(Double(Path({str(double.environment)!r}), Path({str(double.model)!r}))); "
        "server.start(lambda line: print(line, flush=True)); sys.stdin.read()"
    )
    with subprocess.Popen(
        [sys.executable, "-c", code], cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as parent:
        assert parent.stdout is not None
        assert any("is ready" in line for line in parent.stdout)
        assert all(alive(pid) for pid in double.workers())
        parent.kill()
    until(lambda: not [pid for pid in double.workers() if alive(pid)])
    until(lambda: not _named(str(double.model)))


def _named(words: str) -> list[int]:
    """Processes whose command line holds these words."""
    found = []
    for line in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            if words in line.read_text(errors="replace"):
                found.append(int(line.parent.name))
        except OSError:
            continue
    return [pid for pid in found if pid != os.getpid() and alive(pid)]
