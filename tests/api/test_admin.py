"""/v1/admin: who may what, what it does, and that it is noted."""

from __future__ import annotations

import io
import json
import tarfile
from pathlib import Path
from typing import Any

import pytest
from starlette.testclient import TestClient

from aim_memory.bodies import AuditPage, BackupManifest, ImportReply
from aim_memory.keys import Role
from tests.api.conftest import Keyed

ADMIN_ROUTES = [
    ("GET", "/v1/admin/stats", "admin"),
    ("GET", "/v1/admin/jobs", "admin"),
    ("GET", "/v1/admin/keys", "admin"),
    ("GET", "/v1/admin/audit", "admin"),
    ("GET", "/v1/admin/export", "admin"),
    ("POST", "/v1/admin/import", "admin"),
    ("POST", "/v1/admin/verify", "operator"),
    ("POST", "/v1/admin/backup", "operator"),
    ("POST", "/v1/admin/reindex", "operator"),
]
BELOW: dict[str, Role] = {"admin": "writer", "operator": "admin"}


def noted(keyed: Keyed, tenant: str = "acme", role: Role = "admin") -> list[tuple[str, str, str | None, str]]:
    """(tenant, action, target, outcome), the newest first."""
    reply = keyed.client.get("/v1/admin/audit", headers=keyed.headers(tenant, role))
    return [(e.tenant, e.action, e.target, e.outcome) for e in AuditPage(**reply.json()).items]


def lines(*items: dict[str, Any]) -> str:
    return "".join(json.dumps(item) + "\n" for item in items)


@pytest.mark.parametrize(("method", "path", "role"), ADMIN_ROUTES)
def test_a_route_asks_for_its_role(keyed: Keyed, method: str, path: str, role: Role) -> None:
    body = {"json": {}} if path.endswith("reindex") else {}
    refused = keyed.client.request(method, path, headers=keyed.headers("acme", BELOW[role]), **body)
    assert (refused.status_code, refused.json()["code"]) == (403, "permission_denied")
    served = keyed.client.request(method, path, headers=keyed.headers("acme", role), **body)
    assert served.status_code == 200, served.text
    assert keyed.client.request(method, path, **body).status_code == 401


def test_what_is_refused_is_noted_too(keyed: Keyed) -> None:
    keyed.client.post("/v1/admin/backup", headers=keyed.headers("refused", "admin"))
    assert noted(keyed, "refused") == [("refused", "backup", None, "permission_denied")]


def test_a_tenant_reads_its_own_log_and_an_operator_all(keyed: Keyed) -> None:
    keyed.client.get("/v1/admin/export", headers=keyed.headers("one"))
    keyed.client.get("/v1/admin/export", headers=keyed.headers("two"))
    assert {tenant for tenant, *_ in noted(keyed, "one")} == {"one"}
    assert {tenant for tenant, *_ in noted(keyed, "service", "operator")} >= {"one", "two"}


def test_an_erasure_is_noted_without_the_name(keyed: Keyed) -> None:
    headers = keyed.headers("eraser")
    keyed.client.post("/v1/memories", json={"namespace": "user/zoe", "text": "a secret"}, headers=headers)
    receipt = keyed.client.delete("/v1/namespaces/user/zoe", headers=headers).json()
    assert receipt["by"] == "eraser admin"
    assert noted(keyed, "eraser") == [("eraser", "erase", receipt["target"], "ok")]
    assert "zoe" not in receipt["target"]
    assert keyed.client.delete("/v1/namespaces/user/zoe", headers=headers).status_code == 404
    assert noted(keyed, "eraser")[0][3] == "not_found"


def test_an_export_is_imported_to_the_same_memories(keyed: Keyed) -> None:
    ours, theirs = keyed.headers("from"), keyed.headers("to")
    items = [
        {"id": f"m{i}", "text": f"Ada paid {i} euros.", "speaker": "Ada", "metadata": {"i": i}} for i in range(250)
    ]
    for start in range(0, 250, 100):
        body = {"namespace": "user/ada", "memories": items[start : start + 100]}
        keyed.client.post("/v1/memories", json=body, headers=ours)
    exported = keyed.client.get("/v1/admin/export", headers=ours)
    assert exported.headers["content-type"].startswith("application/x-ndjson")
    assert exported.text.count("\n") == 250
    assert keyed.client.get("/v1/admin/export", headers=theirs).text == ""
    reply = keyed.client.post("/v1/admin/import", content=exported.text, headers=theirs)
    assert ImportReply(**reply.json()).created == 250
    assert keyed.client.get("/v1/admin/export", headers=theirs).text == exported.text
    again = keyed.client.post("/v1/admin/import", content=exported.text, headers=theirs)
    assert ImportReply(**again.json()) == ImportReply(created=0, unchanged=250, rejected=0, problems=[])


