"""Identifiers: strings that name one thing exactly. URLs, e-mail, phones, arXiv, DOI, versions, codes, tickets.

Their keys drop what people write differently (case, spaces, hyphens, "https://"), never a digit. Each pattern begins
with a character class and its left edge is checked afterwards, which lets the engine skip through plain prose.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from aim_memory.anchors.surface import Surface
from aim_memory.types import Anchor

Found = tuple[int, int, str, str | None]
"""(start, end, key, slot)."""

_DIGIT = re.compile(r"\d")
_NOT_DIGITS = re.compile(r"\D")
_SEPARATORS = re.compile(r"[\s-]")
_TRAILING = ".,:;!?)'\""
_URL = re.compile(r"(?:https?://|www\.)[^\s<>\"'，。！？；、）)】》]+")
_MAIL = re.compile(r"[a-z0-9._%+-]{1,64}@[a-z0-9-]{1,63}(?:\.[a-z0-9-]{1,63}){0,4}\.[a-z]{2,24}")
_ARXIV = re.compile(r"(?:arxiv[: ]{0,2})?(\d{4}\.\d{4,5})(?:v\d+)?(?![.\d])")
_SOFTWARE = frozenset(
    "python node java ubuntu debian django react postgres postgresql mysql sqlite redis kubernetes android ios macos "
    "windows "
    "php ruby rust go kotlin swift numpy pytorch torch cuda kafka nginx docker vue angular flask fastapi".split()
)
_MARKED = re.compile(
    r"v(?:ersion |er\.? ?)?(\d{1,8}(?:\.\d{1,8}){0,3}(?:-?(?:alpha|beta|rc)\.?\d{0,4})?)(?!\.?\d|[a-z])"
)
_DOTTED = re.compile(r"(\d{1,5}\.\d{1,5}\.\d{1,8}(?:\.\d{1,8})?)(?!\.?\d)")
_RELEASE = re.compile(r" (\d{1,5}(?:\.\d{1,5}){1,2})(?!\.?\d| ?%)")
_CJK_VERSION = re.compile(r"版本(?:号)?(?:是|为|:)? ?v?(\d+(?:\.\d+){1,3})")
_CODE = re.compile(
    r"[A-Z]{1,6}(?:-?\d{1,20}[A-Z0-9]{0,20}(?:-[A-Z0-9]{1,20}){0,5}|"
    r"(?:-[A-Z0-9]{1,20}){0,5}-\d[A-Z0-9]{0,20})(?![a-zA-Z0-9_])"
)
_NO_CODE = re.compile(r"[QH][1-4]$|[KMB]\d$")


@dataclass(frozen=True, slots=True)
class _Grammar:
    """A pattern whose last group is the identifier, tried where one of the cues occurs (always, without cues)."""

    slot: str | None
    cues: tuple[str, ...]
    pattern: re.Pattern[str]
    key: Callable[[str], str]


def _compact(text: str) -> str:
    return _SEPARATORS.sub("", text)


def _phone(text: str) -> str:
    """A phone number's digits without a country code of 86 or 1."""
    digits = _NOT_DIGITS.sub("", text)
    code = next(
        (code for code in ("86", "1") if text.startswith(f"+{code}") and len(digits) - len(code) in (10, 11)), ""
    )
    return f"tel:{digits.removeprefix(code)}"


