"""The log: a line per event, of requests too if they are wanted, and never what anybody said."""

from __future__ import annotations

import io
import json
import logging
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from starlette.testclient import TestClient

from aim_memory import assemble
from aim_memory.api import logs
from aim_memory.api.app import create_app
from aim_memory.errors import StorageError
from aim_memory.settings import LogSettings
from tests.api.conftest import Keyed, local, settings_in
from tests.api.doubles import OpenDoor, StubEngine

CANARY = "canary-4711"


@contextmanager
def written(lines: logging.Formatter) -> Iterator[io.StringIO]:
    """What our loggers write meanwhile."""
    out = io.StringIO()
    sink = logging.StreamHandler(out)
    sink.setFormatter(lines)
    ours = logging.getLogger("aim_memory")
    before = ours.level
    ours.addHandler(sink)
    ours.setLevel(logging.INFO)
    try:
        yield out
    finally:
        ours.removeHandler(sink)
        ours.setLevel(before)


def entries(out: io.StringIO) -> list[dict[str, Any]]:
    return [entry for line in out.getvalue().splitlines() if (entry := json.loads(line))["message"] == "request"]


def test_a_request_has_one_line_without_what_was_said(tmp_path: Path) -> None:
    settings = settings_in(tmp_path, log=LogSettings(format="json", requests="all"))
    engine = assemble.open_engine(settings)
    keyring = assemble.open_keyring(settings, engine)
    with (
        written(logs.JsonLines()) as out,
        TestClient(create_app(settings, engine, keyring), base_url="http://memory.example") as client,
    ):
        headers = {**Keyed(client, keyring).headers(CANARY), "x-request-id": "abc-1"}
        text = {"namespace": CANARY, "text": f"The {CANARY} sings."}
        client.post("/v1/memories", json=text, headers=headers)
        client.post("/v1/query", json={"namespace": CANARY, "query": f"Does {CANARY} sing?"}, headers=headers)
        client.get(f"/v1/memories/{CANARY}", headers=headers)
        client.get("/status", headers={"authorization": f"Bearer {CANARY}"})
    told = entries(out)
    whose = logs.digest(CANARY)
    assert [(one["method"], one["route"], one["status"], one["tenant"], one["code"]) for one in told] == [
        ("POST", "/v1/memories", 200, whose, None),
        ("POST", "/v1/query", 200, whose, None),
        ("GET", "/v1/memories/{memory_id}", 404, whose, "not_found"),
        ("GET", "unrouted", 401, None, "unauthenticated"),
    ]
    assert [one["request_id"] for one in told[:3]] == ["abc-1"] * 3
    assert all(one["ms"] > 0 for one in told)
    assert CANARY not in out.getvalue()
    assert headers["authorization"].split("_")[2] not in out.getvalue()


@pytest.mark.parametrize(("requests", "statuses"), [("all", [200, 500]), ("failures", [500]), ("none", [])])
def test_which_requests_have_a_line_is_chosen(tmp_path: Path, requests: Any, statuses: list[int]) -> None:
    def crash() -> None:
        raise ZeroDivisionError(CANARY)

    settings = settings_in(tmp_path, log=LogSettings(requests=requests))
    app = create_app(settings, StubEngine(query=crash), OpenDoor())
    with written(logs.JsonLines()) as out, local(app, raise_server_exceptions=False) as client:
        client.get("/status")
        client.post("/v1/query", json={"namespace": "a", "query": "b"})
    assert [entry["status"] for entry in entries(out)] == statuses
    assert CANARY not in out.getvalue()
    assert "ZeroDivisionError" in out.getvalue()


@pytest.mark.parametrize("lines", [logs.JsonLines(), logs.TextLines()])
def test_an_error_is_told_by_its_class_and_place_and_ours_by_their_words(lines: logging.Formatter) -> None:
    with written(lines) as out:
        try:
            try:
                raise ValueError(CANARY)
            except ValueError as cause:
                raise StorageError("the disk is full") from cause
        except StorageError as error:
            logging.getLogger("aim_memory.api").error("request %s failed", "abc-1", exc_info=error)
    told = out.getvalue()
    assert "request abc-1 failed" in told
    assert "StorageError: the disk is full" in told
    assert "ValueError" in told
    assert Path(__file__).name in told
    assert CANARY not in told


def test_a_line_is_one_line() -> None:
    with written(logs.JsonLines()) as out:
        logging.getLogger("aim_memory.api").warning("one\ntwo")
    assert json.loads(out.getvalue())["message"] == "one two"
    assert out.getvalue().count("\n") == 1
