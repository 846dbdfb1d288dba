"""Cutting a long text into segments that an embedder sees whole."""

from __future__ import annotations

import re
from collections.abc import Iterator

from aim_memory.text import PEOPLE, fold, sentences

Span = tuple[int, int]

_PIECE = re.compile(r"[぀-ヿ㐀-鿿가-힯]|[^\W_]+|\S", re.UNICODE)
_LETTERS_PER_TOKEN = 5
SPEAKER_ROOM = 12
"""Tokens kept free for the "speaker: " in front of a segment and the model's own marks."""

BRIEF = 32
"""Tokens, by ``cost``, of a text that says one short fact."""


def cost(text: str) -> int:
    """An upper estimate of a subword tokenizer's count: one per CJK character or mark, one per five letters begun."""
    return sum(-(-len(piece) // _LETTERS_PER_TOKEN) for piece in _PIECE.findall(text))


def segment(text: str, window: int) -> list[Span]:
    """Spans that cover the text's content in order, each within ``window`` tokens by ``cost``.

    A text that fits is one span. Cuts fall between sentences; a sentence that alone is too long is cut
    between words. Nothing but white space lies outside the spans.
    """
    room = max(window - SPEAKER_ROOM, 16)
    whole = _trim(text, 0, len(text))
    if cost(text) <= room:
        return [whole]
    pieces = [piece for span in sentences(text) for piece in _cut(text, _trim(text, *span), room)]
    return list(_packed(text, pieces, room))


def _packed(text: str, pieces: list[Span], room: int) -> Iterator[Span]:
    start, end, used = *pieces[0], cost(text[slice(*pieces[0])])
    for piece in pieces[1:]:
        size = cost(text[slice(*piece)])
        if used + size > room:
            yield start, end
            start, used = piece[0], 0
        end, used = piece[1], used + size
    yield start, end


def _cut(text: str, span: Span, room: int) -> Iterator[Span]:
    """The span itself, or stretches of it that fit."""
    start, end = span
    used, last = 0, start
    for piece in _PIECE.finditer(text, start, end):
        size = -(-len(piece.group()) // _LETTERS_PER_TOKEN)
        if used + size > room and last > start:
            yield start, last
            start, used = piece.start(), 0
        used, last = used + size, piece.end()
    if end > start:
        yield start, end


def _trim(text: str, start: int, end: int) -> Span:
    stretch = text[start:end]
    return start + len(stretch) - len(stretch.lstrip()), end - (len(stretch) - len(stretch.rstrip()))


def passage(speaker: str | None, text: str) -> str:
    """What is embedded and analysed of a segment: who says it is part of what is said.

    "user" is nobody in particular: before a ``BRIEF`` fact it is a good part of the vector, and tells nothing.
    """
    if not speaker or (fold(speaker) in PEOPLE and cost(text) <= BRIEF):
        return text
    return f"{speaker}: {text}"
