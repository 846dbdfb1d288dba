"""Statements: the single-valued facts that a memory asserts, English and Chinese.

Only what has one value at a time is read (employer, home, phone, the time of an appointment, a price, a favourite);
likes, friends and hobbies never are. Things belong to the speaker who speaks of them ("ada: dentist appointment"), so
one person's rent never closes another's.
"""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Iterator, Sequence

from aim_memory.anchors.surface import read as surface
from aim_memory.mirror.assertion import asserted, open_sentence, unquoted
from aim_memory.mirror.rules import Clause, Rule
from aim_memory.mirror.rules_en import ENGLISH
from aim_memory.mirror.rules_zh import CHINESE
from aim_memory.text import fold, sentences
from aim_memory.types import Anchor, Statement

_SILENT_ROLES = frozenset({"assistant", "system", "tool", "function", "developer"})
_DETERMINER = re.compile(
    r"^(?:(?:my|our|the|this|that|a|an|new|current) )+|^(?:我们?的?|咱们?的?|这[个台辆次]?|那[个台辆次]?|本)+(?=.{2})"
)
_PREPOSITION = re.compile(r"^(\w+) (?:for|of) (?:the |my |our )?([\w' ]+)$")
_REQUEST = re.compile(
    r"(?:(?:and|also|oh|please|so),? )*(?:(?:can|could|would|will) you )?(?:please |also |just )*"
    r"(?:keep in mind|remember|note|write down|make a note|don't forget|save|for the record)(?: down)?,?(?: that)?:? "
    r"|(?:请|麻烦)?你?(?:帮我)?(?:记一下|记住|记下来?|记得)[,:]"
)
"""Opens a request to remember: what follows is asserted even if the request is a question."""
_HAN = re.compile("[\u4e00-\u9fff]")
_CHANGE = re.compile("换|搬|跳槽|升|改|变")
_OTHERS = re.compile(
    "[他她]|[小老阿][王李张刘陈杨赵黄周吴徐孙胡朱林何郭罗梁宋郑谢韩唐冯董程曹邓许沈彭吕苏蒋蔡丁叶余潘杜田姚谭]"
    "|哥|姐|弟|妹|爸|妈|父|母|老公|老婆|丈夫|妻子|女儿|儿子|男友|女友|男朋友|女朋友|室友|同事|朋友|同学|邻居"
)
_UNIQUE = re.compile(
    r"[a-z0-9] [a-z]|^(?:rent|salary|budget|wage|allowance)$|[\u4e00-\u9fff]{4}|房租|工资|月薪|预算|学费"
)
"""A thing of which the speaker has but one: named by more than one word, or one by nature."""
_UNIQUE_ATTRIBUTES = frozenset({"age", "dose", "goal", "measure"})
_CHANGED = re.compile(
    r"\b(?:now|new|moved|rescheduled|postponed|pushed|shifted|changed|forward|delayed|went|gone|rose|risen|increased|"
    r"dropped|fell|raised|lowered|reduced|cut|extended|upgraded|migrated|switched|updated|instead|since|from now on)\b"
    r"|了|改|现在|涨|降|调|换|推迟|延|提前|挪"
)
_NICKNAME = re.compile("[小老阿][\u4e00-\u9fff]")


def statements(
    text: str, *, speaker: str | None, role: str | None, anchors: Sequence[Anchor] = ()
) -> tuple[Statement, ...]:
    """What ``text`` asserts, in order of appearance, each (subject, attribute) once: the last one said.

    Args:
        text: What was said.
        speaker: Who said it: the subject of first-person statements ("user" when unknown).
        role: Chat role; assistants, tools and systems state nothing about the user.
        anchors: The anchors of ``text``, by start. Names, amounts, days and addresses are read from them; without them
            only statements in plain words are found.
    """
    if role in _SILENT_ROLES:
        return ()
    folded = unquoted(surface(text).lower)
    owner = fold(speaker or role or "user").strip()
    found: dict[tuple[str, str], Statement] = {}
    for start, end in sentences(text):
        for statement in _stated(_clause(folded, start, end, owner, anchors)):
            found[statement.subject, statement.attribute] = statement
    return tuple(found.values())


def _clause(folded: str, start: int, end: int, owner: str, anchors: Sequence[Anchor]) -> Clause:
    request = _REQUEST.match(folded, start, end)
    if request:
        start, end = request.end(), end - (folded[end - 1] == "?")
    first, last = (bisect_left(anchors, edge, key=lambda anchor: anchor.start) for edge in (start, end))
    return Clause(folded[start:end], start, owner, anchors[first:last], folded)


def _stated(clause: Clause) -> Iterator[Statement]:
    prose = clause.prose
    rules = [rule for rule in (CHINESE if _HAN.search(clause.text) else ENGLISH) if rule.fits(clause.text)]
    if not rules or not open_sentence(prose):
        return
    for rule in rules:
        for match in rule.pattern.finditer(clause.text):
            statement = _statement(rule, match, clause)
            if statement and asserted(prose, match.start(), match.start("value") + 1, scheduled=rule.scheduled):
                yield statement


def _statement(rule: Rule, match: re.Match[str], clause: Clause) -> Statement | None:
    subject, value = _subject(match, clause), rule.read(clause, *match.span("value"))
    if not subject or not value:
        return None
    what = (match.groupdict().get("what") or "").strip()
    return Statement(subject, f"{rule.attribute} {what}".strip(), value, _closes(rule, subject, clause))


def _closes(rule: Rule, subject: str, clause: Clause) -> bool:
    """Whether this may end an earlier statement: it speaks of a person, of a unique thing, or of a change."""
    if rule.attribute == "count":
        return bool(_CHANGED.search(clause.text))
    thing = subject.partition(": ")[2]
    if not thing or rule.attribute in _UNIQUE_ATTRIBUTES:
        return True
    return bool(_UNIQUE.search(thing) or _CHANGED.search(clause.text))


def _subject(match: re.Match[str], clause: Clause) -> str | None:
    groups = match.groupdict()
    thing = groups.get("thing") or groups.get("thing2")
    if thing:
        return f"{clause.speaker}: {_plain(thing)}"
    if groups.get("kin"):
        return f"{clause.speaker}'s {groups['kin']}"
    name = groups.get("name")
    if name:
        return name if clause.starts_name(match.start("name")) or _NICKNAME.fullmatch(name) else None
    return clause.speaker if groups.get("me") or _continues(clause, match.start()) else None


def _continues(clause: Clause, at: int) -> bool:
    """Whether a clause without a subject speaks of the speaker.

    It does in English, whose patterns name "me" in other ways; in Chinese when 我 was the last person spoken of, or
    when nothing was said before but that something changed ("换号了,新手机号是…").
    """
    if not _HAN.search(clause.text):
        return True
    lead = clause.whole[: clause.start + at]
    others = [person.start() for person in _OTHERS.finditer(lead)]
    others += [anchor.start for anchor in clause.within(0, at) if anchor.kind == "name" and _opens(clause, anchor)]
    other = max(others, default=-1)
    if "我" in lead or other >= 0:
        return other < lead.rfind("我")
    return not _HAN.search(lead) or bool(_CHANGE.search(lead))


def _opens(clause: Clause, anchor: Anchor) -> bool:
    """Whether a name opens a clause, so that what follows may be about it."""
    at = anchor.start - clause.start
    return at == 0 or clause.text[at - 1] in ",;。!"


def _plain(thing: str) -> str:
    """ "the quote for the roof" and "the roof quote" are one thing."""
    bare = _DETERMINER.sub("", thing.strip())
    return _PREPOSITION.sub(r"\2 \1", bare)
