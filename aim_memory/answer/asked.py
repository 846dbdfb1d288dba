"""What a question asks for: the kind of value, its unit, the time it is about, whose words. English and Chinese."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal

from aim_memory.text import fold

Kind = Literal["time", "amount", "code", "person", "place", "reason"]
Tense = Literal["present", "past", "any"]

_KINDS: dict[Kind, re.Pattern[str]] = {
    "time": re.compile(
        r"\bwhen\b|\b(?:what|which) (?:\w+ )?(?:time|date|day|weekday|hour|month|year|week)\b"
        r"|\bdeadline\b|\bdue\b|\bcut-?off\b|\bwhat(?:'s| is| was) the (?:\w+ )?date\b"
        r"|\bhow (?:late|early|soon)\b|\bsince when\b"
        r"|什么时候|什么时间|何时|几[点号月日]|哪[天年月日周]|哪一[天年月日周]|[星期周礼拜]几|日期|多会儿"
    ),
    "amount": re.compile(
        r"\bhow (?:many|much|long|old|far|tall|big|heavy|often|large|high|fast|wide|deep|expensive|warm|cold|hot)\b"
        r"|\b(?:price|cost|amount|size|dose|dosage|rent|salary|budget|fee|rate|percentage|share|weight|age|score|total|wage|"
        r"temperature|distance|duration|length|speed|figure|sum|bill|quantity|mileage)\b|\bfinish(?:ing)? time\b"
        r"|多少|几[个次位块只本张岁台辆公千瓶条件份米分页人斤天年小周]|多[大久长高远重贵宽深快热冷]|价格|价钱|费用|金额|租金|房租|工资|剂量|体重|分数|成绩"
    ),
    "code": re.compile(
        r"\b(?:e-?mail|phone|telephone|mobile|cell|number|code|password|pin|url|link|website|address|handle|username|"
        r"plate|serial|booking|reference|confirmation|account|version|model|flight|invoice|id)\b"
        r"|邮箱|电话|手机|号码|密码|网址|链接|地址|账号|编号|车牌|型号|版本|单号|航班|车次|订单"
    ),
    "person": re.compile(r"\bwho(?:m|se)?\b|\bnames?\b|\bnamed\b|\bcalled\b|谁|哪位|叫什么|名字|姓名|什么名"),
    "place": re.compile(
        r"\bwhere\b|\b(?:what|which) (?:\w+ )?"
        r"(?:city|town|street|country|place|room|address|neighbou?rhood|shop|restaurant|village)\b"
        r"|哪里|哪儿|何处|什么地方|地址|哪个城市|哪座|在哪|去哪|哪家"
    ),
    "reason": re.compile(
        r"\bwhy\b|\breasons?\b|\bhow come\b|\bwhat (?:made|caused|stopped|kept)\b|为什么|为何|原因|怎么会|凭什么"
    ),
}
_MONEY = frozenset("usd eur gbp cny jpy hkd twd inr krw pound".split())
_SPANS = frozenset("second minute hour day week month year".split())
_UNITS: tuple[tuple[re.Pattern[str], frozenset[str]], ...] = (
    (
        re.compile(
            r"\b(?:price|cost|rent|salary|fee|wage|bill|budget|expensive|cheap|spend|spent|pay|paid|charge|earn|money|worth|invoice)\w*\b"
            r"|多少钱|价格|价钱|费用|租金|房租|工资|花了|预算|报价|付|贵|块|掏|收入|月薪"
        ),
        _MONEY,
    ),
    (
        re.compile(r"\bhow long\b|\bduration\b|\bfinish(?:ing)? time\b|多久|多长时间|几天|几年|几个月|几小时"),
        _SPANS | {"clock", "time"},
    ),
    (
        re.compile(r"\bhow (?:far|tall|high|wide|deep)\b|\bdistance\b|多远|多高|多宽|公里"),
        frozenset("km m cm mm mile foot inch".split()),
    ),
    (
        re.compile(r"\bhow (?:heavy|much .*weigh)|\bweigh|多重|体重|公斤|几斤"),
        frozenset("kg g jin lb pound ton".split()),
    ),
    (re.compile(r"\bdos(?:e|age)\b|剂量"), frozenset("mg g ml".split())),
    (re.compile(r"\bhow old\b|\bage\b|几岁|年龄|多大"), frozenset({"age", "year"})),
    (re.compile(r"\bwhat (?:time|hour)\b|\bat what\b|几点"), frozenset({"clock", "time"})),
    (re.compile(r"\bpercent|\bshare\b|\bproportion\b|百分|比例|几成"), frozenset({"percent"})),
    (
        re.compile(r"\bhow (?:warm|cold|hot)\b|\btemperature\b|多少度|温度|气温|几度"),
        frozenset("celsius fahrenheit degree".split()),
    ),
    (re.compile(r"\bscore\b|\bmark\b|几分|多少分|分数|成绩"), frozenset({"point", "percent"})),
)
"""What a question names, and the units that its answer can be in."""

_PAST = re.compile(
    r"\bbefore\b|\bused to\b|\bprevious(?:ly)?\b|\bformer(?:ly)?\b|\boriginal(?:ly)?\b|\binitial(?:ly)?\b|\bearlier\b"
    r"|\bat first\b|\bin the past\b|\bback then\b|\bprior to\b|\bfirst (?:plan|date|price|offer|target|goal|idea)\w*\b"
    r"|\bno longer\b|\buntil\b"
    r"|\bold (?:address|phone|number|job|flat|apartment|price|employer|home|house|e-?mail|place|rate|dose)\b"
    r"|以前|之前|原来|原先|原本|最初|当初|起初|从前|过去|曾经|一开始|旧的|本来"
)
_PRESENT = re.compile(
    r"\bnow(?:adays)?\b|\bcurrent(?:ly)?\b|\bat the moment\b|\blatest\b|\bnewest\b|\bthese days\b|\bpresent(?:ly)?\b"
    r"|\bstill\b|\btoday\b|\bup[- ]to[- ]date\b|\bmost recent(?:ly)?\b|\bas of\b|\bfinal(?:ly)?\b|\bin the end\b"
    r"|\blast\b|\beventually\b|现在|目前|当前|如今|最新|眼下|现今|最近|最终|最后|后来|改到|改成"
)
_ASSISTANT = re.compile(
    r"\b(?:did|do|have|had|were|was) you\b"
    r"|\byou (?:suggest|recommend|say|said|told|tell|mention|advise|propose|list|explain)\w*"
    r"|\b(?:your|the assistant'?s) (?:suggestion|recommendation|advice|answer|list|explanation|plan|tip)s?\b"
    r"|你(?:之前|上次|当时)?(?:建议|推荐|说|告诉|提|讲|列)|你的(?:建议|推荐)|助手"
)


@dataclass(frozen=True, slots=True)
class Asked:
    """What a question asks for."""

    kinds: frozenset[Kind]
    """Empty when the question does not say."""
    units: frozenset[str]
    """Canonical units that a number given as the answer can have; empty when any will do."""
    tense: Tense
    assistant: bool
    """It asks for what the assistant said."""


def asked(question: str, topic: str = "") -> Asked:
    """Reads the question; what it leaves open about kind and unit is taken from the question before it (``topic``)."""
    folded = fold(question)
    kinds, units = _kinds(folded), _units(folded)
    if not kinds:
        kinds, units = _kinds(fold(topic)), units or _units(fold(topic))
    past, present = _PAST.search(folded), _PRESENT.search(folded)
    return Asked(
        kinds=kinds,
        units=units,
        tense="past" if past and not present else "present" if present and not past else "any",
        assistant=bool(_ASSISTANT.search(folded)),
    )


def _kinds(folded: str) -> frozenset[Kind]:
    return frozenset(kind for kind, pattern in _KINDS.items() if pattern.search(folded))


def _units(folded: str) -> frozenset[str]:
    return frozenset().union(*(units for sign, units in _UNITS if sign.search(folded)))
