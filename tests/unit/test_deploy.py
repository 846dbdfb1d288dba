"""What deploy/ says is what there is: settings, ports, users; and systemd takes the unit."""

from __future__ import annotations

import re
import shutil
import subprocess
import tomllib
from collections.abc import Iterator
from configparser import RawConfigParser
from pathlib import Path
from typing import Any

import pytest
import yaml
from pydantic import BaseModel

from aim_memory.settings import Settings

ROOT = Path(__file__).resolve().parents[2]
DEPLOY = ROOT / "deploy"
UNIT = DEPLOY / "aim-memory.service"
PROFILES = {"embedded", "postgres", "model"}


@pytest.fixture(scope="module")
def compose() -> dict[str, Any]:
    loaded: dict[str, Any] = yaml.safe_load((DEPLOY / "compose.yaml").read_text(encoding="utf-8"))
    return loaded


def variables(kind: type[BaseModel] = Settings, prefix: str = "AIM_") -> Iterator[str]:
    """Every variable that the settings read."""
    for name, field in kind.model_fields.items():
        inner = field.annotation
        if isinstance(inner, type) and issubclass(inner, BaseModel):
            yield from variables(inner, f"{prefix}{name.upper()}__")
        else:
            yield prefix + name.upper()


def test_every_setting_named_is_one(compose: dict[str, Any]) -> None:
    texts = [path.read_text(encoding="utf-8") for path in DEPLOY.iterdir() if path.is_file()]
    # Those of the compose file itself, which are handed on under other names.
    named = set(re.findall(r"AIM_[A-Z_]+", "\n".join(texts))) - {"AIM_MODEL", "AIM_POSTGRES_PASSWORD"}
    assert named <= set(variables())


def test_a_profile_for_each_way_to_run_it(compose: dict[str, Any]) -> None:
    profiles = {name: set(service["profiles"]) for name, service in compose["services"].items()}
    assert set.union(*profiles.values()) == PROFILES
    ours = [name for name in profiles if name.startswith("memory")]
    assert set.union(*(profiles[name] for name in ours)) == PROFILES  # one of ours in each
    for name in ours:
        service = compose["services"][name]
        assert service["ports"] == ["127.0.0.1:8765:8765"]
        assert service["cap_drop"] == ["ALL"]
        assert service["read_only"]
        assert (DEPLOY / service["build"]["context"] / service["build"]["dockerfile"]).exists()
        for other in service.get("depends_on", ()):
            assert profiles[other] == profiles[name]


def test_volumes_are_declared(compose: dict[str, Any]) -> None:
    used = {volume.partition(":")[0] for service in compose["services"].values() for volume in service["volumes"]}
    assert used == set(compose["volumes"])


def test_the_image_is_not_root_and_installs_extras_that_there_are() -> None:
    lines = (DEPLOY / "Dockerfile").read_text(encoding="utf-8")
    assert re.findall(r"(?m)^USER (\S+)", lines) == ["10001:10001"]
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    extras = {extra for names in re.findall(r"/src\[([^\]]+)\]", lines) for extra in names.split(",")}
    assert extras <= set(project["optional-dependencies"])
    copied = re.findall(r"(?m)^COPY (\w+) /src/", lines)
    links = [path.name for path in (ROOT / "aim_memory").iterdir() if path.is_symlink()]
    assert set(links) <= set(copied)  # what is linked into the package comes along


def test_what_the_image_copies_is_let_through() -> None:
    allowed = re.findall(r"(?m)^!(\S+)", (ROOT / ".dockerignore").read_text(encoding="utf-8"))
    lines = re.findall(r"(?m)^COPY (?!--from)(.+) /src", (DEPLOY / "Dockerfile").read_text(encoding="utf-8"))
    assert {name for line in lines for name in line.split()} <= set(allowed)


def test_the_unit_hardens_and_waits_as_long_as_the_server_drains() -> None:
    unit = RawConfigParser(strict=False)
    unit.optionxform = str  # type: ignore[assignment,method-assign]
    unit.read_string(UNIT.read_text(encoding="utf-8"))
    service = unit["Service"]
    for name in ("NoNewPrivileges", "PrivateTmp", "ProtectHome", "DynamicUser", "RestrictNamespaces"):
        assert service[name] == "yes"
    assert service["CapabilityBoundingSet"] == ""
    assert (
        float(service["TimeoutStopSec"])
        > Settings.model_fields["server"].get_default(call_default_factory=True).drain_timeout_s
    )


@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="needs systemd")
def test_systemd_takes_the_unit(tmp_path: Path) -> None:
    copy = tmp_path / UNIT.name
    copy.write_text(UNIT.read_text(encoding="utf-8").replace("/opt/aim-memory/bin/aimem", "/bin/true"))
    done = subprocess.run(["systemd-analyze", "verify", str(copy)], capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (0, "")
