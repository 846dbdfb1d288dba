"""Text analysis: folding, terms, sentences, questions, names, scripts."""

from __future__ import annotations

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aim_memory.text import (
    about_now,
    about_past,
    analyse,
    cut_names,
    fold,
    index_terms,
    is_question,
    named,
    participants,
    questions,
    refers_back,
    script,
    sentences,
    wanted,
)
from aim_memory.types import ASKS, CHANGES


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("ＡＩＭ　１０", "aim 10"),
        ("Café", "CAFE"),
        ("臺灣後來", "台湾后来"),
        ("Straße", "strasse"),
        ("ﬁve", "FIVE"),
    ],
)
def test_folding_makes_equal_what_differs_only_in_form(one: str, other: str) -> None:
    assert fold(one) == fold(other)


@given(st.text(max_size=40))
def test_folding_twice_changes_nothing_more(text: str) -> None:
    assert fold(fold(text)) == fold(text)


def test_words_are_stemmed_counted_and_stop_words_left_out() -> None:
    assert analyse("She was running; he runs, we don't run.") == {"run": 3}


def test_numbers_lose_grouping_commas_and_keep_the_rest() -> None:
    assert set(analyse("1,650 at 12:30 for 3.5 and 2024")) == {"1650", "12:30", "3.5", "2024"}


def test_chinese_gives_characters_and_bigrams_whatever_its_form() -> None:
    assert analyse("電腦壞了") == {"电": 1, "脑": 1, "坏": 1, "电脑": 1, "脑坏": 1, "坏了": 1}
    assert analyse("电脑坏了") == analyse("電腦壞了")


def test_a_number_inside_chinese_is_its_own_term() -> None:
    assert {"2013", "于乐"} <= set(analyse("2013年于乐状态"))


def test_russian_is_stemmed_by_its_own_rules() -> None:
    assert set(analyse("велосипеды")) == set(analyse("велосипедов"))


def test_index_terms_mark_what_changes() -> None:
    for text in ("The review moved to Friday.", "From now on it costs 5 euros.", "评审改到周五", "現在賣29元"):
        assert CHANGES in index_terms(text)
    assert CHANGES not in index_terms("The review is on Friday.")


@pytest.mark.parametrize(
    ("question", "kind"),
    [
        ("How many members do we have?", "amount"),
        ("How many books have I read so far?", "amount"),
        ("When is the review?", "moment"),
        ("What time does the train leave?", "moment"),
        ("Who does my taxes?", "name"),
        ("What's my address?", "thing"),
        ("How old is my son?", "amount"),
        ("What time should I be there?", "moment"),
        ("How much should the ticket cost?", "amount"),
        ("婚宴摆多少桌？", "amount"),
        ("评审是哪天？", "moment"),
        ("我跟哪位医生看诊？", "name"),
    ],
)
def test_what_a_question_about_the_present_wants(question: str, kind: str) -> None:
    assert about_now(question)
    assert wanted(question) == kind


@pytest.mark.parametrize(
    "question",
    [
        "When did we move?",
        "Where has the band played?",
        "Why is the rent so high?",
        "How has the budget changed?",
        "What should I cook?",
        "Where should we go?",
        "How can I tell them what the ticket costs?",
        "What was our first budget?",
        "What is my old address?",
        "以前的电话是多少？",
        "论文一开始写了多少字？",
        "为什么改到周五？",
    ],
)
def test_what_is_not_about_the_present(question: str) -> None:
    assert not about_now(question)


@pytest.mark.parametrize(
    "question", ["How old is my son?", "Which museum was in the old town?", "How did the two first meet?"]
)
def test_some_old_and_first_things_are_not_the_past(question: str) -> None:
    assert not about_past(question)


def test_index_terms_mark_what_asks() -> None:
    assert ASKS in index_terms("Nice. How was it?")
    assert ASKS not in index_terms("It was nice.")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Dr. Smith met J. K. Rowling. They talked.", ["Dr. Smith met J. K. Rowling.", "They talked."]),
        ("It cost 3.5 dollars! Really? Yes.", ["It cost 3.5 dollars!", "Really?", "Yes."]),
        ("We left at 3 p.m. today. Then rain.", ["We left at 3 p.m. today.", "Then rain."]),
        ("好的。真的吗？是啊！走吧", ["好的。", "真的吗？", "是啊！", "走吧"]),
        ("one\n\n two \n", ["one", "two"]),
        ('He said "stop." Then left.', ['He said "stop."', "Then left."]),
        ("", []),
    ],
)
def test_sentences_end_where_they_end(text: str, expected: list[str]) -> None:
    assert [text[start:end] for start, end in sentences(text)] == expected


