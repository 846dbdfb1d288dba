"""Statements: the single-valued facts that a memory asserts, English and Chinese.

Only what has one value at a time is read (employer, home, phone, the time of an appointment, a price, a favourite, ...);
likes, friends and hobbies never are. Things belong to the speaker who speaks of them ("ada: dentist appointment"), so one
person's rent never closes another's.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from aim_memory.anchors.surface import read as surface
from aim_memory.mirror.assertion import asserted, open_sentence, unquoted
from aim_memory.mirror.rules import Clause, Rule
from aim_memory.mirror.rules_en import ENGLISH
from aim_memory.mirror.rules_zh import CHINESE
from aim_memory.text import fold, sentences
from aim_memory.types import Anchor, Statement

_SILENT_ROLES = frozenset({"assistant", "system", "tool", "function", "developer"})
_DETERMINER = re.compile(r"^(?:(?:my|our|the|this|that|a|an|new|current) )+|^(?:我们?的?|咱们?的?|这[个台辆次]?|那[个台辆次]?|本)+(?=.{2})")
_PREPOSITION = re.compile(r"^(\w+) (?:for|of) (?:the |my |our )?([\w' ]+)$")


def statements(
    text: str, *, speaker: str | None, role: str | None, anchors: Sequence[Anchor] = ()
) -> tuple[Statement, ...]:
    """What ``text`` asserts, in order of appearance, each (subject, attribute) once: the last one said.

    Args:
        text: What was said.
        speaker: Who said it: the subject of first-person statements ("user" when unknown).
        role: Chat role; assistants, tools and systems state nothing about the user.
        anchors: The anchors of ``text``. Names, amounts, days and addresses are read from them; without them only
            statements in plain words are found.
    """
    if role in _SILENT_ROLES:
        return ()
    folded = unquoted(surface(text).lower)
    owner = fold(speaker or role or "user").strip()
    found: dict[tuple[str, str], Statement] = {}
    for start, end in sentences(text):
        clause = Clause(folded[start:end], start, owner, [anchor for anchor in anchors if start <= anchor.start < end])
        for statement in _stated(clause):
            found[statement.subject, statement.attribute] = statement
    return tuple(found.values())


def _stated(clause: Clause) -> Iterator[Statement]:
    if not open_sentence(clause.text):
        return
    for rule in CHINESE if not clause.text.isascii() else ENGLISH:
        for match in rule.pattern.finditer(clause.text):
            statement = _statement(rule, match, clause)
            if statement and asserted(clause.text, match.start(), match.end("value"), scheduled=rule.scheduled):
                yield statement


def _statement(rule: Rule, match: re.Match[str], clause: Clause) -> Statement | None:
    subject, value = _subject(match, clause), rule.read(clause, *match.span("value"))
    if not subject or not value:
        return None
    what = (match.groupdict().get("what") or "").strip()
    return Statement(subject, f"{rule.attribute} {what}".strip(), value)


def _subject(match: re.Match[str], clause: Clause) -> str | None:
    groups = match.groupdict()
    thing = groups.get("thing") or groups.get("thing2")
    if thing:
        return f"{clause.speaker}: {_plain(thing)}"
    if groups.get("kin"):
        return f"{clause.speaker}'s {groups['kin']}"
    name = groups.get("name")
    if name is None:
        return clause.speaker
    return name if clause.starts_name(match.start("name")) else None


def _plain(thing: str) -> str:
    """ "the quote for the roof" and "the roof quote" are one thing."""
    bare = _DETERMINER.sub("", thing.strip())
    return _PREPOSITION.sub(r"\2 \1", bare)
