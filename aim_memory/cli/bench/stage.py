"""An evaluation set on stage: written through the public write path, open to questions under any configuration."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime
from itertools import groupby
from pathlib import Path
from tempfile import TemporaryDirectory
from time import perf_counter
from typing import Any

from aim_memory.assemble import open_parts
from aim_memory.bodies import QueryReply, QueryRequest, WriteRequest
from aim_memory.cli.bench.metrics import DEPTH
from aim_memory.cli.bench.sets import EvaluationSet, Question, StoredTurn
from aim_memory.cli.bench.sharing import Courses, sharing
from aim_memory.config import AIMConfig
from aim_memory.engine import MemoryEngine, Parts
from aim_memory.settings import Settings
from aim_memory.types import Mode, SessionState, Space

TENANT = "local"
BATCH = 50
"""Memories per write."""
HISTORY = 6
"""Earlier turns of a question, at most."""
_LIGHT = {"late_weight": 0.0, "neighbour_weight": 0.0, "refill": False, "context_tokens": 1}
"""What the turns before a question are asked with: where a session is heading depends on what was asked alone."""
_SESSION = "asking"

Step = Callable[[int], None]
"""Told after so many memories were written or questions asked."""


@dataclass(frozen=True)
class Written:
    """A set lies in a store."""

    seconds: float
    statuses: Mapping[str, int]
    """How many writes ended with each status."""


@dataclass
class Stage:
    """A set in a store of its own. Asking never changes an answer to another question."""

    chosen: EvaluationSet
    config: AIMConfig
    """What it was written with, and is asked with where nothing else is said."""
    parts: Parts
    written: Written = field(default_factory=lambda: Written(0.0, {}))
    _engines: dict[AIMConfig, MemoryEngine] = field(default_factory=dict)
    _courses: dict[tuple[str, tuple[str, ...]], SessionState] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.names = {f"m{number}": turn.id for number, turn in enumerate(self.chosen.memories)}
        """Id in the store → id in the set."""

    def write(self, step: Step) -> None:
        began = perf_counter()
        statuses: Counter[str] = Counter()
        for namespace, items in _batches(self.chosen.memories):
            body = WriteRequest.model_validate({"namespace": self.space(namespace).namespace, "memories": items})
            statuses.update(result.status for result in self.engine().write(TENANT, body).results)
            step(len(items))
        self.written = Written(perf_counter() - began, statuses)

    def engine(self, config: AIMConfig | None = None) -> MemoryEngine:
        """The engine over this store with some configuration; they share store, index, sessions and embedder."""
        config = config or self.config
        if config not in self._engines:
            self._engines[config] = MemoryEngine(replace(self.parts, config=config))
        return self._engines[config]

    def space(self, namespace: str) -> Space:
        return Space(TENANT, f"bench/{_safe(self.chosen.name)}-{_safe(namespace)}")

    def course(self, namespace: str, turns: Sequence[str]) -> SessionState:
        """Where a session is heading after these turns, at most the last six."""
        key = (namespace, tuple(turns[-HISTORY:]))
        if key not in self._courses:
            light = self.engine(self.config.model_copy(update=_LIGHT))
            self.parts.sessions.put(self.space(namespace), _SESSION, SessionState())
            for turn in key[1]:
                light.query(TENANT, self.request(turn, namespace, session_id=_SESSION, top_k=1, mode="fast"))
            self._courses[key] = self.parts.sessions.get(self.space(namespace), _SESSION)
        return self._courses[key]

    def ask(
        self,
        question: Question,
        config: AIMConfig | None = None,
        *,
        namespace: str | None = None,
        history: Sequence[str] | None = None,
        top_k: int = DEPTH,
        mode: Mode = "auto",
        max_tokens: int | None = None,
        explain: bool = False,
    ) -> QueryReply:
        """Asks a question, in a session of its own if it has a history; of another namespace or after other turns."""
        place, session = namespace or question.namespace, None
        turns = question.history if history is None else history
        if turns:
            session = _SESSION
            course = replace(self.course(place, turns), epoch=0)  # of another namespace, or of this one
            self.parts.sessions.put(self.space(place), session, course)
        request = self.request(
            question.text,
            place,
            session_id=session,
            top_k=top_k,
            mode=mode,
            max_tokens=max_tokens,
            reference_date=question.at,
            explain=explain,
        )
        return self.engine(config).query(TENANT, request)

    def request(self, text: str, namespace: str, **fields: Any) -> QueryRequest:
        """A question to a namespace of the set, as the service takes it."""
        return QueryRequest.model_validate({"namespace": self.space(namespace).namespace, "query": text, **fields})


@contextmanager
def staged(settings: Settings, chosen: EvaluationSet, step: Step, *, shared: bool = True) -> Iterator[Stage]:
    """Writes a set into a temporary folder and opens it.

    ``shared``: remember vectors, scores and texts from one question to the next; without, times are those of a service.
    """
    with TemporaryDirectory(prefix="aimem-bench-") as home:
        parts = open_parts(settings.model_copy(update={"home": Path(home)}))
        try:
            stage = Stage(chosen, settings.memory, parts)
            stage.write(step)
            asking = sharing(parts) if shared else parts
            yield replace(stage, parts=replace(asking, sessions=Courses(parts.store)), _engines={})
        finally:
            parts.sessions.close()
            parts.store.close()


def _batches(memories: Iterable[StoredTurn]) -> Iterator[tuple[str, list[dict[str, Any]]]]:
    """(namespace, items) in chronological order within each namespace."""
    numbered = sorted(enumerate(memories), key=lambda pair: pair[1].namespace)
    for namespace, turns in groupby(numbered, key=lambda pair: pair[1].namespace):
        items = [_item(number, turn) for number, turn in turns]
        for start in range(0, len(items), BATCH):
            yield namespace, items[start : start + BATCH]


def _item(number: int, turn: StoredTurn) -> dict[str, Any]:
    return {
        "id": f"m{number}",
        "text": turn.text,
        "speaker": turn.speaker,
        "role": turn.speaker if turn.speaker in ("user", "assistant") else None,
        "timestamp": _moment(turn.timestamp),
        "session_id": None if turn.session is None else f"s{_safe(turn.session)}",
    }


def _moment(text: str | None) -> datetime | None:
    try:
        return datetime.fromisoformat(text) if text else None
    except ValueError:
        return None


def _safe(text: str) -> str:
    return "".join(character if character.isascii() and character.isalnum() else "_" for character in text)[:100]
