"""Identifiers: strings that name one thing exactly. URLs, e-mail, phone, arXiv and DOI, versions, codes, ticket numbers.

Their keys drop what people write differently (case, spaces, hyphens, "https://"), never a digit.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator

from aim_memory.anchors.surface import Surface
from aim_memory.types import Anchor

_Key = Callable[[str], str]

_SOFTWARE = (
    "python|node|node\\.js|java|ubuntu|debian|django|react|postgres|postgresql|mysql|sqlite|redis|kubernetes|android|ios|macos|"
    "windows|php|ruby|rust|go|kotlin|swift|numpy|pytorch|torch|cuda|kafka|nginx|docker|vue|angular|flask|fastapi"
)
_DIGIT = re.compile(r"\d")
_URL = re.compile(r"(?:https?://|www\.)[^\s<>\"'，。！？；、）)】》]+")
_MAIL = re.compile(r"[a-z0-9._%+-]+@[a-z0-9-]+(?:\.[a-z0-9-]+)*\.[a-z]{2,}")
_ARXIV = re.compile(r"\barxiv[: ]{0,2}(\d{4}\.\d{4,5})(?:v\d+)?|(?<![\d.])(\d{4}\.\d{5})(?:v\d+)?(?![\d.])")
_DOI = re.compile(r"\b10\.\d{4,9}/[^\s\"<>，。]+")
_PHONE = re.compile(
    r"\+\d{1,3}[ -]?\(?\d{1,4}\)?(?:[ -]?\d{2,4}){2,4}(?!\d)|\(\d{3}\) ?\d{3}[- ]\d{4}(?!\d)|\d{3}[- .]\d{3}[- .]\d{4}(?!\d)"
    r"|1[3-9]\d[- ]?\d{4}[- ]?\d{4}(?!\d)|0\d{2,3}-\d{7,8}(?!\d)|0\d{4} \d{6}(?!\d)|0\d{3} \d{3} \d{3,4}(?!\d)"
    r"|\d{3}-\d{4}(?![\d-])|0\d{2} \d{4} \d{4}(?!\d)|09\d{2}-?\d{3}-?\d{3}(?!\d)"
)
_VERSION = re.compile(
    rf"\bv(?:ersion |er\.? ?)?(?P<marked>\d+(?:\.\d+){{0,3}}(?:-?(?:alpha|beta|rc)\.?\d*)?)(?![\d.]*\d|[a-z])|(?<![\d.,$])(?P<dotted>\d+\.\d+\.\d+(?:\.\d+)?)(?![\d.]*\d)"
    rf"|\b(?P<of>{_SOFTWARE}) (?P<software>\d+(?:\.\d+){{1,2}})(?![\d.]*\d| ?%)|版本(?:号)?(?:是|为|:)? ?v?(?P<chinese>\d+(?:\.\d+){{1,3}})"
)
_CODE = re.compile(r"[A-Z]{1,6}(?:-?\d+[A-Z0-9]*(?:-[A-Z0-9]+)*|(?:-[A-Z0-9]+)*-\d[A-Z0-9]*)(?![a-zA-Z0-9_])")
_FLIGHT = re.compile(r"(?:flight|train|航班|车次|班机) ?([a-z]{1,2} \d{1,4})(?!\d)")
_NUMBERED = re.compile(
    r"(?:order|tracking|invoice|ticket|booking|confirmation|reference|account|policy|case|serial|订单|单号|快递|编号|账号|卡号|运单|取件码|密码|验证码)"
    r"(?: ?(?:number|no\.?|id|code|号|号码|尾号))?(?: ?(?:is|was|#|:|是|为) ?){0,2} ?#?([a-z]{0,4}-?\d[\da-z-]{2,})"
)
_LABELLED = re.compile(r"\b(?:apartment|apt\.?|flat|room|unit|gate|seat|suite|block|platform|hall|row) #?(\d+[a-z])\b")
_TICKET = re.compile(r"#(\d+)\b")
_MIXED = re.compile(r"\b(?=[a-f0-9-]*\d)(?=[a-f0-9-]*[a-f])[0-9a-f]{7,}(?:-[0-9a-f]{4,}){0,4}\b")
_QUARTER = re.compile(r"[QH][1-4]$|[KMB]\d$")
_TRAILING = ".,:;!?)'\""


def find_identifiers(surface: Surface) -> list[Anchor]:
    """Identifier anchors; their text is claimed."""
    found = []
    for start, end, key, slot in _spans(surface):
        if surface.free(start, end):
            surface.claim(start, end)
            found.append(Anchor("identifier", key, surface.text[start:end], start, end, slot=slot))
    return found


def _spans(surface: Surface) -> Iterator[tuple[int, int, str, str | None]]:
    lower = surface.lower
    if "http" in lower or "www." in lower:
        yield from _addresses(lower)
    if "@" in lower:
        yield from ((match.start(), match.end(), match.group(), "email") for match in _MAIL.finditer(lower))
    if _DIGIT.search(lower):
        yield from _numbered(surface)


def _addresses(lower: str) -> Iterator[tuple[int, int, str, str | None]]:
    for match in _URL.finditer(lower):
        text = match.group().rstrip(_TRAILING)
        key = text.removeprefix("https://").removeprefix("http://").removeprefix("www.").rstrip("/")
        yield match.start(), match.start() + len(text), key, None


def _numbered(surface: Surface) -> Iterator[tuple[int, int, str, str | None]]:
    lower = surface.lower
    yield from _versions(lower)
    for match in _ARXIV.finditer(lower):
        yield match.start(), match.end(), f"arxiv:{match[1] or match[2]}", "arxiv"
    for pattern, slot, key in _GRAMMARS:
        for match in pattern.finditer(lower):
            start, end = match.span(match.lastindex or 0)
            if not (start and lower[start - 1].isdigit()):
                yield start, end, key(lower[start:end]), slot
    for match in _CODE.finditer(surface.cased):
        before = surface.cased[match.start() - 1] if match.start() else " "
        if not (before.isascii() and before.isalnum() or before in "_$€£") and not _QUARTER.match(match.group()):
            yield match.start(), match.end(), _compact(match.group()), None


def _versions(lower: str) -> Iterator[tuple[int, int, str, str | None]]:
    for match in _VERSION.finditer(lower):
        number = match["marked"] or match["dotted"] or match["software"] or match["chinese"]
        start = match.start("software") if match["software"] else match.start()
        yield start, match.end(), f"v{number}", match["of"] or "version"


def _digits(text: str) -> str:
    """A phone number's digits; the leading zero or country code of 86 and 1 is dropped."""
    digits = re.sub(r"\D", "", text)
    if text.startswith("+"):
        digits = re.sub(r"^(?:86|1)(?=\d{10,11}$)", "", digits)
    return f"tel:{digits}"


def _compact(text: str) -> str:
    return re.sub(r"[\s-]", "", text).lower()


_GRAMMARS: tuple[tuple[re.Pattern[str], str | None, _Key], ...] = (
    (_DOI, "doi", lambda text: text.rstrip(_TRAILING)),
    (_NUMBERED, None, _compact),
    (_PHONE, "phone", _digits),
    (_FLIGHT, "flight", _compact),
    (_TICKET, None, lambda text: f"#{text}"),
    (_LABELLED, None, _compact),
    (_MIXED, None, _compact),
)
