"""/metrics: figures that are right, and that tell nothing of anybody."""

from __future__ import annotations

from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from prometheus_client.parser import text_string_to_metric_families
from starlette.testclient import TestClient

from aim_memory import assemble
from aim_memory.api.admission import Admission
from aim_memory.api.metrics import PREFIX, Metrics
from aim_memory.bodies import WriteRequest
from aim_memory.engine import MemoryEngine
from aim_memory.settings import EmbedderSettings, Settings
from tests.api.conftest import Keyed
from tests.memories import SteppingClock
from tests.moving import HalfEmbedder

CANARY = "canary-4711"


def scraped(client: TestClient, headers: dict[str, str] | None = None) -> dict[tuple[str, str], float]:
    """Every sample by name and labels, without the buckets."""
    reply = client.get("/metrics", headers=headers)
    assert reply.status_code == 200, reply.text
    assert reply.headers["content-type"].startswith("text/plain; version=0.0.4")
    return {
        (sample.name.removeprefix(f"{PREFIX}_"), ",".join(f"{k}={v}" for k, v in sorted(sample.labels.items()))): value
        for family in text_string_to_metric_families(reply.text)
        for sample in family.samples
        if not sample.name.endswith("_bucket") and (value := sample.value) is not None
    }


def gained(client: TestClient, before: dict[tuple[str, str], float]) -> dict[str, float]:
    after = scraped(client)
    grown = {key: value - before.get(key, 0) for key, value in after.items()}
    return {f"{name}{{{labels}}}" if labels else name: rise for (name, labels), rise in grown.items() if rise}


def test_what_is_done_is_counted(client: TestClient, namespace: str) -> None:
    before = scraped(client)
    texts = ["Tea is at four.", "The bicycle is in the shed."]
    client.post("/v1/memories", json={"namespace": namespace, "memories": [{"text": text} for text in texts]})
    asked = {"namespace": namespace, "query": "When is tea?"}
    found = client.post("/v1/query", json=asked).json()
    client.post("/v1/answer", json=asked)
    client.post("/v1/answer", json={**asked, "query": "Who was the third emperor of China?"})
    client.get("/v1/memories/nobody", params={"namespace": namespace})
    rise = gained(client, before)
    assert rise["written_memories_total{status=created}"] == 2
    assert rise["memories"] == 2
    assert rise["namespaces"] == 1
    assert rise["commits_total"] == rise["committed_units_total"] == 1
    assert rise["operation_duration_seconds_count{op=write,outcome=ok}"] == 1
    assert rise["operation_duration_seconds_count{op=query,outcome=ok}"] == 3
    assert rise["operation_duration_seconds_count{op=answer,outcome=ok}"] == 2
    assert rise["scanned_memories_total"] == 3 * found["work"]["scanned"]
    assert rise["context_tokens_total"] >= found["tokens"]["context"]
    assert rise["abstentions_total"] == 1
    assert rise["rejected_total{reason=not_found}"] == 1
    answered = "http_request_duration_seconds_count{method=POST,route=/v1/answer,status=200}"
    assert rise[answered] == 2
    assert rise["http_request_duration_seconds_count{method=GET,route=/v1/memories/{memory_id},status=404}"] == 1


def test_a_stream_and_a_chat_are_counted_when_they_end(client: TestClient, namespace: str) -> None:
    client.post("/v1/memories", json={"namespace": namespace, "text": "Tea is at four."})
    before = scraped(client)
    client.post("/v1/answer", json={"namespace": namespace, "query": "When is tea?", "stream": True})
    said = [{"role": "user", "content": "When is tea?"}]
    for stream in (False, True):
        body = {"model": "extractive", "messages": said, "user": namespace, "stream": stream}
        assert client.post("/v1/chat/completions", json=body).status_code == 200
    rise = gained(client, before)
    assert rise["operation_duration_seconds_count{op=answer,outcome=ok}"] == 1
    assert rise["operation_duration_seconds_count{op=chat,outcome=ok}"] == 2
    assert rise["operation_duration_seconds_count{op=query,outcome=ok}"] == 3


def test_what_fails_is_counted_by_its_code(client: TestClient, namespace: str) -> None:
    before = scraped(client)
    client.post("/v1/query", json={"namespace": namespace, "query": "Tea?", "top_k": 100_000})
    client.post("/v1/query", json={"nonsense": 1})
    rise = gained(client, before)
    assert rise["operation_duration_seconds_count{op=query,outcome=limit_exceeded}"] == 1
    assert rise["rejected_total{reason=limit_exceeded}"] == 1
    assert rise["rejected_total{reason=invalid_input}"] == 1


def test_how_it_is_now_is_there(client: TestClient, namespace: str) -> None:
    client.post("/v1/memories", json={"namespace": namespace, "text": "Tea is at four."})
    client.post("/v1/query", json={"namespace": namespace, "query": "When is tea?"})
    now = scraped(client)
    assert now["store_up", ""] == 1
    assert now["indexes", "state=hot"] >= 1
    assert now["index_bytes", ""] > 0
    assert now["index_drift", ""] == 0
    assert now["pending_vectors", ""] == now["answers_waiting", ""] == now["answers_inside", ""] == 0
    assert now["pending_oldest_seconds", ""] == 0
    assert now["embedder_up", ""] == 1
    assert now["disk_free_bytes", ""] > now["wal_bytes", ""] >= 0
    assert now["event_loop_lag_seconds", ""] >= 0
    assert {labels for name, labels in now if name == "jobs"} == {
        f"state={state}" for state in ("queued", "running", "done", "failed", "cancelled")
    }
    assert now["process_resident_memory_bytes", ""] > 0


