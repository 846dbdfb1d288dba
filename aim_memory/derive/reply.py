"""A language model's answer, read: JSON of one shape, or an error that says what is wrong with it."""

from __future__ import annotations

import re
from typing import Annotated

from pydantic import BaseModel, Field, StringConstraints, ValidationError

LONGEST = 600
"""Characters of one sentence."""
MOST = 50
"""Sentences of one answer."""
_THOUGHTS = re.compile(r"\A\s*<think>.*?</think>", re.DOTALL)
_FENCED = re.compile(r"```(?:json)?\s*\n(.*?)\n\s*```", re.DOTALL)


class UnreadableReplyError(ValueError):
    """The model's answer is not what it was asked for."""


class Item(BaseModel):
    """One sentence, and the numbers of the lines it says it rests on."""

    text: Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=LONGEST)]
    sources: list[int] = Field(min_length=1)


class _Reply(BaseModel):
    items: list[Item] = Field(max_length=MOST)


def parse(answer: str) -> list[Item]:
    """Reads an answer; thoughts before it and a code fence around it are taken off. Raises UnreadableReplyError."""
    bare = _THOUGHTS.sub("", answer).strip()
    fenced = _FENCED.search(bare)
    try:
        items = _Reply.model_validate_json(fenced[1] if fenced else bare, strict=True).items
    except ValidationError as failure:
        first = failure.errors(include_url=False, include_input=False, include_context=False)[0]
        place = ".".join(map(str, first["loc"]))
        raise UnreadableReplyError(f"{place}: {first['msg']}" if place else first["msg"]) from None
    except ValueError as failure:  # a lone surrogate, which no JSON may hold
        raise UnreadableReplyError(str(failure)[:200]) from None
    return [item.model_copy(update={"text": " ".join(item.text.split())}) for item in items]
