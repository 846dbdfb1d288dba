"""Each mechanism, through the public door, on and off: what it brings is there with it and gone without it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from aim_memory import AIMConfig, AIMMemory
from aim_memory.bodies import QueryReply
from aim_memory.settings import Settings

Open = Callable[..., AIMMemory]

SMALL_TALK = [
    "The sourdough needs a whole night in the fridge.",
    "My sister paints birds on weekends.",
    "The tram was late again this morning.",
    "Our landlord fixed the heating.",
    "The museum shows old maps.",
    "I lost my umbrella in the library.",
    "The garden needs new soil.",
    "Lena cooked a lentil soup.",
    "We watched a film about whales.",
    "The printer is out of ink.",
    "My neighbour plays the trumpet.",
    "The ferry leaves from pier nine.",
]


@pytest.fixture
def open_memory(tmp_path: Path) -> Iterator[Open]:
    """Opens a memory that holds small talk and the texts given, with some mechanism's number changed."""
    with ExitStack() as stack:

        def opened(memories: Sequence[str | dict[str, Any]], **changes: Any) -> AIMMemory:
            settings = Settings(embedder={"kind": "hashing"})
            home = tmp_path / str(len(list(tmp_path.iterdir())))
            memory = stack.enter_context(AIMMemory(home, settings=settings, config=AIMConfig(**changes)))
            rows = [row if isinstance(row, dict) else {"text": row} for row in (*SMALL_TALK, *memories)]
            memory.write(namespace="n", memories=rows)
            return memory

        yield opened


def texts(reply: QueryReply) -> list[str]:
    return [hit.text for hit in reply.results]


COSTS = ["The knitting course cost forty crowns.", "The marathon entry was ninety crowns, paid in May."]


def follow_up(memory: AIMMemory) -> QueryReply:
    memory.query("Tell me about the marathon entry", namespace="n", session_id="s")
    return memory.query("And what did it cost?", namespace="n", session_id="s")


def test_inertia_carries_a_follow_up_to_what_was_talked_about(open_memory: Open) -> None:
    moving, still = open_memory(COSTS), open_memory(COSTS, inertia_strength=0.0, lexical_inertia=0.0)
    assert "marathon" in texts(follow_up(moving))[0]
    assert "marathon" not in texts(follow_up(still))[0]


def test_without_a_session_there_is_no_inertia(open_memory: Open) -> None:
    memory = open_memory(COSTS)
    memory.query("Tell me about the marathon entry", namespace="n")
    assert "marathon" not in texts(memory.query("And what did it cost?", namespace="n"))[0]


JOBS = [
    {"text": "I work at Northlight Studio.", "speaker": "Ada", "role": "user", "timestamp": "2026-01-01T00:00:00Z"},
    {"text": "New job: I work at Harrow Tea now.", "speaker": "Ada", "role": "user", "timestamp": "2026-05-01T00:00:00Z"},
]


def test_a_later_fact_supersedes_the_earlier_one_and_hides_nothing(open_memory: Open) -> None:
    with_it, without = open_memory(JOBS), open_memory(JOBS, supersession=False)
    asked = "Where does Ada work?"
    first, second = with_it.query(asked, namespace="n").results[:2]
    assert "Harrow" in first.text and first.current
    assert "Northlight" in second.text and not second.current and second.superseded_by == first.id
    assert all(hit.current for hit in without.query(asked, namespace="n").results)


def test_valid_time_replays_what_was_true_then(open_memory: Open) -> None:
    memory = open_memory(JOBS)
    then = memory.query("Where does Ada work?", namespace="n", as_of="2026-02-01T00:00:00Z")
    assert not any("Harrow" in text for text in texts(then))
    assert any("Northlight" in text for text in texts(then))


TWINS = ["The blue folder is on the upper shelf.", "The blue folder is on the lower shelf."]


def test_decay_orders_near_ties_by_age_and_says_so(open_memory: Open) -> None:
    def asked(memory: AIMMemory) -> QueryReply:
        return memory.query("Where is the blue folder?", namespace="n", explain=True)

    fading = asked(open_memory(TWINS, decay_scope="all", weight_decay_gamma=0.8, decay_strength=0.5, decay_floor=0.1))
    level = asked(open_memory(TWINS, decay_scope="all", decay_strength=0.0))
    assert texts(fading)[:2] == TWINS[::-1]
    assert texts(level)[:2] == TWINS
    assert [hidden.rank - hidden.rank_without_decay for hidden in fading.suppressed or ()] != []
    assert not level.suppressed


MODELS = [
    "The 128K-token model answers mails.",
    "The 200K-token model writes code.",
    "The ten million token model reads books.",
]


def test_anchors_decide_between_look_alikes(open_memory: Open) -> None:
    asked = "What does the 10M-token model do?"
    anchored, blind = open_memory(MODELS), open_memory(MODELS, anchor_boost=0.0)
    assert texts(anchored.query(asked, namespace="n"))[0] == MODELS[2]
    assert texts(blind.query(asked, namespace="n"))[0] != MODELS[2]


def test_strict_mode_vetoes_what_contradicts_the_anchors(open_memory: Open) -> None:
    memory = open_memory(MODELS)
    asked = "What does the 10M-token model do?"
    assert set(MODELS[:2]) <= set(texts(memory.query(asked, namespace="n", mode="fast")))
    assert not set(MODELS[:2]) & set(texts(memory.query(asked, namespace="n", mode="strict")))


LONG = (
    "We spent the whole afternoon on the plan for the new harbour office and nobody was happy with the first draft. "
    "The lighting has to be warm. The kitchen moves to the north side because of the noise. "
    "Marta wants round tables and I do not. The desks must be exactly 72 centimetres high, says the works council. "
    "Afterwards we had noodles and talked about the summer party and who would bring the grill."
)


def test_evidence_is_refilled_when_exactness_is_asked(open_memory: Open) -> None:
    asked = "Exactly how high must the desks be?"
    refilled = open_memory([LONG]).query(asked, namespace="n", max_tokens=200)
    summarised = open_memory([LONG], refill=False).query(asked, namespace="n", max_tokens=200)
    assert "72 centimetres" in refilled.context
    assert "72 centimetres" not in summarised.context
    assert refilled.tokens.context <= 200


def test_the_write_gate_keeps_empty_words_out_only_when_asked_to(open_memory: Open) -> None:
    product, gated = open_memory([]), open_memory([], write_threshold=0.3)
    assert product.write("Ok!", namespace="n").results[0].status == "created"
    assert gated.write("Ok!", namespace="n").results[0].status == "rejected"


TURNS = [
    {"text": "Which doctor did the dog see, by the way?", "session_id": "t", "speaker": "Tom", "role": "user"},
    {"text": "Fenwick, the tall one.", "session_id": "t", "speaker": "Maya", "role": "user"},
]


def test_neighbours_bring_the_reply_to_a_question(open_memory: Open) -> None:
    asked = "Which doctor did the dog see?"
    beside = texts(open_memory(TURNS).query(asked, namespace="n"))
    alone = texts(open_memory(TURNS, neighbour_weight=0.0).query(asked, namespace="n"))
    assert beside.index(TURNS[1]["text"]) < alone.index(TURNS[1]["text"])
