"""The time a question asks about: which days it means, and what it says for which memories."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from aim_memory.anchors import extract
from aim_memory.anchors.calendar import Span
from aim_memory.anchors.periods import names_time, periods
from aim_memory.config import AIMConfig
from aim_memory.routing.values import Ask, Scores
from aim_memory.routing.when import DATED, ELSEWHERE, SAID, when
from aim_memory.storage.index import FlatIndex
from aim_memory.text import asks_when
from aim_memory.types import IndexRow
from tests.rows import DIMENSION, row

TODAY = datetime(2024, 5, 15, 12, tzinfo=UTC)  # a Wednesday
EVER = (date.min.isoformat(), date.max.isoformat())


def spans(text: str, years: Sequence[int] = (2023, 2024)) -> tuple[Span, ...]:
    return periods(text, extract(text, reference=TODAY), reference=TODAY, years=years)


def written(found: tuple[Span, ...]) -> str:
    return " ".join(f"{since}/{until}" for since, until in found)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("What did she do yesterday?", "2024-05-14/2024-05-15"),
        ("Where was she two weeks ago?", "2024-04-29/2024-05-06"),
        ("Where did she go last summer?", "2023-06-01/2023-09-01"),
        ("What happened in May 2023?", "2023-05-01/2023-06-01"),
        ("What happened on 12 March 2023?", "2023-03-12/2023-03-13"),
        ("What did she do in early 2022?", "2022-01-01/2022-05-27"),
        ("What came in mid-August 2023?", "2023-08-10/2023-08-23"),
        ("What came at the end of March 2023?", "2023-03-20/2023-04-01"),
        ("What came in the last week of June 2023?", "2023-06-23/2023-07-01"),
        ("What came in the second half of 2023?", "2023-07-02/2024-01-01"),
        ("What was planned during the week before 9 July 2023?", "2023-07-02/2023-07-09"),
        ("And the day after 3 May 2023?", "2023-05-04/2023-05-05"),
        ("What did she read the week of 3 May 2023?", "2023-05-01/2023-05-08"),
        ("Where was she between March and May 2023?", "2023-03-01/2023-06-01"),
        ("Where was she from 3 June to 8 June 2023?", "2023-06-03/2023-06-09"),
        ("What did she learn in the past two weeks?", "2024-05-01/2024-05-16"),
        ("Where did she live before 2022?", f"{EVER[0]}/2022-01-01"),
        ("What was due by the end of May 2023?", f"{EVER[0]}/2023-06-01"),
        ("What changed since last Friday?", f"2024-05-10/{EVER[1]}"),
        ("What changed after 3 May 2023?", f"2023-05-04/{EVER[1]}"),
        ("What did she get last Christmas?", "2023-12-20/2024-01-02"),
        ("What did she get for Christmas 2022?", "2022-12-20/2023-01-02"),
        ("Where does she go next Easter?", "2025-03-20/2025-04-28"),
        ("去年夏天她去了哪里？", "2023-06-01/2023-09-01"),
        ("上周末做了什么？", "2024-05-11/2024-05-13"),
        ("2023年5月发生了什么？", "2023-05-01/2023-06-01"),
        ("2023年三月初呢？", "2023-03-01/2023-03-13"),
        ("去年圣诞节收到什么？", "2023-12-20/2024-01-02"),
        ("最近两周学了什么？", "2024-05-01/2024-05-16"),
        ("2023年下半年呢？", "2023-07-02/2024-01-01"),
        ("2023年春节前一周在哪里？", "2023-01-13/2023-01-20"),
        ("2023年5月12号之后呢？", f"2023-05-13/{EVER[1]}"),
        ("三天前呢？", "2024-05-12/2024-05-13"),
    ],
)
def test_a_time_is_read_as_days(text: str, expected: str) -> None:
    assert written(spans(text)) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("What happened in May?", "2023-05-01/2023-06-01 2024-05-01/2024-06-01"),
        ("What happened on 12 March?", "2023-03-12/2023-03-13 2024-03-12/2024-03-13"),
        ("Where did she go in the summer?", "2023-06-01/2023-09-01 2024-06-01/2024-09-01"),
        ("Who came over Christmas?", "2023-12-20/2024-01-02 2024-12-20/2025-01-02"),
        ("Where was she from 3 June to 8 June?", "2023-06-03/2023-06-09 2024-06-03/2024-06-09"),
        ("五月份呢？", "2023-05-01/2023-06-01 2024-05-01/2024-06-01"),
        ("三月初呢？", "2023-03-01/2023-03-13 2024-03-01/2024-03-13"),
        ("春節期間誰來了？", "2023-01-20/2023-02-25 2024-01-20/2024-02-25"),
        ("What was on 1-3 May?", "2023-05-01/2023-05-04 2024-05-01/2024-05-04"),
        ("What was on 29 February?", "2024-02-29/2024-03-01"),
    ],
)
def test_what_comes_every_year_means_all_of_the_years(text: str, expected: str) -> None:
    assert written(spans(text)) == expected


@pytest.mark.parametrize(
    "text",
    [
        "What may she do?",
        "Who won the march?",
        "When did she fall?",
        "What is Tom's cat called?",
        "Where did she live before the move?",
        "Where does Tom's father live today?",
        "小满几岁了？",
        "今天他住在哪里？",
        "搬家之前住在哪里？",
        "",
    ],
)
def test_a_question_without_a_time_means_no_days(text: str) -> None:
    assert spans(text) == ()


_MONTHS = "January February March April May June July August September October November December".split()
_DAYS = st.dates(date(1990, 1, 1), date(2040, 1, 1))
_WORDS = st.sampled_from(
    "in the before after early late last next this past two weeks ago May summer Christmas 2023 12 March between and "
    "from to week of year 三月 之前 初 去年 春节 夏天 最近 两周 前 , ?".split()
)


@given(_DAYS)
def test_a_day_in_full_is_that_day(day: date) -> None:
    following = day + timedelta(days=1)
    assert spans(f"What happened on {day.day} {_MONTHS[day.month - 1]} {day.year}?") == ((day, following),)
    assert spans(f"{day.year}年{day.month}月{day.day}日发生了什么？") == ((day, following),)


@given(_DAYS)
def test_before_and_after_meet_at_the_day(day: date) -> None:
    named = f"{day.day} {_MONTHS[day.month - 1]} {day.year}"
    ((_, before),) = spans(f"What came before {named}?")
    ((after, _),) = spans(f"What came after {named}?")
    assert (before, after) == (day, day + timedelta(days=1))


@given(st.lists(_WORDS, max_size=8).map(" ".join))
def test_any_words_give_days_in_order_and_are_noticed(text: str) -> None:
    found = spans(text)
    assert list(found) == sorted(set(found))
    assert not found or names_time(text, extract(text, reference=TODAY))


@pytest.mark.parametrize(
    "text", ["When did she move?", "since when", "On which day was it?", "什么时候搬的？", "哪天开始？"]
)
def test_a_question_for_a_date(text: str) -> None:
    assert asks_when(text)


@pytest.mark.parametrize("text", ["What did she do when she arrived?", "Which dog is it?", "她来的时候带了什么？", ""])
def test_no_question_for_a_date(text: str) -> None:
    assert not asks_when(text)


def said(number: int, text: str, day: date) -> IndexRow:
    moment = datetime(day.year, day.month, day.day, 12, tzinfo=UTC)
    return row(number, text, timestamp=moment, anchors=extract(text, reference=moment))


SWIM = said(1, "I swim every morning", date(2024, 3, 5))
FERRY = said(2, "The ferry was late last Friday", date(2024, 4, 1))  # 29 March
CAKE = said(3, "I baked a cake", date(2024, 4, 3))
TRIP = said(4, "We fly to Rome on 3 March 2025", date(2024, 3, 8))
BOAT = said(5, "I bought a boat", date(2024, 7, 1))
ROWS = (SWIM, FERRY, CAKE, TRIP, BOAT)


def part(text: str, rows: Sequence[IndexRow] = ROWS, config: AIMConfig | None = None) -> Scores | None:
    index = FlatIndex(DIMENSION)
    index.upsert(rows)
    question = Ask(text=text, now=TODAY, anchors=extract(text, reference=TODAY))
    return when(question, index, np.ones(len(rows), np.bool_), config or AIMConfig(time_weight=1.0)).get("when")


def test_what_happened_then_counts_before_what_was_said_then_and_that_before_the_rest() -> None:
    found = part("What happened in March 2024?")
    assert found is not None
    swim, ferry, cake, trip, boat = (found / found.max()).tolist()
    assert ferry == 1.0  # told in April, of March
    assert swim == pytest.approx(SAID)
    assert SAID * 0.5 < cake < SAID  # two days after the end of March
    assert trip == pytest.approx(ELSEWHERE)  # told in March, of another year
    assert boat == 0.0


def test_a_month_without_a_year_means_each_of_them() -> None:
    found = part("What is there in March?")
    assert found is not None
    assert found[[1, 3]].tolist() == [found.max()] * 2


def test_a_wide_date_counts_less_than_a_narrow_one() -> None:
    rows = (
        said(1, "I was in Rome in 2023", date(2024, 1, 5)),
        said(2, "I was ill in June 2023", date(2024, 1, 6)),
        BOAT,
    )
    found = part("Where was she in June 2023?", rows)
    assert found is not None
    assert found[1] > found[0] > found[2] == 0.0


def test_a_date_is_asked_for() -> None:
    found = part("When did she go?")
    assert found is not None
    assert found.tolist() == pytest.approx([0, DATED * 3 / 5, 0, DATED * 3 / 5, 0])


def test_each_of_several_sentences_says_less() -> None:
    one, two = part("When did she go?"), part("Tell me about Rome. When did she go?")
    assert one is not None
    assert two is not None
    assert two.tolist() == pytest.approx((one / 2).tolist())


def test_the_rarer_the_time_the_more_it_counts() -> None:
    few, many = part("What happened in July 2024?"), part("What happened in 2024?")
    assert few is not None
    assert many is not None
    assert few[4] > many[4] > 0


@pytest.mark.parametrize(
    "text", ["What is Tom's cat called?", "What happened in May 2019?", "What did she do before the move?", "几岁了？"]
)
def test_no_time_or_none_that_fits_adds_nothing(text: str) -> None:
    found = part(text)
    assert found is None or not found.any()


def test_a_time_that_fits_all_alike_adds_nothing() -> None:
    found = part("What did she say in 2024?", (SWIM, CAKE, BOAT))
    assert found is None or not found.any()


def test_it_can_be_switched_off_and_needs_memories() -> None:
    assert part("What happened in March 2024?", config=AIMConfig(time_weight=0.0)) is None
    assert part("What happened in March 2024?", rows=()) is None


def test_what_may_not_be_found_neither_counts_nor_is_counted() -> None:
    index = FlatIndex(DIMENSION)
    index.upsert(ROWS)
    question = Ask(text="When did she go?", now=TODAY)
    among = np.array([True, True, False, False, False])
    found = when(question, index, among, AIMConfig(time_weight=1.0))["when"]
    assert found.tolist() == pytest.approx([0, DATED / 2, 0, 0, 0])
