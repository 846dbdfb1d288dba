"""Whether a sentence says no more than the memories it rests on. Judged without a model, and rather refused than kept:
the originals stay in any case."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import datetime

from aim_memory.answer import verify
from aim_memory.answer.reading import Evidence
from aim_memory.text import analyse, fold, script, tokens, tongue
from aim_memory.types import EvidenceBlock

LEAST = 0.6
"""Share of a sentence's content words that its originals must hold."""
_STEM = 4
"""Letters at the beginning that two forms of one word share."""
_UNSPACED = "\u2fff"
"""What sorts below is written with spaces."""
_WORDS_TO_TELL = 6
"""Fewer words do not tell which of the languages in Latin letters they are in."""
_NEGATION = re.compile(
    r"\b(?:not|never|no|none|nobody|nothing|without|neither|nor|cannot|can't|nicht|kein\w*|nie|sin|nunca|jamais|pas)\b"
    r"|n['’]t\b"
    r"|不(?![错过久同仅但少断管论如])|没(?!事|关系)|未(?!来)|别(?![人的])|(?<![\w])не\b",
    re.IGNORECASE,
)
_ROLES = {"user": "user 用户", "assistant": "assistant 助手"}
"""What a sentence may call somebody of a role."""


def refusal(sentence: str, sources: Sequence[EvidenceBlock], *, reference: datetime) -> str | None:
    """Why a sentence is not kept; None if it is.

    Args:
        sentence: One, as the model wrote it.
        sources: The memories that it rests on.
        reference: What relative dates in it count from.
    """
    if not sources:
        return "it names no line that was given"
    said = " ".join(block.text for block in sources)
    if _another_language(sentence, said):
        return "it is in another language than what it rests on"
    evidence = Evidence(sources)
    if unheld := verify(sentence, evidence, reference=reference).unsupported:
        return f"nothing that it rests on says {unheld[0].text!r}"
    if _turned_round(sentence, evidence):
        return "it says the opposite of what it rests on"
    if _held(sentence, sources, said) < LEAST:
        return "too little of it was said"
    return None


def repeats(sentence: str, sources: Sequence[EvidenceBlock]) -> bool:
    """Whether it is one of its originals, word for word."""
    return any(tokens(sentence) == tokens(block.text) for block in sources)


def _held(sentence: str, sources: Sequence[EvidenceBlock], said: str) -> float:
    """Share of the content words that were said, in [0, 1]; those that only say who it is about do not count."""
    about = " ".join(f"{block.speaker or ''} {_ROLES.get(block.role or '', '')}" for block in sources)
    words = _content(sentence) - _content(about)
    known = _content(said)
    stems = {word[:_STEM] for word in known if len(word) >= _STEM}
    held = sum(word in known or word[:_STEM] in stems for word in words)
    return held / len(words) if words else 1.0


def _content(text: str) -> set[str]:
    """Words that say something; of scripts without spaces, single signs."""
    return {term for term in analyse(text) if term < _UNSPACED or len(term) == 1}


def _another_language(sentence: str, said: str) -> bool:
    if script(sentence) != script(said):
        return True
    return len(sentence.split()) >= _WORDS_TO_TELL and tongue(sentence) != tongue(said)


def _turned_round(sentence: str, evidence: Evidence) -> bool:
    """Whether it denies what the sentence most like it affirms, or the other way round."""
    own = frozenset(analyse(sentence))
    stretches = [held for block in evidence.blocks for held in block.sentences]
    nearest = max(stretches, key=lambda held: len(own & held.terms) / (len(held.terms) + 1), default=None)
    return nearest is not None and bool(_NEGATION.search(fold(sentence))) != bool(_NEGATION.search(fold(nearest.text)))
