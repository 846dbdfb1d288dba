"""Whether a stretch of text is asserted: not asked, planned, negated, conditional, past, or said by somebody else.

Read on folded text. Blocking words are looked for in the clause of the statement, conditions in its whole sentence.
A false alarm costs one supersession, a miss closes a true fact, so every list errs on the side of silence.
"""

from __future__ import annotations

import re

from aim_memory.text.questions import asks

_QUOTED = re.compile(r"\"[^\"]*\"|“[^”]*”|「[^」]*」|『[^』]*』|(?<![a-z0-9])'[^']{8,}'(?![a-z])")
_SENTENCE = re.compile(
    r"\b(?:if|unless|suppose|supposing|imagine|imagining|pretend|assuming|let's say|say i|what if|wish|"
    r"hypothetically|in case|"
    r"says?|said|told|tells|thinks?|thought|believes?|claims?|claimed|heard|hears|according to|apparently|reportedly|"
    r"rumou?rs?|song|lyrics?|character|goes like|joked|joking|kidding|in the (?:book|movie|film|story|novel|game|"
    r"dream)|"
    r"dreamed|dreamt|not sure|for example|e\.g|maybe|perhaps|possibly|probably)\b"
    r"|如果|要是|假如|假设|假设|万一|除非|倘若|的话|就好了|想象|假装|说[:：，,“\"「]|听说|据说|以为|不确定|主角|书里|电影里|小说里|梦见|开玩笑|比如|例如|声称|他说|她说|有人说|告诉我"
)
_CLAUSE = re.compile(
    r"\b(?:not|never|no longer|cannot|neither|nor|isn't|aren't|wasn't|weren't|don't|doesn't|didn't|haven't|hasn't|"
    r"won't|can't|"
    r"couldn't|wouldn't|shouldn't|will|i'll|we'll|he'll|she'll|they'll|it'll|going to|gonna|might|may|could|would|"
    r"i'd|we'd|"
    r"he'd|she'd|they'd|should|thinking|considering|plan|plans|planning|planned|want|wants|wanted|hope|hopes|hoping|hopefully|"
    r"apply|applied|applying|interviewed|dream|supposedly|tempted|about to|try|trying|tried|"
    r"offered|offer|almost|nearly|would've|instead of|"
    r"used to|previously|formerly|back in|back then|before that|(?:my|our|the|his|her|their) old|previous|former|ex|"
    r"grew up|years ago|as a (?:kid|child|student)|"
    r"when i was|when we were|at the time|in those days|in (?:19|20)\d\d|until|someone|somebody|anyone|who|friend|"
    r"friends)\b"
    r"|不(?!过|错|忌口|久|仅|断|好意思)|没(?!想到)|未|别(?!墅|人家)|打算|想(?!到|不到)|准备|计划|考虑|希望|期待|可能|也许|或许|大概要|将|应该|觉得|犹豫|申请|争取|差点"
    r"|(?<![主需重])要(?!价|求|点|是)|(?<![议约书长晚聚酒年例开社宴班商峰])会(?!议|计|员|所|场|上|面|展|场|于|改|定|在)"
    r"|以前|之前|曾|原来|原先|原本|当年|过去|去年|前年|小时候|的时候|那时|从前|当初|旧|第一|朋友|同学|有人|有个|谁|直到|老号"
)
_SCHEDULED = re.compile(r"\b(?:will be|will take place|will start|will now be|until|may|would)\b|将于|将在")
_CUT = re.compile(r"[,;:，；：。.!?！？\n]|\bbut\b| - |——")


def unquoted(text: str) -> str:
    """``text`` with quoted stretches blanked out, length kept."""
    return _QUOTED.sub(lambda match: " " * len(match.group()), text)


def open_sentence(sentence: str) -> bool:
    """Whether a sentence may assert anything at all: no question, condition, report or fiction."""
    return not asks(sentence) and not _SENTENCE.search(sentence)


def asserted(sentence: str, start: int, end: int, *, scheduled: bool = False) -> bool:
    """Whether the clause around ``[start, end)`` of an open sentence asserts what it says, up to the next break.

    ``scheduled``: appointments are stated in the future tense ("will be on Friday"), which does not make them plans.
    """
    left = max((cut.end() for cut in _CUT.finditer(sentence, 0, start)), default=0)
    right = _CUT.search(sentence, end)
    clause = sentence[left : right.start() if right else len(sentence)]
    return not _CLAUSE.search(_SCHEDULED.sub(" ", clause) if scheduled else clause)
