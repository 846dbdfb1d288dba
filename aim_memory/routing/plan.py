"""From a question to what is looked up: weighted words, and vectors for the question and its direction."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from aim_memory.config import AIMConfig
from aim_memory.errors import EmbedderError
from aim_memory.ports import IndexReader
from aim_memory.routing.acuity import acuity, language
from aim_memory.routing.inertia import direct, gate
from aim_memory.routing.standing import Setting, setting
from aim_memory.routing.values import Ask, Embed
from aim_memory.text import NOTION, about_past, analyse, cut_names, named, question_terms
from aim_memory.types import SessionState, Vector, Vectors

UNSAID = "\0"
"""No term of any text."""
Seen: TypeAlias = tuple[Vector | None, Vectors | None, float]
"""What an embedder makes of a question: its vector, those of its tokens, and how well it reads the script."""


@dataclass(frozen=True, slots=True)
class View:
    """One way to hear the question: words with weights, and a vector (d,) if there is an embedder."""

    terms: Mapping[str, float]
    vector: Vector | None
    trust: float
    """Share of the words, against the vector, in the base score."""


@dataclass(frozen=True, slots=True)
class Plan:
    own: View
    """The question as it stands."""
    moving: View | None
    """The question in the direction of its session; None without inertia."""
    named: tuple[str, ...]
    """Participants that the question names."""
    about_past: bool
    gate: float
    """g of the left-spin gate."""
    tokens: Vectors | None = None
    """Vectors of the question's tokens, (m, d), if the embedder shows them."""
    sight: float = 0.0
    """How well the embedder reads the question's script, in [0, 1]."""
    rarity: Mapping[str, float] = field(default_factory=dict)
    """The idf of all words that are looked up, and of ``UNSAID``."""
    terse: float = 1.0
    """See ``standing.Setting``."""

    @property
    def heard(self) -> View:
        """The question in the direction of its session, if it has one."""
        return self.moving or self.own

    @property
    def words(self) -> list[str]:
        """The question's own terms that are no notions."""
        return [term for term in self.own.terms if not term.startswith(NOTION)]

    def rarities(self, terms: Iterable[str]) -> NDArray[np.float32]:
        """Their idf, (terms,)."""
        return np.array([self.rarity[term] for term in terms], np.float32)


def plan(asks: Sequence[Ask], index: IndexReader, embed: Embed, config: AIMConfig) -> list[Plan]:
    """One for each, embedded together."""
    known = index.derived(setting)
    seen = _seen([cut_names(ask.text, known.names) for ask in asks], embed)
    return [_plan(ask, own, known, index, config) for ask, own in zip(asks, seen, strict=True)]


def _plan(ask: Ask, seen: Seen, known: Setting, index: IndexReader, config: AIMConfig) -> Plan:
    names, (vector, tokens, sight) = known.names, seen
    trust = config.lexical_weight * sight + config.lexical_weight_blind * (1 - sight)
    terms = question_terms(ask.text, config.notion_weight * known.brevity * known.terse)
    own = View(terms, vector, 1.0 if vector is None else trust)
    brake = gate(ask.session, vector, config.left_spin) if ask.session and vector is not None else 1.0
    moving = _moving(own, ask.session, brake, config) if ask.session and ask.session.turns else None
    rarity = _rarity(moving or own, index)
    return Plan(own, moving, named(ask.text, names), about_past(ask.text), brake, tokens, sight, rarity, known.terse)


def _rarity(heard: View, index: IndexReader) -> Mapping[str, float]:
    terms = [*heard.terms, UNSAID]
    return dict(zip(terms, index.rarity(terms).tolist(), strict=True))


def _seen(texts: Sequence[str], embed: Embed) -> list[Seen]:
    """Each question's vector, its tokens', and how well the embedder reads its script."""
    try:
        vectors, tokens = embed(texts)
        sights = [acuity(embed, language(text)) for text in texts]
    except EmbedderError:
        return [(None, None, 0.0)] * len(texts)  # words alone still find
    shown: Sequence[Vectors | None] = tokens or [None] * len(texts)
    return list(zip(vectors, shown, sights, strict=True))


def _moving(own: View, session: SessionState, brake: float, config: AIMConfig) -> View | None:
    if not config.inertia_strength and not config.lexical_inertia:
        return None
    vector = own.vector
    if vector is not None and session.direction is not None:
        vector = direct(vector, session.direction, config.inertia_strength * brake)
    return replace(own, terms=_carried(own.terms, session.recent, config.lexical_inertia), vector=vector)


def _carried(terms: Mapping[str, float], recent: tuple[str, ...], weight: float) -> Mapping[str, float]:
    """The question's terms and, fading by ``weight`` per turn, those of the questions before."""
    if not weight:
        return terms
    carried: defaultdict[str, float] = defaultdict(float, terms)
    for back, text in enumerate(reversed(recent), start=1):
        for term in analyse(text):
            carried[term] = max(carried[term], weight**back)
    return carried
