"""The console's files: open without a key, and held to a strict policy."""

from __future__ import annotations

import re
from importlib.resources import files

from aim_memory.api.routes import console
from aim_memory.routing.weighing import PARTS
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


def test_every_part_of_a_score_has_words_in_both_languages() -> None:
    words = (files("aim_memory.api") / "console" / "words.js").read_text("utf-8")
    named = [set(re.findall(r"(\w+): \"", table)) for table in re.findall(r"part: \{(.*?)\}", words, re.DOTALL)]
    assert len(named) == 2
    assert named[0] == named[1] >= {*PARTS, "anchors", "decay", "current", "unread"}