def test_an_import_may_be_longer_than_a_body_and_broken_lines_harm_no_other(keyed: Keyed) -> None:
    headers = keyed.headers("long")
    text = lines({"text": "first"}) + "{\n" + lines(*({"text": f"{i} {'x' * 20_000}"} for i in range(60)))
    reply = keyed.client.post(
        "/v1/admin/import", params={"namespace": "n"}, content=iter([text.encode()[:70_000], text.encode()[70_000:]]),
        headers=headers,
    )  # fmt: skip
    report = ImportReply(**reply.json())
    assert (report.created, report.rejected, report.problems[0].line) == (61, 1, 2)


def test_a_backup_comes_as_an_archive_of_all_tenants(keyed: Keyed, tmp_path: Path) -> None:
    for tenant in ("left", "right"):
        body = {"namespace": "n", "text": "hello"}
        keyed.client.post("/v1/memories", json=body, headers=keyed.headers(tenant))
    reply = keyed.client.post("/v1/admin/backup", headers=keyed.headers("service", "operator"))
    assert (reply.headers["content-type"], int(reply.headers["content-length"])) == (
        "application/x-tar",
        len(reply.content),
    )
    with tarfile.open(fileobj=io.BytesIO(reply.content)) as archive:
        archive.extractall(tmp_path, filter="data")
    made = BackupManifest.model_validate_json((tmp_path / "manifest.json").read_bytes())
    assert {"left", "right"} <= {space.tenant for space in made.namespaces}


def test_verify_finds_a_sound_service(keyed: Keyed) -> None:
    reply = keyed.client.post("/v1/admin/verify", headers=keyed.headers("service", "operator")).json()
    assert (reply["sound"], reply["flaws"]) == (True, [])
    assert reply["checked"]["api_keys"] > 0


def test_counts_are_of_a_tenant_or_of_a_namespace(keyed: Keyed) -> None:
    headers = keyed.headers("counted")
    for namespace in ("a", "a", "b"):
        keyed.client.post("/v1/memories", json={"namespace": namespace, "text": f"in {namespace}"}, headers=headers)
    whole = keyed.client.get("/v1/admin/stats", headers=headers).json()
    one = keyed.client.get("/v1/admin/stats", params={"namespace": "b"}, headers=headers).json()
    assert (whole["namespaces"], one["namespaces"], one["rows"]["memories"]) == (2, 1, 1)
    assert whole["rows"]["memories"] == 2, "a repeat within a minute is one memory"


def test_a_key_makes_keys_that_may_no_more_than_itself(keyed: Keyed) -> None:
    headers = keyed.headers("keys")

    def make(role: Role = "writer", as_: Role = "admin", tenant: str | None = None) -> Any:
        body = {"name": "new", "role": role} | ({"tenant": tenant} if tenant else {})
        return keyed.client.post("/v1/admin/keys", json=body, headers=keyed.headers("keys", as_))

    made = make().json()
    bearer = {"authorization": f"Bearer {made['key']}"}
    assert keyed.client.get("/v1/namespaces", headers=bearer).status_code == 200
    assert [make("operator").status_code, make(tenant="acme").status_code] == [403, 403]
    operators = make("operator", "operator").json()
    assert make("writer", "operator", "acme").json()["tenant"] == "acme"
    assert keyed.client.delete(f"/v1/admin/keys/{operators['id']}", headers=headers).status_code == 404
    assert keyed.client.delete(f"/v1/admin/keys/{made['id']}", headers=headers).json()["revoked_at"]
    assert keyed.client.get("/v1/namespaces", headers=bearer).status_code == 401
    listed = keyed.client.get("/v1/admin/keys", headers=headers).json()["items"]
    assert {key["tenant"] for key in listed} == {"keys"}
    assert "key" not in listed[0]
    assert ("keys", "keys.create", "keys operator", "permission_denied") in noted(keyed, "keys")


def test_a_job_of_the_service_is_an_operator_s(keyed: Keyed) -> None:
    operator, admin = keyed.headers("service", "operator"), keyed.headers("acme", "admin")
    job = keyed.client.post("/v1/admin/reindex", json={}, headers=operator).json()
    assert keyed.client.get(f"/v1/admin/jobs/{job['id']}", headers=operator).json()["kind"] == "reindex"
    assert keyed.client.get(f"/v1/admin/jobs/{job['id']}", headers=admin).status_code == 404
    assert job["id"] in {one["id"] for one in keyed.client.get("/v1/admin/jobs", headers=operator).json()["items"]}
    assert keyed.client.delete(f"/v1/admin/jobs/{job['id']}", headers=admin).status_code == 404


def test_without_keys_the_one_on_this_machine_may_all(client: TestClient) -> None:
    assert client.post("/v1/admin/verify").json()["sound"]
    listed = client.get("/v1/admin/audit").json()["items"]
    assert (listed[0]["name"], listed[0]["action"]) == ("local", "verify")
