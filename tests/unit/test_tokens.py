"""The token estimate."""

import pytest

from aim_memory.evidence import count_tokens


@pytest.mark.parametrize(
    ("text", "least", "most"),
    [
        ("", 0, 0),
        ("tea", 1, 2),
        ("The kettle beta has to be in their hands by 18 April.", 12, 17),
        ("internationalisation", 2, 5),
        ("1234567890", 3, 5),
        ("我养了一只猫叫年糕，橘白色的，今年三岁。", 15, 30),
        ("a@b.example.com", 6, 12),
    ],
)
def test_lies_near_what_byte_pair_tokenizers_count(text: str, least: int, most: int) -> None:
    assert least <= count_tokens(text) <= most


def test_lines_cost_at_least_what_their_whole_costs() -> None:
    lines = ["Ada: the rent is $1,480", "", "  indented", "林悦：房租 3,600 元"]
    assert count_tokens("\n".join(lines)) <= sum(count_tokens(line + "\n") for line in lines)
