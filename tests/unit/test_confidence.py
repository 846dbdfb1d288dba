"""What confidence looks at, on small conversations and without a model."""

from __future__ import annotations

from datetime import timedelta

import numpy as np
import pytest

from aim_memory.anchors import extract
from aim_memory.config import AIMConfig
from aim_memory.errors import EmbedderError
from aim_memory.routing import Ask
from aim_memory.routing.confidence import ENOUGH, Signs, confidence, signs
from aim_memory.routing.plan import plan
from aim_memory.storage.index import FlatIndex
from aim_memory.types import IndexRow, SessionState, Vectors
from tests.rows import DIMENSION, START, embed, row

NOW = START + timedelta(days=30)
FERRY = row(1, "The ferry to the island leaves at noon", speaker="Ada")
MIRA = row(2, "My sister Mira Lund plays the cello", speaker="Ada")
FILLER = [row(number, f"Note {number} about paint", speaker="Bob") for number in range(3, 3 + ENOUGH)]


def built(*rows: IndexRow) -> FlatIndex:
    index = FlatIndex(DIMENSION)
    index.upsert(rows)
    return index


def seen(texts: list[str]) -> tuple[Vectors, None]:
    return embed(texts), None


def unseen(texts: list[str]) -> tuple[Vectors, None]:
    raise EmbedderError("The model is away.")


def asked(text: str, recent: tuple[str, ...] = ()) -> Ask:
    session = SessionState(turns=len(recent), recent=recent) if recent else None
    return Ask(text=text, now=NOW, anchors=extract(text, reference=NOW), session=session)


def looked(ask: Ask, index: FlatIndex, best: int = 0) -> Signs:
    return signs(ask, plan([ask], index, seen, AIMConfig())[0], np.array([best]), index)


def test_a_hit_that_says_it_all_covers_the_question() -> None:
    index = built(FERRY, MIRA)
    assert looked(asked("When does the ferry leave?"), index).covered == pytest.approx(1.0)
    assert looked(asked("When does the ferry leave?"), index, best=1).covered == 0.0


def test_a_name_that_nobody_bears_is_a_stranger() -> None:
    index = built(FERRY, MIRA, *FILLER)
    count = len(index) / (len(index) + ENOUGH)
    assert looked(asked("What does Tobias play?"), index).strangers == pytest.approx(count)
    assert looked(asked("What do Mira and Tobias play?"), index).strangers == pytest.approx(count / 2)
    assert looked(asked("What did Ada say of Lund?"), index).strangers == 0.0, "a speaker, and part of a name"


def test_a_few_memories_cannot_have_said_much() -> None:
    few, many = built(FERRY), built(FERRY, MIRA, *FILLER)
    question = asked("Which violin teacher recommended Schubert?")
    assert looked(question, few).unheard < 0.05 < 0.4 < looked(question, many).unheard


def test_a_follow_up_is_heard_with_the_turns_before_it() -> None:
    index = built(FERRY, MIRA, *FILLER)
    alone = looked(asked("And when?"), index)
    after = looked(asked("And when?", ("Does the ferry leave the island?",)), index)
    astray = looked(asked("And when?", ("Which violin teacher recommended Schubert?",)), index)
    assert alone.covered < after.covered
    assert after.unheard < astray.unheard


def test_confidence_is_a_share_with_and_without_an_embedder() -> None:
    index = built(FERRY, MIRA, *FILLER)
    for embedding in (seen, unseen):
        there, absent = asked("When does the ferry to the island leave?"), asked("Which teacher did Tobias hire?")
        high = confidence(there, plan([there], index, embedding, AIMConfig())[0], [0, 1], index)
        low = confidence(absent, plan([absent], index, embedding, AIMConfig())[0], [0, 1], index)
        assert 0 < low < 0.35 < 0.5 < high < 1
    assert confidence(there, plan([there], index, seen, AIMConfig())[0], [], index) == 0.0
