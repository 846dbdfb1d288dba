"""Whether a stretch of text is asserted: not asked, planned, negated, conditional, past, or said by somebody else.

Read on folded text. Conditions, reports and fiction silence a whole sentence; plans, negations and the past silence
the clause they stand in. A false alarm costs one supersession, a miss closes a true fact, so every list errs on the
side of silence.
"""

from __future__ import annotations

import re

from aim_memory.text.questions import asks

# --- what silences a sentence ---------------------------------------------------------------------------------------
_CONDITION = (
    "if|unless|suppose|supposing|imagine|imagining|pretend|assuming|let's say|wish|hypothetically|in case|"
    r"for example|e\.g|not sure|maybe|perhaps|possibly|probably|ha(?:ha)+|lol|trust me"
)
_REPORT = (
    "say|says|said|told|tells|think|thinks|thought|believe|believes|claim|claims|claimed|heard|hears|according to|"
    "apparently|reportedly|rumor|rumour|rumors|rumours|joked|joking|kidding|swears|swore"
)
_FICTION = (
    "song|lyric|lyrics|character|goes like|dreamed|dreamt|in the book|in the movie|in the film|in the story|"
    "in the novel|in the game|in the dream"
)
_CJK_CONDITION = "如果|要是|假如|假设|万一|除非|倘若|的话|就好了|不确定|比如|例如"
_CJK_REPORT = '说[:,“"「]|听说|据说|以为|哈哈|声称|他说|她说|有人说|告诉我|开玩笑'
_CJK_FICTION = "想象|假装|主角|书里|电影里|小说里|梦见"

# --- what silences a clause -----------------------------------------------------------------------------------------
_NEGATION = r"not|never|no longer|cannot|neither|nor|instead of|almost|nearly|\w+n't"
_PLAN = (
    r"will|\w+'ll|going to|gonna|might|may|could|would|\w+'d|should|thinking|considering|plan|plans|planning|planned|"
    r"want|wants|wanted|hope|hopes|hoping|hopefully|apply|applied|applying|interviewed|dream|supposedly|tempted|"
    r"about to|try|trying|tried|offered|offer|practically|basically|virtually|at heart|deep down|inside|feel like"
)
_PAST = (
    r"used to|previously|formerly|back in|back then|before that|(?:my|our|the|his|her|their) old|previous|former|ex|"
    r"grew up|years ago|as a kid|as a child|as a student|when i was|when we were|at the time|in those days|"
    r"in (?:19|20)\d\d|until"
)
_OTHERS = "someone|somebody|anyone|who|friend|friends"
_CJK_NEGATION = "不(?!过|错|忌口|久|仅|断|好意思)|没(?!想到)|未|别(?!墅|人家)|差点|简直|心态|好像|仿佛"
_CJK_PLAN = (
    "打算|想(?!到|不到)|准备|计划|考虑|希望|期待|可能|也许|或许|将|应该|觉得|犹豫|申请|争取|(?<![主需重])要(?!价|求|点|是)"
    "|(?<![议约书长晚早周聚酒年例开社宴班商峰])会(?!议|计|员|所|场|上|面|展|于|改|定|在)"
)
_CJK_PAST = "以前|之前|曾|原来|原先|原本|当年|过去|去年|前年|小时候|的时候|那时|从前|当初|旧|第一|直到|老号"
_CJK_OTHERS = "朋友|同学|有人|有个|谁"

_SILENT_SENTENCE = re.compile(
    rf"\b(?:{_CONDITION}|{_REPORT}|{_FICTION})\b|{_CJK_CONDITION}|{_CJK_REPORT}|{_CJK_FICTION}"
)
_SILENT_CLAUSE = re.compile(
    rf"\b(?:{_NEGATION}|{_PLAN}|{_PAST}|{_OTHERS})\b|{_CJK_NEGATION}|{_CJK_PLAN}|{_CJK_PAST}|{_CJK_OTHERS}"
)
_PROVISO = re.compile(
    r"\b(?:if|in case) (?:anything|something|needed|necessary|in doubt|it helps|that helps|anyone asks|there's|you "
    r"(?:ever |still )?(?:need|want|have|wonder|ask|must))\b[^.!?;]*|(?:如果|要是|万一)有[事需][^。!;]*"
)
"""Conditions on using what is said, not on what is said: "call me there if anything comes up"."""
_SCHEDULED = re.compile(r"\b(?:will be|will take place|will start|will now be|until)\b|将于|将在")
_CUT = re.compile(r"[,;:.!?\n]|[，；：。！？]|\bbut\b| - |——")
_QUOTED = re.compile(r"\"[^\"]*\"|“[^”]*”|「[^」]*」|『[^』]*』|(?<![a-z0-9])'[^']{8,}'(?![a-z])")


def unquoted(text: str) -> str:
    """``text`` with quoted stretches blanked out, length kept."""
    return _QUOTED.sub(lambda match: " " * len(match.group()), text)


def open_sentence(sentence: str) -> bool:
    """Whether a sentence may assert anything at all: no question, condition, report or fiction."""
    return not asks(sentence) and not _SILENT_SENTENCE.search(_PROVISO.sub(" ", sentence))


def asserted(sentence: str, start: int, end: int, *, scheduled: bool = False) -> bool:
    """Whether the clause around ``[start, end)`` of an open sentence asserts what it says, up to the next break.

    ``scheduled``: appointments are stated in the future tense ("will be on Friday"), which does not make them plans.
    """
    left = max((cut.end() for cut in _CUT.finditer(sentence, 0, start)), default=0)
    right = _CUT.search(sentence, end)
    clause = sentence[left : right.start() if right else len(sentence)]
    return not _SILENT_CLAUSE.search(_SCHEDULED.sub(" ", clause) if scheduled else clause)
