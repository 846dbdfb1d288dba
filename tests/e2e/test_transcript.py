"""The API transcript in the documentation is what the server really says."""

from __future__ import annotations

import shutil

import pytest

from docs import transcript


@pytest.mark.skipif(shutil.which("curl") is None, reason="the transcript is made with curl")
def test_the_transcript_is_current() -> None:
    fresh = transcript.transcript()
    for said in ("7 May 2026", "1,250 euros", "饼干", "topk: unknown field", "401 Unauthorized", "user/ada"):
        assert said in fresh
    kept = transcript.TARGET.read_text(encoding="utf-8")
    assert transcript.normal(fresh) == transcript.normal(kept), "run: python docs/transcript.py"
