"""Whether a stretch of evidence holds a value of the kind a question asks for."""

from __future__ import annotations

import re
from collections.abc import Sequence

from aim_memory.answer.asked import Asked, Kind
from aim_memory.text import fold
from aim_memory.types import Anchor

_PLACE = re.compile(
    r"\b(?:[Ii]n|[Aa]t|[Oo]n|[Ff]rom|[Nn]ear|[Tt]o|[Bb]y|off|around) (?:the )?(?:\d+ )?[A-Z]\w+"
    r"|\b(?:[Ss]treet|[Rr]oad|[Aa]venue|[Ll]ane|[Cc]ourt|[Ff]lat|[Ff]loor|[Ss]quare|[Rr]oom)\b"
    r"|在[\u4e00-\u9fff]{2,}|[\u4e00-\u9fff](?:路|街|区|市|县|省|镇|村|楼|园|院|店|馆|边)"
)
_CODE = re.compile(r"\b(?=[\w-]*\d)[A-Za-z]+[\w-]*\d[\w-]*\b|\b[A-Z]{1,3} \d{2,4}\b|\d{3,}[-\d]{3,}")
_PERSON = re.compile(
    r"\b(?:brother|sister|mother|father|friend|boss|wife|husband|partner|doctor|son|daughter|neighbour|colleague)\b"
    r"|(?:妈|爸|姐|哥|弟|妹|同事|朋友|老师|医生|先生|女士|阿姨|叔叔|师傅)"
)
_REASON = re.compile(
    r"\b(?:because|since|as|so|due to|thanks to|that's why|in order to|otherwise|wouldn't|couldn't|can't|too)\b"
    r"|因为|由于|所以|怕|为了|不然|结果|才|太"
)
_CLOCK = re.compile(r"\b\d{1,2}[:.]\d\d\b|\b\d{1,2}\s?[ap]\.?m\b|o'clock|[\d一二三四五六七八九十两]+点")


def holds_kind(asked: Asked, text: str, anchors: Sequence[Anchor], known: frozenset[str]) -> bool:
    """True when one of the kinds asked for is there, beyond what the question itself names (``known`` keys)."""
    fresh = [anchor for anchor in anchors if anchor.key not in known]
    return any(_holds(kind, text, fresh) for kind in asked.kinds)


def holds_unit(asked: Asked, anchors: Sequence[Anchor]) -> bool:
    """True when a number has one of the units asked for."""
    return any(anchor.kind == "number" and anchor.unit in asked.units for anchor in anchors)


def _holds(kind: Kind, text: str, anchors: Sequence[Anchor]) -> bool:
    kinds = {anchor.kind for anchor in anchors}
    match kind:
        case "time":
            return "date" in kinds or bool(_CLOCK.search(fold(text)))
        case "amount":
            return "number" in kinds
        case "code":
            return "identifier" in kinds or bool(_CODE.search(text))
        case "person":
            return "name" in kinds or bool(_PERSON.search(fold(text)))
        case "place":
            return bool(_PLACE.search(text))
        case "reason":
            return bool(_REASON.search(fold(text)))
