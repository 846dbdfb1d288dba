"""Retrieval as a whole, on small conversations and without a model."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

import pytest

from aim_memory import filters
from aim_memory.anchors import extract
from aim_memory.config import AIMConfig
from aim_memory.errors import EmbedderError
from aim_memory.routing import Ask, Ranking, retrieve
from aim_memory.routing.closer import FEW
from aim_memory.storage.index import FlatIndex
from aim_memory.types import IndexRow, SessionState, Vectors
from tests.rows import DIMENSION, START, embed, row

NOW = START + timedelta(days=30)


def seen(texts: Sequence[str]) -> tuple[Vectors, None]:
    return embed(texts), None


def built(*rows: IndexRow) -> FlatIndex:
    index = FlatIndex(DIMENSION)
    index.upsert(rows)
    return index


def ask(index: FlatIndex, text: str, config: AIMConfig | None = None, **fields: Any) -> Ranking:
    question = Ask(text=text, now=NOW, anchors=extract(text, reference=NOW), **{"explain": True, **fields})
    return retrieve(question, index, seen, config or AIMConfig())


def ids(ranking: Ranking) -> list[str]:
    return [hit.id for hit in ranking.hits]


FERRY = row(1, "The ferry to the island leaves at noon", speaker="Ada")
CAT = row(2, "My cat Biscuit sleeps all day", speaker="Bob")
FARE = row(3, "A ticket for the ferry costs 12 euros", speaker="Ada")
PAINT = row(4, "We painted the kitchen yellow", speaker="Bob")


def test_the_best_memory_comes_first_and_parts_sum_to_the_score() -> None:
    ranking = ask(built(FERRY, CAT, FARE, PAINT), "When does the ferry leave?")
    assert ids(ranking)[0] == "m1"
    for hit in ranking.hits:
        assert sum(hit.parts.values()) == pytest.approx(hit.score, abs=1e-5)
    assert [hit.score for hit in ranking.hits] == sorted((hit.score for hit in ranking.hits), reverse=True)
    assert (ranking.scanned, ranking.stored) == (4, 4)


LONG = [row(n, f"Ferry number {n} to the island was late again", speaker="Ada") for n in range(10, 60)]
TWO = "Which number had the ferry to the island that was late again? Also, which pet sleeps?"


def test_each_of_two_questions_is_heard_by_itself() -> None:
    index = built(*LONG, CAT, PAINT)
    apart, alone, whole = (
        ask(index, TWO),
        ask(index, "Also, which pet sleeps?"),
        ask(index, TWO, AIMConfig(each_question=False)),
    )
    found, by_itself, before = (next(hit.score for hit in one.hits if hit.id == "m2") for one in (apart, alone, whole))
    assert found == pytest.approx(by_itself)
    assert found > before + 0.5
    assert ids(apart)[1] in ids(whole)[:3]  # the other question's best is still there


def test_an_excerpt_holds_what_each_of_two_questions_finds() -> None:
    index = FlatIndex(DIMENSION, whole=10)
    index.upsert([*LONG, *[row(n, f"Nothing of note on day {n}", session="s2") for n in range(100, 700)], CAT])
    ranking = ask(index, TWO)
    assert ranking.scanned < ranking.stored
    assert ids(ranking)[0] == "m2"
    assert set(ids(ranking)[1:]) <= {one.id for one in LONG}


def test_parts_of_the_score_sum_for_each_of_two_questions() -> None:
    ranking = ask(built(*LONG, CAT, PAINT), TWO, top_k=60)
    assert ranking.explanation is not None
    assert ranking.explanation["questions"] == [TWO, TWO[: TWO.index("Also") - 1], "Also, which pet sleeps?"]
    for hit in ranking.hits:
        assert sum(hit.parts.values()) == pytest.approx(hit.score, abs=1e-5)


def test_a_memory_is_held_against_the_anchors_of_the_question_it_answers() -> None:
    index = built(row(1, "The dentist took 80 euros in May 2024"), row(2, "The vet took 120 euros in June 2024"))
    text = "What did the dentist take in May 2024? And the vet in June 2024?"
    ranking = ask(index, text, mode="strict")
    assert {hit.id: hit.matched for hit in ranking.hits} == {"m1": ("May 2024",), "m2": ("June 2024",)}
    assert not ranking.vetoed
    assert all(hit.missing for hit in ask(index, text, AIMConfig(each_question=False), mode="strict").hits)


def test_strict_mode_prefers_no_question_that_names_nothing() -> None:
    index = built(row(1, "The dentist took 80 euros"), CAT, FERRY)
    ranking = ask(index, "Which pet sleeps all day? What did the dentist take in May 2024?", mode="strict")
    lacking = {hit.id: hit.parts["anchors"] for hit in ranking.hits}
    assert set(lacking) >= {"m1", "m2"}
    assert len({round(lack, 6) for lack in lacking.values()}) == 1


def test_of_many_questions_the_last_part_holds_the_rest() -> None:
    text = " ".join(f"Where is the ferry number {n}?" for n in range(1, 8))
    ranking = ask(built(FERRY, CAT), text)
    assert ranking.explanation is not None
    heard = ranking.explanation["questions"]
    assert isinstance(heard, list)
    assert heard[1:] == [
        *[f"Where is the ferry number {n}?" for n in (1, 2, 3)],
        text[text.index("Where is the ferry number 4") :],
    ]


def test_an_empty_namespace_gives_nothing_and_no_confidence() -> None:
    ranking = ask(built(), "Anything?", session=SessionState())
    assert ids(ranking) == []
    assert ranking.confidence == 0
    assert ranking.session is not None
    assert ranking.session.turns == 1


def test_words_find_when_the_embedder_fails() -> None:
    def broken(texts: Sequence[str]) -> tuple[Vectors, None]:
        raise EmbedderError

    question = Ask(text="When does the ferry leave?", now=NOW, session=SessionState())
    ranking = retrieve(question, built(FERRY, CAT, PAINT), broken, AIMConfig())
    assert ids(ranking)[0] == "m1"
    assert ranking.session is not None
    assert ranking.session.direction is None


def test_what_expired_is_never_found() -> None:
    gone = row(5, "The ferry to the island is cancelled", expires_at=NOW)
    assert "m5" not in ids(ask(built(FERRY, gone), "ferry to the island"))


def test_filters_narrow_before_the_best_are_taken() -> None:
    rows = [row(n, "The ferry leaves at noon", speaker="Ada") for n in range(1, 90)]
    index = built(*rows, row(90, "A ferry, once", speaker="Bob"))
    ranking = ask(index, "ferry", top_k=5, keep=filters.parse({"speaker": "Bob"}))
    assert ids(ranking) == ["m90"]
    assert ranking.scanned == 1


def test_top_k_and_threshold_bound_the_hits() -> None:
    index = built(FERRY, CAT, FARE, PAINT)
    assert len(ask(index, "ferry", top_k=2).hits) == 2
    best = ask(index, "ferry").hits[0].score
    assert len(ask(index, "ferry", threshold=best).hits) == 1
    assert ids(ask(index, "ferry", threshold=best + 1)) == []


def moved(superseded: str | None, until: datetime | None) -> IndexRow:
    return row(1, "I live in Lisbon near the river", superseded_by=superseded, valid_until=until)


NEW_HOME = row(50, "I live in Porto now")
FILLERS = [row(n, f"Day {n}: painted, cooked and slept") for n in range(2, 40)]
HOMES = (moved("m50", NEW_HOME.timestamp), *FILLERS, NEW_HOME)


def test_what_is_current_goes_right_before_what_it_superseded() -> None:
    ranking = ask(built(*HOMES), "Who lives in Lisbon near the river?")
    assert ids(ranking)[:2] == ["m50", "m1"]
    old = ranking.hits[1]
    assert (old.current, old.superseded_by) == (False, "m50")
    assert ranking.conflicts


def test_supersession_can_be_switched_off_and_does_not_touch_questions_about_the_past() -> None:
    off = AIMConfig(supersession=False)
    assert ids(ask(built(*HOMES), "Who lives in Lisbon near the river?", off))[0] == "m1"
    assert ids(ask(built(*HOMES), "Who lived in Lisbon near the river in the past?"))[0] == "m1"


def test_as_of_shows_what_was_true_then() -> None:
    then = ask(built(*HOMES), "Who lives in Lisbon near the river?", as_of=START + timedelta(minutes=20))
    assert ids(then)[0] == "m1"
    assert "m50" not in ids(then)
    assert then.hits[0].current


def test_known_at_shows_what_had_been_told() -> None:
    late = row(5, "The ferry sank", created_at=NOW)
    ranking = ask(built(FERRY, late), "ferry", known_at=NOW - timedelta(days=1))
    assert ids(ranking) == ["m1"]


def test_a_named_speaker_is_preferred() -> None:
    rows = [row(n, "I adopted a cat", speaker=name) for n, name in enumerate(("Ada", "Bob", "Ada"), start=1)]
    config = AIMConfig(question_penalty=0)
    assert ids(ask(built(*rows), "Which cat did Bob adopt?", config))[0] == "m2"


def test_a_bare_question_ranks_behind_a_statement() -> None:
    index = built(row(1, "The ferry leaves at noon."), row(2, "When does the ferry leave at noon?"), CAT, PAINT)
    assert ids(ask(index, "ferry leaves noon"))[0] == "m1"


CARS = (
    row(11, "The blue car does 220 km per hour", session=None),
    row(12, "The red car does 160 km per hour", session=None),
    row(13, "The car is parked outside", session=None),
)


def test_what_surrounds_a_match_counts_less_among_a_few_memories() -> None:
    """All words of the question are held, so the part shows its weight alone: n / (n + FEW)."""
    few, many = (ask(built(FERRY, *FILLERS[:n]), "ferry island").hits[0].parts["covered"] for n in (2, 38))
    assert few / many == pytest.approx((3 / (3 + FEW)) / (39 / (39 + FEW)))


def test_an_anchor_decides_between_likes() -> None:
    ranking = ask(built(*CARS, CAT, PAINT), "Which car does 220 km per hour?")
    assert ids(ranking)[0] == "m11"
    assert ranking.hits[0].matched
    assert ranking.hits[0].parts["anchors"] > 0
    assert (
        "anchors" not in ask(built(*CARS), "Which car does 220 km per hour?", AIMConfig(anchor_boost=0)).hits[0].parts
    )


def test_a_rare_anchor_brings_its_holder_in_whatever_the_cosine_says() -> None:
    crowd = [row(n, "my booking my booking my booking code") for n in range(2, 120)]
    holder = row(1, "QX-4417 " + "and then we talked about many other things " * 20)
    assert "m1" in ids(ask(built(holder, *crowd), "my booking code QX-4417", AIMConfig(anchor_boost=50)))


def test_a_common_anchor_brings_in_only_its_fresh_holders() -> None:
    crowd = [row(n, "my booking my booking my booking code") for n in range(1, 120)]
    holders = [row(n, "KL-1000 " + "and then we talked about many other things " * 20) for n in range(200, 280)]
    config = AIMConfig(anchor_boost=50, hot_window_size=5)
    found = ids(ask(built(*crowd, *holders), "my booking code KL-1000", config, top_k=100))
    assert {hit for hit in found if int(hit[1:]) >= 200} >= {f"m{n}" for n in range(275, 280)}


def test_strict_mode_vetoes_what_contradicts_and_keeps_what_is_silent() -> None:
    index = built(
        row(1, "Our model has 128K tokens of context"),
        row(2, "Our other model has 10M tokens of context"),
        row(3, "The model is documented well"),
    )
    question = "What do you know of the 10M-token model?"
    strict = ask(index, question, mode="strict")
    assert ids(strict)[0] == "m2"
    assert strict.vetoed == ("m1",)
    assert "m3" in ids(strict)
    assert {"m1", "m2", "m3"} == set(ids(ask(index, question)))


def aged(strength: float) -> Ranking:
    config = AIMConfig(
        decay_strength=strength, decay_scope="all", weight_decay_gamma=0.5, decay_floor=0.0, neighbour_weight=0
    )
    twins = [row(n, "The ferry leaves at noon", session=None) for n in (1, 2)]
    return ask(built(*twins, *[row(n, "Other things", session=None) for n in range(3, 9)]), "ferry noon", config)


def test_decay_reorders_near_ties_and_says_so() -> None:
    ranking = aged(0.1)
    assert ids(ranking)[:2] == ["m2", "m1"]
    assert ranking.hits[1].weight == pytest.approx(0.5**7)
    assert ranking.hits[1].parts["decay"] == pytest.approx(-0.1 * (1 - 0.5**7))
    assert "decay" not in aged(0.0).hits[0].parts


def test_decay_reports_whom_it_displaced() -> None:
    config = AIMConfig(decay_strength=20.0, decay_scope="all", weight_decay_gamma=0.5, decay_floor=0.0)
    index = built(FERRY, *[row(n, "The ferry was late") for n in range(10, 13)])
    displaced = ask(index, "When does the ferry to the island leave?", config).suppressed
    assert [(one.id, one.rank_without_decay) for one in displaced][:1] == [("m1", 1)]
    assert displaced[0].rank > 1


TRIP = (
    row(1, "The hotel in Lisbon costs 90 euros", session=None),
    row(2, "The hotel in Berlin costs 120 euros", session=None),
    row(3, "The museum in Lisbon opens at nine", session=None),
    row(4, "The museum in Berlin opens at ten", session=None),
)


def follow_up(config: AIMConfig) -> str:
    index = built(*TRIP, *[row(n, f"Note {n} on cooking and paint", session=None) for n in range(5, 30)])
    session: SessionState | None = SessionState()
    for text in ("Which hotel in Lisbon did I book?", "And when does the museum open?"):
        ranking = ask(index, text, config, session=session)
        session = ranking.session
    return ids(ranking)[0]


def test_a_follow_up_is_heard_in_its_session() -> None:
    assert follow_up(AIMConfig()) == "m3"


def test_without_inertia_the_newer_of_two_equals_wins() -> None:
    assert follow_up(AIMConfig(inertia_strength=0, lexical_inertia=0)) == "m4"


def test_a_new_topic_is_not_dragged_back() -> None:
    index = built(*TRIP, CAT, *[row(n, f"Note {n} on cooking and paint", session=None) for n in range(5, 30)])
    first = ask(index, "Which hotel in Berlin did I book?", session=SessionState())
    assert ids(ask(index, "Who sleeps all day, the cat Biscuit?", session=first.session))[0] == "m2"


def test_no_session_no_state() -> None:
    assert ask(built(FERRY), "ferry").session is None


def test_confidence_tells_something_to_find_from_nothing() -> None:
    index = built(FERRY, CAT, FARE, PAINT)
    there = ask(index, "When does the ferry to the island leave?").confidence
    absent = ask(index, "Which violin teacher recommended Schubert?").confidence
    assert there > 0.5 > absent


def test_an_explanation_says_how_the_question_was_heard() -> None:
    explained = ask(built(FERRY, CAT), "When does Ada's ferry leave?", explain=True).explanation
    assert explained is not None
    assert explained["participants_named"] == ["Ada"]
    assert ask(built(FERRY), "ferry", explain=False).explanation is None
