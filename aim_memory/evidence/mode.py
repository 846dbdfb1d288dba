"""How carefully a question wants to be answered: fast or strict, and whether originals are brought back."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Literal

from aim_memory.text import fold
from aim_memory.types import Anchor, Mode

CONFIDENT = 0.5
"""Below this confidence of the ranking originals are brought back, so that the answer does not rest on summaries."""

_EXACT = re.compile(
    r"\b(?:exact(?:ly)?|precise(?:ly)?|verbatim|word[- ]for[- ]word|literal(?:ly)?|in (?:my|his|her|their) words"
    r"|original(?: (?:text|wording|words|message|statement|version))?)\b"
    r"|精确|精準|准确|准確|确切|確切|原文|原话|原話|原句|一字不差|逐字|具体(?:是|到)?"
)
_PROOF = re.compile(
    r"\b(?:proofs?\b(?! of concept)|prove\b|evidence\b|(?<!open )(?<!open-)sources?\b(?! (?:code|file|tree))"
    r"|cit(?:e|ation)s?\b|quot(?:e|ed|ation)s?\b|where did (?:i|you|he|she|they) (?:say|mention|write)\b)"
    r"|证明|證明|证据|證據|来源|來源|出处|出處|引用|引述|依据|依據"
)
_KIND = re.compile(
    r"\b(?:how (?:many|much|long|old|far|tall|big|heavy|often|large|late|early|high|fast)"
    r"|when|what (?:time|date|day|year|month|hour|number|price|version|amount|size|dose|address|code)"
    r"|which (?:day|date|year|month|version|number|model|size|one)|version"
    r"|(?:phone|flight|order|room|serial|account) number)\b"
    r"|多少|几[点點号號个個天年月岁歲次位块塊时時]|幾[点點号號个個天年月岁歲次位块塊时時]|哪[天年月日]|哪一[天年月日]|什么时候|什麼時候|何时|何時"
    r"|多[久大长長远遠高重贵貴]|哪个版本|哪個版本|版本|型号|型號|号码|號碼|日期|几月几[号日]"
)


@dataclass(frozen=True, slots=True)
class ModeDecision:
    """What was decided, and why."""

    mode: Literal["fast", "strict"]
    refill: bool
    """Bring original text back into the context."""
    reasons: tuple[str, ...]
    """Names of what spoke for it: requested, exact wording, proof, kind of question, conflict, low confidence."""


def choose_mode(
    question: str,
    *,
    requested: Mode,
    anchors: Sequence[Anchor] = (),
    confidence: float = 1.0,
    conflict: bool = False,
) -> ModeDecision:
    """Decides the mode of a question.

    Strict lets anchors veto hits, so a misread anchor can hide the right memory. Auto therefore goes strict only when
    the question both asks for exactness and carries a number, date or identifier that a hit could contradict; every
    other sign of a need for care brings originals back, which can only add to what the answer rests on.

    Args:
        question: As asked.
        requested: "fast" and "strict" are obeyed; "auto" looks.
        anchors: Of the question.
        confidence: Of the ranking, in [0, 1].
        conflict: Whether hits contradict the question's anchors or each other.
    """
    if requested != "auto":
        return ModeDecision(requested, requested == "strict", ("requested",))
    worded = _worded(question)
    signs = {
        **worded,
        "conflict": conflict,
        "low confidence": confidence < CONFIDENT,
    }
    reasons = tuple(name for name, seen in signs.items() if seen)
    vetoable = any(anchor.kind in ("number", "date", "identifier") for anchor in anchors)
    return ModeDecision("strict" if worded["exact wording"] and vetoable else "fast", bool(reasons), reasons)


@lru_cache(maxsize=256)
def _worded(question: str) -> Mapping[str, bool]:
    """The signs that lie in the question alone, which is asked for before the ranking and after it."""
    folded = fold(question)
    return {
        "exact wording": bool(_EXACT.search(folded)),
        "proof": bool(_PROOF.search(folded)),
        "kind of question": bool(_KIND.search(folded)),
    }
