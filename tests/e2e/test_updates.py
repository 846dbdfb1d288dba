"""A fact that changed, asked about through the public door: now, before, and as of a day."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from aim_memory import AIMMemory
from aim_memory.settings import Settings

TOLD = (
    ("ada", "2026-01-05", "I work at Northlight Studio as an editor."),
    ("ada", "2026-01-06", "My sister paints birds on weekends."),
    ("ada", "2026-05-04", "New job: I work at Harrow Tea now."),
    ("ada", "2026-05-05", "The tram was late again this morning."),
    ("ada", "2026-02-01", "For the tidal energy folder I have collected 38 papers so far."),
    ("ada", "2026-06-01", "The tidal energy folder keeps growing, I have 57 papers there by now."),
    ("lin", "2026-01-05", "我在星河科技上班。"),
    ("lin", "2026-01-06", "今天下了一整天的雨。"),
    ("lin", "2026-05-04", "换工作了,现在在云帆软件上班。"),
    ("lin", "2026-05-05", "妈妈寄来一箱橘子。"),
    ("lin", "2026-02-01", "店里的拿铁卖26元,写进菜单里。"),
    ("lin", "2026-06-01", "牛奶涨价,店里的拿铁改卖29元。"),
)


@pytest.fixture(scope="module")
def memory(tmp_path_factory: pytest.TempPathFactory) -> Iterator[AIMMemory]:
    home = tmp_path_factory.mktemp("updates")
    with AIMMemory(home, settings=Settings(embedder={"kind": "hashing"})) as opened:
        for person in ("ada", "lin"):
            told = [_turn(person, day, text) for who, day, text in TOLD if who == person]
            opened.write(namespace=person, memories=told)
        yield opened


def _turn(person: str, day: str, text: str) -> dict[str, str]:
    return {"text": text, "speaker": person, "role": "user", "timestamp": f"{day}T09:00:00Z"}


@pytest.mark.parametrize(
    ("person", "question", "first", "second"),
    [
        ("ada", "Where do I work now?", "Harrow Tea", "Northlight"),
        ("ada", "Where did I work before?", "Northlight", "Harrow Tea"),
        ("ada", "How many papers are in the tidal energy folder?", "57 papers", "38 papers"),
        ("ada", "How many papers were in the tidal energy folder at first?", "38 papers", "57 papers"),
        ("lin", "我现在在哪里上班?", "云帆软件", "星河科技"),
        ("lin", "我以前在哪里上班?", "星河科技", "云帆软件"),
        ("lin", "店里的拿铁卖多少钱?", "29元", "26元"),
        ("lin", "店里的拿铁原来卖多少钱?", "26元", "29元"),
    ],
)
def test_the_version_asked_for_is_before_the_other(
    memory: AIMMemory, person: str, question: str, first: str, second: str
) -> None:
    found = [hit.text for hit in memory.query(question, namespace=person).results]
    assert first in found[0]
    assert second in found[1]


@pytest.mark.parametrize(
    ("person", "question", "old", "new"),
    [("ada", "Where do I work?", "Northlight", "Harrow Tea"), ("lin", "我在哪里上班?", "星河科技", "云帆软件")],
)
def test_the_old_fact_is_marked_and_shown_and_returns_as_of_its_time(
    memory: AIMMemory, person: str, question: str, old: str, new: str
) -> None:
    current, former = memory.query(question, namespace=person).results[:2]
    assert new in current.text
    assert old in former.text
    assert current.current
    assert (former.current, former.superseded_by) == (False, current.id)
    then = memory.query(question, namespace=person, as_of="2026-03-01T00:00:00Z").results
    assert old in then[0].text
    assert then[0].current
    assert not any(new in hit.text for hit in then)
