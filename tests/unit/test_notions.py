"""Notions: meeting without a shared word."""

import pytest

from aim_memory.text import NOTION, index_terms, meanings, notions, question_terms


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("How much is my rent?", "The landlord sent a letter."),
        ("Which painkiller does he take?", "He gets 50 mg of carprofen once a day."),
        ("我的房租是多少？", "My landlord raised it again."),
        ("Where does she work?", "她在出版社上班。"),
        ("Who looks after the cat?", "周琪帮我喂猫。"),
        ("What did it cost?", "The whole thing came to 212."),
    ],
)
def test_different_words_for_one_thing_meet(one: str, other: str) -> None:
    assert notions(one) & notions(other)


def test_unrelated_texts_do_not_meet() -> None:
    assert not notions("The landlord raised the rent.") & notions("Fourteen jars of plum jam!")
    assert notions("") == frozenset()


def test_longer_chinese_words_win() -> None:
    assert "~train" in notions("动车晚点了")
    assert "~car" not in notions("动车晚点了")


def test_names_of_notions_are_no_terms() -> None:
    terms = index_terms("My landlord called. Why?")
    assert {term for term in terms if term.startswith(NOTION)} == notions("My landlord called. Why?")
    assert terms["landlord"] == 1


def test_a_questions_notions_weigh_less_than_its_words() -> None:
    weighted = question_terms("rent", 0.6)
    assert weighted["rent"] == 1.0
    assert {weight for term, weight in weighted.items() if term.startswith(NOTION)} == {0.6}
    assert question_terms("rent", 0.0) == {"rent": 1.0}


def test_meanings_keep_words_that_have_no_notion() -> None:
    found = meanings("Plover rent 房租")
    assert found["plover"] == frozenset()
    assert "~rent" in found["rent"] & found["房租"]
