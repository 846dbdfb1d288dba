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


COSTS = [
    "The knitting course cost forty crowns.",
    "The new kettle cost twelve crowns.",
    "What the tyres cost made me dizzy.",
    "It cost nothing to visit the tower.",
    "My haircut cost more than it did last year.",
    "For the marathon in May, the entry and the train together cost ninety crowns.",
]


def follow_up(memory: AIMMemory, session_id: str | None = "s") -> int:
    """The marathon's rank when its cost is asked for in the second question."""
    memory.query("Tell me about the marathon entry", namespace="n", session_id=session_id)
    return texts(memory.query("And what did it cost?", namespace="n", session_id=session_id)).index(COSTS[-1])


def test_inertia_carries_a_follow_up_to_what_was_talked_about(open_memory: Open) -> None:
    moving, still = open_memory(COSTS), open_memory(COSTS, inertia_strength=0.0, lexical_inertia=0.0)
    assert follow_up(moving) == 0 < follow_up(still)


def test_without_a_session_there_is_no_inertia(open_memory: Open) -> None:
    memory = open_memory(COSTS)
    assert follow_up(memory, session_id=None) > follow_up(memory)


JOBS = [
    {"text": "I work at Northlight Studio.", "speaker": "Ada", "role": "user", "timestamp": "2026-01-01T00:00:00Z"},
    {
        "text": "New job: I work at Harrow Tea now.",
        "speaker": "Ada",
        "role": "user",
        "timestamp": "2026-05-01T00:00:00Z",
    },
]


def test_a_later_fact_supersedes_the_earlier_one_and_hides_nothing(open_memory: Open) -> None:
    with_it, without = open_memory(JOBS), open_memory(JOBS, supersession=False)
    asked = "Where does Ada work?"
    first, second = with_it.query(asked, namespace="n").results[:2]
    assert ("Harrow" in first.text, first.current) == (True, True)
    assert ("Northlight" in second.text, second.current) == (True, False)
    assert second.superseded_by == first.id
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
    "We spent the whole afternoon of 3 March on the plan for the new harbour office on Pier 9, which opens on 1 June. "
    "The rent is 4,200 euros a month for 310 square metres, and Marta signed for 5 years. "
    "The kitchen moves to the north side because of the noise. Marta wants round tables and I do not. "
    "The desks must not wobble, says the works council. "
    "Afterwards we had noodles at Luna and talked about the summer party on 12 July with 40 guests."
)


def test_evidence_is_refilled_when_exactness_is_asked(open_memory: Open) -> None:
    asked = "What exactly did the works council say?"
    refilled = open_memory([LONG]).query(asked, namespace="n", max_tokens=200)
    summarised = open_memory([LONG], refill=False).query(asked, namespace="n", max_tokens=200)
    assert "must not wobble" in refilled.context
    assert "must not wobble" not in summarised.context
    assert refilled.tokens.context <= 200


def test_the_write_gate_keeps_empty_words_out_only_when_asked_to(open_memory: Open) -> None:
    product, gated = open_memory([]), open_memory([], write_threshold=0.3)
    assert product.write("Ok!", namespace="n").results[0].status == "created"
    assert gated.write("Ok!", namespace="n").results[0].status == "rejected"


TALK = [
    ("Tom", "Which doctor did the dog see, by the way?"),
    ("Maya", "Fenwick, the tall one."),
    ("Tom", "And is the dog better since the doctor saw it?"),
    ("Maya", "The dog limps less, the doctor is happy."),
    ("Tom", "How is the boat you are painting?"),
    ("Maya", "The boat is half painted, the paint is blue."),
    ("Tom", "Blue paint on the boat, nice."),
    ("Maya", "The boat needs a second coat of paint."),
    ("Tom", "Did the choir sing on Sunday?"),
    ("Maya", "The choir sang four songs on Sunday."),
    ("Tom", "Songs I know from the choir?"),
    ("Maya", "Two songs, the choir has sung them before."),
]


def test_what_a_question_may_not_find_is_not_quoted_beside_what_it_finds(open_memory: Open) -> None:
    asked = {"text": "Where do I keep the spare key?", "session_id": "s", "metadata": {"room": "general"}}
    told = {"text": "Under the blue flowerpot.", "session_id": "s", "metadata": {"room": "private"}}
    memory = open_memory([asked, {**told, "expires_at": "2100-01-01T00:00:00Z"}])

    def context(**narrowed: Any) -> str:
        return memory.query("Where exactly is the spare key?", namespace="n", **narrowed).context

    assert "flowerpot" in context()
    assert "flowerpot" not in context(filters={"metadata.room": {"ne": "private"}})
    assert "flowerpot" not in context(reference_date="2101-01-01T00:00:00Z")


def test_neighbours_bring_the_reply_to_a_question(open_memory: Open) -> None:
    turns = [{"text": text, "speaker": speaker, "role": "user", "session_id": "t"} for speaker, text in TALK]

    def rank(memory: AIMMemory) -> int:
        return texts(memory.query("Which doctor did the dog see?", namespace="n", top_k=50)).index(TALK[1][1])

    assert rank(open_memory(turns)) < rank(open_memory(turns, neighbour_weight=0.0))
