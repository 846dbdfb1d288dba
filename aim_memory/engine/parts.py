"""What the engine is made of."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from aim_memory.config import AIMConfig
from aim_memory.engine.rereading import Rereading
from aim_memory.errors import InvalidInputError, NotFoundError
from aim_memory.ingest.limits import check_namespace
from aim_memory.ports import ChatModels, Clock, Companion, Embedder, Generator, IndexKeeper, MemoryStore
from aim_memory.sessions import Sessions
from aim_memory.settings import ExtractionSettings, LimitSettings, RetentionSettings
from aim_memory.types import Space


@dataclass(frozen=True, slots=True)
class Parts:
    store: MemoryStore
    keeper: IndexKeeper
    sessions: Sessions
    embedder: Embedder
    generators: Mapping[str, Generator]
    """By name; the first one is the default."""
    clock: Clock
    config: AIMConfig
    limits: LimitSettings
    rereading: Rereading | None = None
    retention: RetentionSettings = field(default_factory=RetentionSettings)
    """What receipts say of copies."""
    hard_below: float = 0.5
    """Confidence below which a question is hard."""
    chat: ChatModels | None = None
    """Language models that take chats as they are; without any, chats are answered by quotes."""
    extraction: ExtractionSettings = field(default_factory=ExtractionSettings)
    companions: Mapping[str, Companion] = field(default_factory=dict)
    """Programs that run beside a server, by name."""
    open_embedder: Callable[[Mapping[str, Any]], Embedder] | None = None
    """Opens another embedder, by fields of its settings, to move to."""

    def generator(self, name: str | None) -> Generator:
        """The generator asked for, or the default one."""
        if name is None:
            return next(iter(self.generators.values()))
        if name not in self.generators:
            known = ", ".join(self.generators)
            raise InvalidInputError(f"there is no generator {name!r}; configured: {known}.", field="generator")
        return self.generators[name]

    def space_of(self, tenant: str, memory_id: str, namespace: str | None) -> Space:
        """Where a memory lives: the namespace named, or the one that holds this id."""
        if namespace is not None:
            check_namespace(namespace)
            return Space(tenant, namespace)
        space = self.store.locate(tenant, memory_id)
        if space is None:
            raise missing(memory_id)
        return space


def missing(memory_id: str) -> NotFoundError:
    """One error for ids that never were, are gone, have expired or belong to somebody else."""
    return NotFoundError(f"there is no memory {memory_id!r} here; ids you gave yourself need ?namespace=.")
