"""What a question asks for: the kind of value, the time it is about, whose words. English and Chinese, by pattern."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal

from aim_memory.text import fold

Tense = Literal["present", "past", "any"]

_TIME = re.compile(
    r"\bwhen\b|\b(?:what|which) (?:\w+ )?(?:time|date|day|weekday|hour|month|year|week)\b|\bdeadline\b|\bdue date\b|\bcut-?off\b"
    r"|什么时候|什么时间|何时|几点|几号|几月|几日|哪[天年月日周]|哪一[天年月日周]|星期几|周几|礼拜几|日期|时间"
)
_COUNT = re.compile(
    r"\bhow (?:many|much|long|old|far|tall|big|heavy|often|large|high|fast|wide|deep|expensive)\b"
    r"|\bwhat (?:\w+ )?(?:price|cost|amount|number|size|dose|dosage|rent|salary|budget|fee|rate|percentage|weight|age|score)\b"
    r"|\b(?:price|cost|total|amount|percentage) of\b"
    r"|多少|几[个次位块只本张岁台辆公千瓶条件份米]|多[大久长高远重贵宽深快]|价格|价钱|费用|金额"
)
_CODE = re.compile(
    r"\b(?:e-?mail|phone|telephone|mobile|number|code|password|pin|url|link|website|address|handle|username|plate|serial|"
    r"booking|reference|confirmation|account|version|model)\b|邮箱|电话|手机|号码|密码|网址|链接|地址|账号|编号|车牌|型号|版本|单号"
)
_PERSON = re.compile(r"\bwho(?:m|se)?\b|\bwhat (?:is|was|'s) (?:\w+ )*names?\b|\bnamed?\b|\bcalled\b|谁|哪位|叫什么|名字|姓名")
_PLACE = re.compile(r"\bwhere\b|\b(?:what|which) (?:\w+ )?(?:city|town|street|country|place|room|address|neighbou?rhood|shop|restaurant)\b|哪里|哪儿|何处|什么地方|地址|哪个城市|哪座|在哪")
_PAST = re.compile(
    r"\bbefore\b|\bused to\b|\bprevious(?:ly)?\b|\bformer(?:ly)?\b|\boriginal(?:ly)?\b|\binitial(?:ly)?\b|\bearlier\b|\bat first\b"
    r"|\bin the past\b|\bback then\b|\bprior to\b|\bold (?:address|phone|number|job|flat|apartment|price|employer|home|email)\b"
    r"|以前|之前|原来|原先|原本|最初|当初|起初|从前|过去|曾经|一开始|旧的|改.{0,3}前|搬家前|换.{0,4}前"
)
_PRESENT = re.compile(
    r"\bnow(?:adays)?\b|\bcurrent(?:ly)?\b|\bat the moment\b|\blatest\b|\bnewest\b|\bthese days\b|\bpresent(?:ly)?\b|\bstill\b"
    r"|\btoday\b|\bup[- ]to[- ]date\b|\bmost recent(?:ly)?\b|\bas of\b|\bupdated\b|\bnew\b"
    r"|现在|目前|当前|如今|最新|眼下|现今|还是|新的|最近"
)
_ASSISTANT = re.compile(
    r"\b(?:did|do|have|had|were|was) you\b|\byou (?:suggest|recommend|say|said|told|tell|mention|advise|propose|list|explain)\w*"
    r"|\b(?:your|the assistant'?s) (?:suggestion|recommendation|advice|answer|list|explanation|plan|tip)s?\b"
    r"|你(?:之前|上次|当时)?(?:建议|推荐|说|告诉|提|讲|列)|你的(?:建议|推荐)|助手"
)

HELD: dict[str, re.Pattern[str]] = {
    "time": re.compile(
        r"\b(?:jan(?:uary)?|feb(?:ruary)?|mar(?:ch)?|apr(?:il)?|may|june?|july?|aug(?:ust)?|sept?(?:ember)?|oct(?:ober)?|"
        r"nov(?:ember)?|dec(?:ember)?|(?:mon|tues|wednes|thurs|fri|satur|sun)days?|today|tomorrow|yesterday|tonight|noon|"
        r"midnight|weekend|(?:next|last|this) (?:week|month|year|spring|summer|autumn|fall|winter)|ago)\b"
        r"|\b\d{1,2}(?::\d\d|\s?[ap]\.?m\b)|\b(?:19|20)\d\d\b|\b\d+(?:st|nd|rd|th)\b|o'clock|half past|quarter (?:to|past)"
        r"|[0-9零一二三四五六七八九十两]+\s*[年月日号点时]|周[一二三四五六日天末]|星期[一二三四五六日天]|礼拜|[今明昨前后]天|[上下这本]个?[周月]|今年|明年|去年|早上|下午|晚上|中午|半夜"
    ),
    "count": re.compile(
        r"\d|\b(?:two|three|four|five|six|seven|eight|nine|ten|eleven|twelve|fifteen|twenty|thirty|forty|fifty|sixty|hundred|thousand|"
        r"million|dozen|half|twice|once|couple|a third|a quarter)\b|[零一二三四五六七八九十百千万亿两半几][个次位块只本张岁台辆公千瓶条件份米元斤天年月周人点小分]"
    ),
    "code": re.compile(r"\S+@\S+|https?://\S+|\b(?=\w*\d)[\w.+-]*\d[\w.-]*\b|`[^`]+`"),
    "person": re.compile(r"(?<![.!?] )(?<!^)\b[A-Z][a-z]+|\b(?:brother|sister|mother|father|friend|boss|wife|husband|partner|doctor|son|daughter)\b|[\u4e00-\u9fff]{1,3}(?:老师|医生|先生|女士|阿姨|叔叔|经理|师傅|姐|哥)|叫[\u4e00-\u9fff]{2,3}|姓"),
    "place": re.compile(r"\b(?:in|at|on|from|near|to|by|off) (?:the )?[A-Z]\w+|\b(?:street|road|avenue|lane|court|flat|floor|square|drive)\b|[\u4e00-\u9fff](?:路|街|区|市|县|省|镇|村|楼|号|站|园|院|店|馆)|在[\u4e00-\u9fff]{2,}"),
}
"""Per kind, what a sentence holds when it has a value of that kind."""

_UNITS: tuple[tuple[re.Pattern[str], re.Pattern[str]], ...] = (
    (
        re.compile(r"\bhow much\b(?!.*\b(?:time|weigh|sleep|water|milk|flour|sugar|space|memory)\b)|\b(?:price|cost|rent|salary|fee|paid?|pay|spend|spent|budget|charge|earn)\w*\b|多少钱|价格|价钱|费用|租金|房租|工资|花了|预算|报价"),
        re.compile(r"[$€£¥￥]\s?\d|\d\s?(?:[$€£]|k\b|dollars?|euros?|pounds?|bucks|usd|eur|gbp|cad|yuan|rmb)|\d[\d,]{2,}|[\d万千百]\s*(?:元|块|万|千)"),
    ),
    (
        re.compile(r"\bhow long\b|\bduration\b|多久|多长时间"),
        re.compile(r"\b(?:minutes?|hours?|days?|weeks?|months?|years?|mins?|hrs?)\b|[\d一二三四五六七八九十两半]\s*个?(?:分钟|小时|天|周|星期|月|年)"),
    ),
    (re.compile(r"\bhow (?:far|tall|high|wide|deep)\b|\bdistance\b|多远|多高|多长|多宽"), re.compile(r"\d\s?(?:km|kilomet|miles?|met(?:re|er)|m\b|cm|mm|feet|foot|ft|inch)|公里|千米|米|厘米|毫米")),
    (re.compile(r"\bhow (?:heavy|much .*weigh)|\bweight\b|\bdose|\bdosage\b|多重|体重|剂量"), re.compile(r"\d\s?(?:kg|kilo|g\b|grams?|mg|ml|lbs?|pounds?|ounces?|oz)|公斤|千克|斤|毫克|克|毫升|片|粒")),
    (re.compile(r"\bhow old\b|\bage\b|多大|几岁|年龄"), re.compile(r"\b\w+ years? old\b|\bturn(?:s|ed|ing)? \w+\b|\d\s*岁|[一二三四五六七八九十]+岁|\byears\b")),
    (re.compile(r"\bwhat (?:time|hour)\b|\bat what\b|几点"), re.compile(r"\b\d{1,2}:\d\d|\d\s?[ap]\.?m\b|o'clock|half past|noon|[\d一二三四五六七八九十两]+点")),
)
"""What a question names, and the units its answer must then be in."""


@dataclass(frozen=True, slots=True)
class Asked:
    """What a question asks for."""

    kinds: tuple[str, ...]
    """Of ``HELD``; empty when the question does not say."""
    units: tuple[re.Pattern[str], ...]
    tense: Tense
    assistant: bool
    """It asks for what the assistant said."""


def asked(question: str) -> Asked:
    """Reads the question."""
    folded = fold(question)
    patterns = (("time", _TIME), ("count", _COUNT), ("code", _CODE), ("person", _PERSON), ("place", _PLACE))
    past, present = _PAST.search(folded), _PRESENT.search(folded)
    return Asked(
        kinds=tuple(name for name, pattern in patterns if pattern.search(folded)),
        units=tuple(unit for sign, unit in _UNITS if sign.search(folded)),
        tense="past" if past and not present else "present" if present and not past else "any",
        assistant=bool(_ASSISTANT.search(folded)),
    )
