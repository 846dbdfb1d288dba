"""What each sentence of an answer rests on."""

from aim_memory.answer import Quote, cite
from tests.evidence import block

BLOCKS = [
    block("rent", "We moved in June. Rent is $1,480 with water included.", start=10),
    block("bike", "Femi came down to $1,840 because it's last year's colour."),
    block("cat", "年糕昨天打了疫苗，5.8 公斤。医生让减肥。"),
]


def quoted(answer: str) -> list[tuple[str, str]]:
    return [(quote.memory_id, quote.quote) for quote in cite(answer, BLOCKS)]


def test_a_literal_line_is_cited_with_its_place_in_the_memory() -> None:
    assert cite("Rent is $1,480 with water included.", BLOCKS) == (
        Quote("rent", "Rent is $1,480 with water included.", 28, 63),
    )


def test_free_text_cites_the_sentence_that_supports_it() -> None:
    assert quoted("You pay a rent of 1480 dollars, water included. Femi came down to 1,840 dollars!") == [
        ("rent", "Rent is $1,480 with water included."),
        ("bike", "Femi came down to $1,840 because it's last year's colour."),
    ]


def test_numbers_of_memories_narrow_the_search() -> None:
    assert quoted("It was cheaper because of the colour [2].") == [
        ("bike", "Femi came down to $1,840 because it's last year's colour.")
    ]
    assert quoted("It was cheaper because of the colour. [2]") == quoted("It was cheaper because of the colour [2].")


def test_chinese_free_text_is_cited() -> None:
    assert quoted("年糕 5.8 公斤。") == [("cat", "年糕昨天打了疫苗，5.8 公斤。")]


def test_what_nothing_supports_cites_nothing() -> None:
    assert quoted("Paris is the capital of France [9].") == []
    assert quoted("") == []


def test_nothing_is_cited_twice() -> None:
    assert len(cite("Rent is $1,480 with water included.\nRent is $1,480 with water included.", BLOCKS)) == 1