@given(st.text(max_size=80))
def test_sentences_cover_everything_but_white_space_in_order(text: str) -> None:
    spans = sentences(text)
    assert all(one[1] <= other[0] for one, other in itertools.pairwise(spans))
    outside = "".join(
        text[a:b] for a, b in zip([0, *[e for _, e in spans]], [*[s for s, _ in spans], len(text)], strict=True)
    )
    assert not outside.strip()


@pytest.mark.parametrize(
    "text", ["How are you", "I went. How about you?", "今天天气怎么样", "你去吗", "Did you go", "好吃么？"]
)
def test_what_asks(text: str) -> None:
    assert is_question(text)


@pytest.mark.parametrize("text", ["I went to Berlin.", "What a great day!", "我去了北京。", "", "她什么都吃。"])
def test_what_does_not_ask(text: str) -> None:
    assert not is_question(text)


@pytest.mark.parametrize(
    "asked",
    [
        ["When does the ferry leave?"],
        ["When does the ferry leave?", "Also, who feeds the cat?"],
        ["妈妈的电话是多少？", "另外，展览的地点是什么？"],
        ["I lost my list. What did I promise Ada?", "And where do we meet? Thanks."],
        ["Sure? What are the drawbacks?"],
        ["What is a good rent here? And mine?"],
        ["Nothing to ask. Really nothing."],
    ],
)
def test_a_text_is_split_into_what_it_asks(asked: list[str]) -> None:
    text = " ".join(asked)
    assert [text[slice(*span)] for span in questions(text)] == asked


@given(st.text(alphabet=" ab?.？。!\n多少", max_size=60))
def test_questions_hold_every_sentence_in_order(text: str) -> None:
    spans = questions(text)
    flat = [place for span in spans for place in span]
    assert flat == sorted(flat)
    assert all(any(a <= start and end <= b for a, b in spans) for start, end in sentences(text))


@pytest.mark.parametrize(
    "text", ["Where did she live before?", "What was his previous job?", "她以前住在哪里", "原来的电话是多少"]
)
def test_questions_about_the_past(text: str) -> None:
    assert about_past(text)


@pytest.mark.parametrize("text", ["Where does she live now?", "她现在住在哪里", "What do I take before meals?"])
def test_questions_about_the_present(text: str) -> None:
    assert not about_past(text)


@pytest.mark.parametrize(
    "text", ["And what did it cost?", "What about the other one?", "那它多少钱", "地址呢？", "When was she born?"]
)
def test_wording_that_points_back(text: str) -> None:
    assert refers_back(text)


@pytest.mark.parametrize("text", ["Where is Lisbon?", "故宫的门票多少钱"])
def test_wording_that_stands_alone(text: str) -> None:
    assert not refers_back(text)


def test_participants_are_names_not_roles() -> None:
    assert participants(["user", "Ada", None, "assistant", "ada", "X", "小林", "doc"]) == ("Ada", "小林")


def test_names_are_cut_with_their_possessive_and_only_as_words() -> None:
    assert cut_names("What did Caroline's friend tell Mel?", ("Caroline", "Mel")) == "What did friend tell ?"
    assert cut_names("Is caramel sweet?", ("Mel",)) == "Is caramel sweet?"
    assert cut_names("小林喜欢什么", ("小林",)) == "喜欢什么"


def test_a_question_of_names_alone_stays_whole() -> None:
    assert cut_names("Ada?", ("Ada",)) == "Ada?"


def test_a_first_name_names_the_person() -> None:
    assert named("Where does Ada live?", ("Ada Lovelace", "Bob")) == ("Ada Lovelace",)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("hello", "latin"),
        ("hello 世界和平", "han"),
        ("これは本です", "kana"),
        ("안녕", "hangul"),
        ("привет", "cyrillic"),
        ("123", "other"),
    ],
)
def test_script(text: str, expected: str) -> None:
    assert script(text) == expected