def hostile_calls(keyed: Keyed) -> list[tuple[str, str, Any]]:
    """A canary wherever a caller can put one."""
    named = {"namespace": CANARY, "session_id": CANARY}
    return [
        ("POST", "/v1/memories", {"namespace": CANARY, "memories": [{"id": CANARY, "text": f"The {CANARY} sings."}]}),
        ("POST", "/v1/query", {**named, "query": f"What does {CANARY} do?"}),
        ("POST", "/v1/answer", {**named, "query": f"What does {CANARY} do?"}),
        ("POST", "/v1/answer", {**named, "query": CANARY, "generator": CANARY}),
        ("POST", "/v1/chat/completions", {"model": CANARY, "messages": [], "user": CANARY}),
        ("GET", f"/v1/memories/{CANARY}", None),
        ("GET", f"/v1/models/{CANARY}", None),
        ("GET", f"/v1/{CANARY}", None),
        ("GET", f"/console/{CANARY}", None),
        ("GET", f"/mem0/v1/memories/{CANARY}/", None),
        (CANARY.upper(), "/v1/query", None),
        ("POST", "/mcp", {"jsonrpc": "2.0", "id": 1, "method": CANARY}),
        ("DELETE", f"/v1/namespaces/{CANARY}", None),
    ]


def test_no_figure_names_a_tenant_a_namespace_a_key_or_a_word(keyed: Keyed) -> None:
    issued = keyed.keyring.create(CANARY, CANARY, "admin")
    secrets = [CANARY, issued.key.id, issued.token.split("_")[2]]
    shown = {"authorization": f"Bearer {issued.token}"}
    for headers in (shown, {"authorization": f"Bearer {CANARY}"}):
        for method, path, body in hostile_calls(keyed):
            more = {"user-agent": CANARY, "x-request-id": CANARY, "x-aim-namespace": CANARY}
            keyed.client.request(method, path, json=body, headers={**headers, **more})
    text = keyed.client.get("/metrics", headers=keyed.headers(role="auditor")).text.lower()
    assert 'op="erase",outcome="ok"' in text
    assert [secret for secret in secrets if secret.lower() in text] == []


def test_more_callers_are_not_more_figures(keyed: Keyed) -> None:
    def lines(number: int) -> int:
        headers = keyed.headers(f"tenant-{number}", "admin")
        keyed.client.post("/v1/memories", json={"namespace": f"ns/{number}", "text": "Tea."}, headers=headers)
        keyed.client.get(f"/v1/memories/{number}", params={"namespace": "x"}, headers=headers)
        keyed.client.get(f"/nowhere/{number}", headers=headers)
        keyed.client.request(f"M{number}", "/v1/query", headers=headers)
        return len(keyed.client.get("/metrics", headers=headers).text.splitlines())

    lines(0)
    assert lines(1) == lines(2) == lines(3)


@pytest.mark.parametrize(("method", "shown"), [("GET", "GET"), ("BREW", "other")])
def test_methods_are_a_fixed_list(method: str, shown: str) -> None:
    metrics = Metrics()
    metrics.count_request("/v1/query", method, 200, None, 0.1)
    assert f'method="{shown}"' in metrics.render().decode()


def test_without_a_key_there_are_no_figures(keyed: Keyed) -> None:
    assert keyed.client.get("/metrics").status_code == 401


def test_what_waits_for_vectors_is_told_with_its_age(tmp_path: Path) -> None:
    away = EmbedderSettings(kind="openai", url="http://127.0.0.1:1/v1", model="m", dimension=64, timeout_s=1)
    parts = assemble.open_parts(Settings(home=tmp_path, embedder=away))
    with closing(MemoryEngine(replace(parts, clock=SteppingClock()))) as engine:
        engine.write("acme", WriteRequest(namespace="n", text="Tea is at four."))
        first, second = (engine.figures() for _ in range(2))
        assert first["pending"] == 1
        assert 0 < first["longest_wait_s"] < second["longest_wait_s"]


def test_an_embedder_is_down_from_a_failed_call_to_one_that_is_answered(tmp_path: Path) -> None:
    embedder, metrics = HalfEmbedder(0), Metrics()
    parts = assemble.open_parts(Settings(home=tmp_path, embedder=EmbedderSettings(kind="hashing")))
    with closing(MemoryEngine(replace(parts, embedder=embedder))) as engine:
        metrics.follow(engine, Admission(places=1, waiting=1, wait_s=1.0))
        for embedder.down, up in ((False, 1.0), (True, 0.0), (False, 1.0)):
            engine.write("acme", WriteRequest(namespace="n", text=f"{up} Tea is at {int(embedder.down) + 3} pm."))
            assert f"{PREFIX}_embedder_up {up}\n" in metrics.render().decode()
