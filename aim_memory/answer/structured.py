"""Answers that are JSON of a shape somebody asked for: what in them can be checked, and what is shown of them."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from typing import Any

from aim_memory.answer.citations import Quote
from aim_memory.answer.finish import Finished, rests_on_nothing
from aim_memory.answer.verify import Verified

NO_QUOTES = "Quotes cannot take the shape that was asked for."
NOT_JSON = "The generator's answer is not the JSON that was asked for."


def value_of(answer: str) -> Any:
    """The JSON value that an answer is; None where it is none."""
    try:
        return json.loads(answer, parse_constant=_refused)
    except (ValueError, RecursionError):
        return None


def claims(value: Any) -> str:
    """What a value says, one string or number a line; names of fields say nothing."""
    return "\n".join(_said(value))


def finish_structured(
    answer: str, value: Any, verified: Verified, quotes: Sequence[Quote], *, abstained: bool
) -> Finished:
    """The answer as it is, or nothing at all: marks would break its shape."""
    if abstained or value is None or rests_on_nothing(verified, quotes):
        return Finished("", True)
    return Finished(answer.strip(), False)


def _said(value: Any) -> Iterator[str]:
    if isinstance(value, dict):
        value = list(value.values())
    if isinstance(value, list):
        for one in value:
            yield from _said(one)
    elif isinstance(value, str):
        yield value
    elif isinstance(value, int | float) and not isinstance(value, bool):
        yield str(value)


def _refused(constant: str) -> float:
    raise ValueError(f"{constant} is no JSON")
