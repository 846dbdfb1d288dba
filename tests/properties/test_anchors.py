"""Anchors of any text at all: spans hold, nothing raises, extraction repeats itself."""

from datetime import UTC, datetime

from hypothesis import given, settings
from hypothesis import strategies as st

from aim_memory.anchors import compare, extract
from aim_memory.anchors.surface import read
from aim_memory.mirror import statements

PIECES = st.sampled_from(
    "10M $3.2k ¥268 12.5% 百分之十二 一千万 两个半小时 3pm 下午三点半 last Friday 上周三 2026年13月40日 31 Feb "
    "2025-02-30 Q9 v2.3.1 "
    "UA123 a@b.co http://x.y Anna 王小明 《书》 GPU is a the my I moved to lives 我 住在 是 了 , . 。 ， ? ’ ＄１２ "
    "İ ß ﬁ 萬 half a dozen and "
    "in years ago 九九九九年 99999999999999999999 第 百 点 几 0x7f :: //".split()
)
TEXTS = st.text(max_size=80) | st.lists(PIECES, max_size=14).map(" ".join) | st.lists(PIECES, max_size=14).map("".join)
MOMENTS = st.datetimes(timezones=st.just(UTC))


@settings(max_examples=300, deadline=None)
@given(TEXTS, MOMENTS)
def test_spans_point_at_their_text(text: str, reference: datetime) -> None:
    for anchor in extract(text, reference=reference):
        assert anchor.text
        assert anchor.key
        assert text[anchor.start : anchor.end] == anchor.text


@settings(max_examples=300, deadline=None)
@given(TEXTS, MOMENTS)
def test_extraction_is_ordered_and_repeatable(text: str, reference: datetime) -> None:
    found = extract(text, reference=reference)
    assert found == extract(text, reference=reference)
    assert [anchor.start for anchor in found] == sorted(anchor.start for anchor in found)
    assert compare(found, found).missing == ()


@settings(max_examples=200, deadline=None)
@given(TEXTS, MOMENTS)
def test_anchors_of_one_kind_do_not_overlap(text: str, reference: datetime) -> None:
    last: dict[str, int] = {}
    for anchor in extract(text, reference=reference):
        assert anchor.start >= last.get(anchor.kind, 0)
        last[anchor.kind] = anchor.end


@settings(max_examples=200, deadline=None)
@given(TEXTS, MOMENTS)
def test_dates_are_intervals(text: str, reference: datetime) -> None:
    for anchor in extract(text, reference=reference):
        if anchor.kind == "date":
            assert anchor.since is not None
            assert anchor.until is not None
            assert anchor.since < anchor.until


@settings(max_examples=300, deadline=None)
@given(TEXTS)
def test_folding_keeps_every_offset(text: str) -> None:
    surface = read(text)
    assert len(surface.cased) == len(surface.lower) == len(text)


@settings(max_examples=300, deadline=None)
@given(TEXTS, MOMENTS)
def test_statements_never_fail_and_repeat(text: str, reference: datetime) -> None:
    held = extract(text, reference=reference)
    found = statements(text, speaker="Ada", role="user", anchors=held)
    assert found == statements(text, speaker="Ada", role="user", anchors=held)
    assert statements(text, speaker="Ada", role="assistant", anchors=held) == ()
    for statement in found:
        assert statement.subject
        assert statement.attribute
        assert statement.value
