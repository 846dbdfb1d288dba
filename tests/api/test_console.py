"""The console's files: open without a key, and held to a strict policy."""

from __future__ import annotations

from aim_memory.api.routes import console
from tests.api.conftest import Keyed


def test_the_page_is_open_and_holds_to_a_strict_policy(keyed: Keyed) -> None:
    for path in sorted(console.PATHS):
        reply = keyed.client.get(path)
        assert reply.status_code == 200, path
        policy = reply.headers["content-security-policy"]
        assert "default-src 'none'" in policy
        assert "unsafe" not in policy


def test_nothing_else_under_it_is_open(keyed: Keyed) -> None:
    assert keyed.client.get("/console/none.js").status_code == 401
    assert keyed.client.get("/console/none.js", headers=keyed.headers()).status_code == 404
