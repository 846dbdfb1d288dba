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
_NAME = re.compile(
    rf"(?:(?:Dr|Mr|Mrs|Ms|Prof|St|Mt)\. )?{_TOKEN}"
    rf"(?:(?: (?:of|de|la|le|van|von|der|del|al|bin) (?:the )?| & | ){_TOKEN}|(?: (?=\d)\d{{1,4}}(?![\d.,:%/A-Za-z]))(?= (?:Pro|Max|Plus|Ultra|Mini)\b))*"
)
_PART = re.compile(_TOKEN)
_TITLE = re.compile(r"(?:Dr|Mr|Mrs|Ms|Prof|St|Mt)\. ")
_OPENS = re.compile(r"(?:^|[.!?:\n。！？：…\"“「(\[*•>]|(?:^|\n)[ \t]*(?:-|\d+[.)]))[ \t\"'“「(\[*_]*$")
_PERSON = re.compile(
    r"(?:'s\b| (?:is|was|has|had|will|would|can|could|said|says|told|tells|thinks|thought|asked|went|goes|came|wants|wanted|"
    r"likes|loves|hates|lives|lived|works|worked|moved|got|gets|called|texted|sent|bought|sold|gave|made|makes|took|knows|"
    r"needs|plays|played|runs|ran|started|joined|left|met|who|and I|and [A-Z]|just|also|still|turned|finished|quit|named|"
    r"visited|studied|studies|teaches|taught|agreed|mentioned|suggested|recommended)\b|,? [A-Z][a-z]+'s\b)"
)
_NO_NAME = re.compile(r"^(?:I|I'[a-z]+|[A-Z]'?)$")


def english_names(surface: Surface) -> Iterator[tuple[int, int, str]]:
    """(start, end, key) of each name; the key drops a title and the possessive."""
    cased = surface.cased
    for match in _NAME.finditer(cased):
        if match.start() and cased[match.start() - 1].isascii() and (cased[match.start() - 1].isalnum() or cased[match.start() - 1] in "_@./`#"):
            continue
        span = _trimmed(cased, *match.span())
        if span and surface.free(*span) and _name(surface, match.start(), *span):
            yield *span, _TITLE.sub("", cased[span[0] : span[1]]).lower()


def _trimmed(cased: str, start: int, end: int) -> tuple[int, int] | None:
    """The span without leading and trailing everyday words and without a possessive; None when nothing is left."""
    title = _TITLE.match(cased, start)
    parts = list(_PART.finditer(cased, title.end() if title else start, end))
    while parts and not title and _everyday(parts[0].group()):
        parts.pop(0)
    while parts and _everyday(parts[-1].group()):
        parts.pop()
    if not parts:
        return None
    first = title.start() if title else parts[0].start()
    last = parts[-1].end()
    return first, last - 2 if cased[last - 2 : last] == "'s" else last


def _everyday(token: str) -> bool:
    return bool(_NO_NAME.match(token)) or token.partition("'")[0].lower() in EVERYDAY


def _name(surface: Surface, run_start: int, start: int, end: int) -> bool:
    cased, name = surface.cased, surface.cased[start:end]
    if name.isupper() and " " not in name:
        return False
    if start > run_start or " " in name or not name.isalpha():
        return True
    if not _OPENS.search(cased, max(0, start - 12), start):
        return True
    return bool(_PERSON.match(cased, end)) or _repeated(cased, name, end)


def _repeated(cased: str, name: str, end: int) -> bool:
    again = re.search(rf"(?<=[a-z,] ){name}\b", cased[end:]) or re.search(rf"(?<=[a-z,] ){name}\b", cased[: end - len(name)])
    return again is not None
