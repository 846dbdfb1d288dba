"""Names in Latin letters: capitalised words that are not capitalised merely because a sentence begins.

A single word that opens a sentence counts when it stands capitalised elsewhere in the text, or when what follows makes
it a person ("Anna said", "Marco's") and it is no everyday word.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from aim_memory.anchors.surface import Surface
from aim_memory.anchors.words import EVERYDAY

_TOKEN = r"(?:[A-Z][A-Za-z0-9]*(?:['-][A-Za-z][A-Za-z0-9]*)*|(?<![A-Za-z0-9])[ie][A-Z][a-z][A-Za-z0-9]*)"
_TITLES = r"(?:Dr|Mr|Mrs|Ms|Prof|St|Mt)\. "
_NAME = re.compile(
    rf"(?:{_TITLES})?{_TOKEN}(?:(?: (?:of|de|la|le|van|von|der|del|al|bin) (?:the )?| & | ){_TOKEN}"
    r"| \d{1,4}(?= (?:Pro|Max|Plus|Ultra|Mini)\b))*"
)
_PART = re.compile(_TOKEN)
_TITLE = re.compile(_TITLES)
_OPENS = re.compile(r"(?:^|[.!?:\n。！？：…\"“「(\[*•>]|(?:^|\n)[ \t]*(?:-|\d+[.)]))[ \t\"'“「(\[*_]*$")
_PERSON = re.compile(
    r"(?:'s\b| (?:is|was|has|had|will|would|can|could|said|says|told|tells|thinks|thought|asked|went|goes|came|wants|"
    r"wanted|likes|loves|hates|lives|lived|works|worked|moved|got|gets|called|texted|sent|bought|sold|gave|made|makes|"
    r"took|knows|needs|plays|played|runs|ran|started|joined|left|met|who|and I|and [A-Z]|just|also|still|turned|"
    r"finished|quit|named|visited|studied|studies|teaches|taught|agreed|mentioned|suggested|recommended)\b|,? "
    r"[A-Z][a-z]+'s\b)"
)
"""What makes the word before it a person."""
_INSIDE = re.compile(r"(?<=[a-z,] )[A-Z][A-Za-z]+")
"""Words capitalised inside a sentence: they are names at its beginning, too."""
_NO_NAME = re.compile(r"(?:I|I'[a-z]+|[A-Z]'?)$")
_GLUE = "_@./`#"


def english_names(surface: Surface) -> Iterator[tuple[int, int, str]]:
    """(start, end, key) of each name; the key drops a title and the possessive."""
    cased = surface.cased
    inside = frozenset(_INSIDE.findall(cased))
    for match in _NAME.finditer(cased):
        if match.group().lower() in EVERYDAY or not _word_begins(cased, match.start()):
            continue
        span = _trimmed(cased, *match.span())
        if span and surface.free(*span) and _name(cased, match.start(), *span, inside):
            yield *span, _TITLE.sub("", cased[span[0] : span[1]]).lower()


def _word_begins(cased: str, start: int) -> bool:
    before = cased[start - 1] if start else " "
    return not (before.isascii() and (before.isalnum() or before in _GLUE))


def _trimmed(cased: str, start: int, end: int) -> tuple[int, int] | None:
    """The span without everyday words at its ends and without a possessive; None when nothing is left."""
    title = _TITLE.match(cased, start)
    parts = list(_PART.finditer(cased, title.end() if title else start, end))
    while parts and not title and _everyday(parts[0].group()):
        parts.pop(0)
    while parts and _everyday(parts[-1].group()):
        parts.pop()
    if not parts:
        return None
    last = parts[-1].end()
    return title.start() if title else parts[0].start(), last - 2 if cased[last - 2 : last] == "'s" else last


def _everyday(token: str) -> bool:
    return bool(_NO_NAME.match(token)) or token.partition("'")[0].lower() in EVERYDAY


def _name(cased: str, run_start: int, start: int, end: int, inside: frozenset[str]) -> bool:
    name = cased[start:end]
    if name.isupper() and " " not in name:
        return False  # an acronym: a symbol
    if start > run_start or " " in name or not name.isalpha():
        return True
    if not _OPENS.search(cased, max(0, start - 12), start):
        return True
    return name in inside or bool(_PERSON.match(cased, end))