_LABELS = "order|tracking|invoice|ticket|booking|confirmation|reference|account|policy|case|serial"
_CJK_LABELS = "订单|单号|快递|编号|账号|卡号|运单|取件码|密码|验证码"
_PLACES = "apartment|apt|flat|room|unit|gate|seat|suite|block|platform|hall|row"
_RIDES = "flight|train|航班|车次|班机"
_GRAMMARS = (
    _Grammar("doi", ("10.",), re.compile(r"(10\.\d{4,9}/[^\s\"<>，。]+)"), lambda text: text.rstrip(_TRAILING)),
    _Grammar(
        None,
        (*_LABELS.split("|"), *_CJK_LABELS.split("|")),
        re.compile(
            rf"(?:{_LABELS}|{_CJK_LABELS})(?: ?(?:number|no\.?|id|code|号|号码|尾号))?(?: ?(?:is|was|#|:|是|为) "
            rf"?){{0,2}}"
            r" ?#?([a-z]{0,4}-?\d[\da-z-]{2,})"
        ),
        _compact,
    ),
    _Grammar(
        "phone",
        (),
        re.compile(
            r"(\+\d{1,3}[ -]?\(?\d{1,4}\)?(?:[ -]?\d{2,4}){2,4}(?!\d)|\(\d{3}\) ?\d{3}[- ]\d{4}(?!\d)"
            r"|\d{3}[- .]\d{3}[- .]\d{4}(?!\d)|1[3-9]\d[- ]?\d{4}[- ]?\d{4}(?!\d)|0\d{2,3}-\d{7,8}(?!\d)"
            r"|0\d{4} \d{6}(?!\d)|0\d{3} \d{3} \d{3,4}(?!\d)|\d{3}-\d{4}(?![\d-])|0\d{2} \d{4} \d{4}(?!\d)"
            r"|09\d{2}-?\d{3}-?\d{3}(?!\d))"
        ),
        _phone,
    ),
    _Grammar(
        "flight",
        tuple(_RIDES.split("|")),
        re.compile(rf"(?:{_RIDES})(?: (?:is|was|number|no\.?))?[是:]? ?([a-z]{{1,2}} \d{{1,4}})(?!\d)"),
        _compact,
    ),
    _Grammar(None, ("#",), re.compile(r"(#\d+)\b"), str),
    _Grammar(None, tuple(_PLACES.split("|")), re.compile(rf"(?:{_PLACES})\.? #?(\d+[a-z])\b"), _compact),
    _Grammar(
        None,
        (),
        re.compile(
            r"(?<![a-z0-9_])((?=[a-f]{0,64}\d)(?=\d{0,64}[a-f])[0-9a-f]{7,64}(?:-[0-9a-f]{4,12}){0,4})(?![a-z0-9_])"
        ),
        _compact,
    ),
)


def find_identifiers(surface: Surface) -> list[Anchor]:
    """Identifier anchors; their text is claimed."""
    found = []
    for start, end, key, slot in _spans(surface):
        if surface.free(start, end):
            surface.claim(start, end)
            found.append(Anchor("identifier", key, surface.text[start:end], start, end, slot=slot))
    return found


def _spans(surface: Surface) -> Iterator[Found]:
    lower = surface.lower
    if "http" in lower or "www." in lower:
        yield from _addresses(lower)
    if "@" in lower:
        yield from ((*match.span(), match.group(), "email") for match in _MAIL.finditer(lower))
    if _DIGIT.search(lower):
        yield from _versions(surface)
        yield from _arxiv(lower)
        for grammar in _GRAMMARS:
            yield from _read(grammar, lower)
        yield from _codes(surface.cased)


def _addresses(lower: str) -> Iterator[Found]:
    for match in _URL.finditer(lower):
        text = match.group().rstrip(_TRAILING)
        key = text.removeprefix("https://").removeprefix("http://").removeprefix("www.").rstrip("/")
        yield match.start(), match.start() + len(text), key or text, None


def _edge(text: str, at: int, glue: str = "") -> bool:
    """Whether a word may begin at ``at``: nothing alphanumeric (or of ``glue``) stands right before it."""
    before = text[at - 1] if at else " "
    return not (before.isascii() and (before.isalnum() or before in glue))


def _versions(surface: Surface) -> Iterator[Found]:
    lower = surface.lower
    for pattern in (_MARKED, _DOTTED):
        for match in pattern.finditer(lower):
            if _edge(lower, match.start(), "_.,$"):
                yield *match.span(), f"v{match[1]}", "version"
    for match in _CJK_VERSION.finditer(lower) if "版本" in lower else ():
        yield *match.span(), f"v{match[1]}", "version"
    for _, end, word in surface.words:
        release = _RELEASE.match(lower, end) if word in _SOFTWARE else None
        if release:
            yield *release.span(1), f"v{release[1]}", word


def _arxiv(lower: str) -> Iterator[Found]:
    for match in _ARXIV.finditer(lower):
        named = lower.startswith("arxiv", match.start())
        if _edge(lower, match.start(), ".") and (named or len(match[1]) == len("2305.10403")):
            yield *match.span(), f"arxiv:{match[1]}", "arxiv"


def _read(grammar: _Grammar, lower: str) -> Iterator[Found]:
    if grammar.cues and not any(cue in lower for cue in grammar.cues):
        return
    for match in grammar.pattern.finditer(lower):
        start, end = match.span(1)
        if _edge(lower, start, "_"):
            yield start, end, grammar.key(lower[start:end]), grammar.slot


def _codes(cased: str) -> Iterator[Found]:
    for match in _CODE.finditer(cased):
        if _edge(cased, match.start(), "_$€£") and not _NO_CODE.match(match.group()):
            yield *match.span(), _compact(match.group()).lower(), None
