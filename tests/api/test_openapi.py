"""The OpenAPI document is complete: a client can be written from it alone."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, get_args

import pytest
from fastapi import FastAPI
from pydantic import ValidationError
from pydantic.fields import FieldInfo

from aim_memory import bodies
from aim_memory.api import openai_errors
from aim_memory.api.app import create_app
from aim_memory.api.auth import OPEN_PATHS
from aim_memory.api.examples import EXAMPLES
from aim_memory.api.problems import MEDIA_TYPE, Problem
from aim_memory.api.routes import health
from aim_memory.settings import LimitSettings, Settings
from tests.api.doubles import OpenDoor, StubEngine

ERROR_FIELDS = {"message", "type", "code", "request_id"}
Operation = tuple[str, str, dict[str, Any]]


@pytest.fixture
def app(settings: Settings) -> FastAPI:
    narrowed = settings.model_copy(update={"limits": LimitSettings(top_k=7, message_bytes=99, page_items=11)})
    return create_app(narrowed, StubEngine(), OpenDoor())


@pytest.fixture
def document(app: FastAPI) -> dict[str, Any]:
    return app.openapi()


@pytest.fixture
def operations(document: dict[str, Any]) -> list[Operation]:
    return [(method, path, operation) for path, item in document["paths"].items() for method, operation in item.items()]


def references(node: Any) -> Iterator[str]:
    if isinstance(node, dict):
        if isinstance(node.get("$ref"), str):
            yield node["$ref"]
        for child in node.values():
            yield from references(child)
    elif isinstance(node, list):
        for child in node:
            yield from references(child)


def test_it_is_openapi_3_1_and_every_reference_resolves(document: dict[str, Any]) -> None:
    assert document["openapi"].startswith("3.1")
    for reference in references(document):
        node: Any = document
        for part in reference.removeprefix("#/").split("/"):
            node = node[part]


def test_every_route_of_the_product_is_there(operations: list[Operation]) -> None:
    assert {f"{method.upper()} {path}" for method, path, _ in operations} == {
        "POST /v1/memories",
        "GET /v1/memories",
        "GET /v1/memories/{memory_id}",
        "PATCH /v1/memories/{memory_id}",
        "DELETE /v1/memories/{memory_id}",
        "GET /v1/memories/{memory_id}/history",
        "GET /v1/memories/{memory_id}/evidence",
        "POST /v1/query",
        "POST /v1/answer",
        "POST /v1/chat/completions",
        "POST /v1/responses",
        "POST /v1/embeddings",
        "GET /v1/models",
        "GET /v1/models/{model}",
        "POST /v1/feedback",
        "GET /v1/sessions",
        "GET /v1/sessions/{session_id}",
        "DELETE /v1/sessions/{session_id}",
        "GET /v1/namespaces",
        "DELETE /v1/namespaces/{namespace}",
        "GET /v1/admin/stats",
        "POST /v1/admin/backup",
        "POST /v1/admin/verify",
        "POST /v1/admin/reindex",
        "GET /v1/admin/reindex",
        "POST /v1/admin/reindex/rollback",
        "GET /v1/admin/jobs",
        "GET /v1/admin/jobs/{job_id}",
        "DELETE /v1/admin/jobs/{job_id}",
        "GET /v1/admin/export",
        "POST /v1/admin/import",
        "GET /v1/admin/keys",
        "POST /v1/admin/keys",
        "DELETE /v1/admin/keys/{key_id}",
        "GET /v1/admin/audit",
        "POST /v1/admin/extract",
        "POST /v1/admin/extract/preview",
        "GET /health/live",
        "GET /health/ready",
        "GET /status",
        "GET /metrics",
        "GET /",
    }


def test_every_operation_is_named_summed_up_and_described(operations: list[Operation]) -> None:
    names = [operation["operationId"] for _, _, operation in operations]
    assert len(set(names)) == len(names)
    assert set(names) == set(EXAMPLES)
    for _, path, operation in operations:
        assert operation["summary"], path
        assert operation["description"], path
        assert operation["tags"], path


def test_every_request_and_response_has_an_example(operations: list[Operation]) -> None:
    for _, path, operation in operations:
        if "requestBody" in operation:
            assert all(content["example"] for content in operation["requestBody"]["content"].values()), path
        for status, reply in operation["responses"].items():
            for content in reply["content"].values():
                assert content["example"], (path, status)


def test_every_failure_is_a_documented_problem(operations: list[Operation]) -> None:
    for _, path, operation in operations:
        for status, reply in operation["responses"].items():
            assert "x-request-id" in reply["headers"]
            if status == "200":
                continue
            (content,) = reply["content"].items()
            if openai_errors.spoken_at(path):
                error = content[1]["example"]["error"]
                assert (content[0], error.keys() - {"param"}) == ("application/json", ERROR_FIELDS)
                continue
            assert content[0] == MEDIA_TYPE
            assert Problem.model_validate(content[1]["example"]).status == int(status)
        if path in OPEN_PATHS:
            continue
        expected = {"401", "403", "422", "500", "503", "504"}
        if openai_errors.spoken_at(path):
            expected = expected - {"422"} | {"400"}
        expected |= {"413", "415"} if "requestBody" in operation else set()
        expected |= {"404"} if "{" in path and operation["operationId"] != "reset_session" else set()
        assert expected <= operation["responses"].keys(), path


@pytest.mark.parametrize("path", ["/v1/answer", "/v1/chat/completions"])
def test_an_answer_is_also_a_stream(document: dict[str, Any], path: str) -> None:
    content = document["paths"][path]["post"]["responses"]["200"]["content"]
    assert content.keys() == {"application/json", "text/event-stream"}


def test_keys_are_declared_and_the_probes_are_open(document: dict[str, Any], operations: list[Operation]) -> None:
    assert document["security"] == [{"key": []}]
    assert {path for _, path, operation in operations if operation.get("security") == []} == OPEN_PATHS


def test_the_configured_limits_are_in_the_schemas(document: dict[str, Any]) -> None:
    schemas = document["components"]["schemas"]
    assert schemas["QueryRequest"]["properties"]["top_k"]["maximum"] == 7
    assert schemas["AnswerRequest"]["properties"]["top_k"]["maximum"] == 7
    assert schemas["MemoryItem"]["properties"]["text"]["maxLength"] == 99
    assert schemas["WriteRequest"]["properties"]["text"]["anyOf"][0]["maxLength"] == 99
    assert schemas["WriteRequest"]["properties"]["memories"]["anyOf"][0]["maxItems"] == 100
    assert "maxLength" not in schemas["Hit"]["properties"]["text"]
    parameters = document["paths"]["/v1/memories"]["get"]["parameters"]
    assert next(p for p in parameters if p["name"] == "limit")["schema"]["maximum"] == 11


MODELS: dict[str, tuple[Any, Any]] = {
    "write_memories": (bodies.WriteRequest, bodies.WriteReply),
    "list_memories": (None, bodies.MemoryPage),
    "get_memory": (None, bodies.MemoryView),
    "update_memory": (bodies.UpdateRequest, bodies.MemoryView),
    "delete_memory": (None, bodies.DeleteReply),
    "get_history": (None, bodies.HistoryReply),
    "get_evidence": (None, bodies.EvidenceReply),
    "query": (bodies.QueryRequest, bodies.QueryReply),
    "answer": (bodies.AnswerRequest, bodies.AnswerReply),
    "list_sessions": (None, bodies.SessionPage),
    "get_session": (None, bodies.SessionView),
    "reset_session": (None, bodies.ResetReply),
    "list_namespaces": (None, bodies.NamespacePage),
    "erase_namespace": (None, bodies.EraseReceipt),
    "give_feedback": (bodies.FeedbackRequest, bodies.FeedbackReply),
    "admin_stats": (None, bodies.StatsReply),
    "admin_verify": (None, bodies.VerifyReply),
    "admin_reindex": (bodies.ReindexRequest, bodies.JobView),
    "admin_outlook": (None, bodies.EmbedderOutlook),
    "admin_rollback": (bodies.RollbackRequest, bodies.EmbedderOutlook),
    "admin_jobs": (None, bodies.JobPage),
    "admin_job": (None, bodies.JobView),
    "admin_cancel_job": (None, bodies.JobView),
    "admin_import": (None, bodies.ImportReply),
    "admin_keys": (None, bodies.KeyPage),
    "admin_create_key": (bodies.KeyRequest, bodies.IssuedKeyView),
    "admin_revoke_key": (None, bodies.KeyView),
    "admin_audit": (None, bodies.AuditPage),
    "live": (None, health.HealthReply),
    "ready": (None, health.HealthReply),
    "welcome": (None, health.WelcomeReply),
}


@pytest.mark.parametrize("operation_id", MODELS)
def test_examples_fit_their_models(operation_id: str) -> None:
    request, response = MODELS[operation_id]
    example = EXAMPLES[operation_id]
    if request is not None:
        request.model_validate(example.request)
    response.model_validate(example.response)
    assert example.response.keys() <= response.model_fields.keys()


FLAGS = [
    (body, name, field)
    for body in vars(bodies).values()
    if isinstance(body, type) and issubclass(body, bodies.Body)
    for name, field in body.model_fields.items()
    if field.annotation is bool or bool in get_args(field.annotation)
]


@pytest.mark.parametrize(("body", "name", "field"), FLAGS, ids=[f"{body.__name__}.{name}" for body, name, _ in FLAGS])
@pytest.mark.parametrize("not_a_flag", [0, 1, 0.0, "true"])
def test_what_is_described_as_a_boolean_takes_nothing_else(
    body: type[bodies.Body], name: str, field: FieldInfo, not_a_flag: object
) -> None:
    with pytest.raises(ValidationError) as refused:
        body.model_validate({name: not_a_flag})
    assert "bool_type" in {error["type"] for error in refused.value.errors() if error["loc"][0] == name}
