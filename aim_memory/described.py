"""The surface the method was first described with, on the real engine.

memory = create_aim_memory(AIMConfig())
memory.write_memory("The 10M-token model ships on 3 May.")
nodes, refill = memory.route_memory("When does the 10M-token model ship?")
memory.answer("When does the 10M-token model ship?")
"""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any

import numpy as np

from aim_memory.bodies import QueryRequest
from aim_memory.config import AIMConfig
from aim_memory.embedded import LOCAL_TENANT, AIMMemory
from aim_memory.settings import Settings
from aim_memory.types import Mode, Space, StoredMemory, Vector

NAMESPACE = "memory"


@dataclass(frozen=True, slots=True)
class MemoryNode:
    """A memory as the method describes it."""

    id: str
    proto: Vector
    """Prototype vector (d,): the mean direction of the memory's segments, unit length."""
    summary: str
    fields: dict[str, list[str]]
    """Anchors by kind: numbers, names, definitions, symbols (and dates, identifiers)."""
    links: list[str]
    """Ids of neighbouring memories: the turns before and after in the same session."""
    w: float
    """Temporal weight, derived when read."""
    evidence_ptr: str
    evidence_text: str


class DescribedMemory:
    """One conversation's memory, by the verbs of the description. Close it, or use it as a context manager.

    Args:
        config: The numbers of the mechanisms.
        home: Data folder; a temporary one, deleted at close, if left out.
        settings: Everything else; read from the environment if left out.
    """

    def __init__(self, config: AIMConfig, home: str | Path | None = None, settings: Settings | None = None) -> None:
        self._temporary = tempfile.TemporaryDirectory(prefix="aim-memory-") if home is None else None
        folder = self._temporary.name if self._temporary else home
        self._memory = AIMMemory(folder, settings=settings, config=config)

    def write_memory(self, text: str) -> str | None:
        """Writes a text as the conversation's next turn. Returns its id, or None when the write gate refused it."""
        (result,) = self._memory.write(text, namespace=NAMESPACE, session_id=NAMESPACE).results
        return None if result.status == "rejected" else result.id

    def route_memory(self, query: str, mode: Mode = "auto") -> tuple[list[MemoryNode], bool]:
        """The nodes a query routes to, best first, and whether originals are needed for it (the refill)."""
        request = QueryRequest(namespace=NAMESPACE, session_id=NAMESPACE, query=query, mode=mode)
        recalled = self._memory.engine.recall(LOCAL_TENANT, request)
        protos = self._protos([memory.id for _, memory in recalled.found])
        nodes = [
            MemoryNode(
                id=memory.id,
                proto=protos[memory.id],
                summary=memory.summary,
                fields=_fields(memory),
                links=list(recalled.beside.get(memory.id, ())),
                w=hit.weight,
                evidence_ptr=memory.evidence_id,
                evidence_text=memory.text,
            )
            for hit, memory in recalled.found
        ]
        return nodes, recalled.decision.refill

    def answer(self, query: str, auto_mode: bool = True) -> dict[str, Any]:
        """Mode, number of nodes recalled, context and answer. Without ``auto_mode`` the fast mode is used."""
        mode: Mode = "auto" if auto_mode else "fast"
        reply = self._memory.answer(query, namespace=NAMESPACE, session_id=NAMESPACE, mode=mode)
        return {
            "mode": reply.mode,
            "num_nodes_recalled": len(reply.results),
            "context": reply.context,
            "answer": reply.answer,
            "citations": [citation.model_dump() for citation in reply.citations],
            "abstained": reply.abstained,
        }

    def generate_with_memory(self, prompt: str) -> str:
        """Recalls, generates, and writes both turns back. Returns what was generated."""
        reply = self._memory.generate_with_memory(prompt, namespace=NAMESPACE, session_id=NAMESPACE)
        return reply.answer

    def _protos(self, ids: Sequence[str]) -> dict[str, Vector]:
        rows = self._memory.engine.store.index_rows(Space(LOCAL_TENANT, NAMESPACE), ids)
        return {row.id: _mean([part.vector for part in row.segments if part.vector is not None]) for row in rows}

    def close(self) -> None:
        self._memory.close()
        if self._temporary:
            self._temporary.cleanup()

    def __enter__(self) -> DescribedMemory:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def create_aim_memory(
    config: AIMConfig | None = None, *, home: str | Path | None = None, settings: Settings | None = None
) -> DescribedMemory:
    """A memory for one conversation, with the product's defaults if no config is given."""
    return DescribedMemory(config or AIMConfig(), home, settings)


def _fields(memory: StoredMemory) -> dict[str, list[str]]:
    kinds: dict[str, list[str]] = {"numbers": [], "names": [], "definitions": [], "symbols": []}
    for anchor in memory.anchors:
        kinds.setdefault(f"{anchor.kind}s", []).append(anchor.text)
    return kinds


def _mean(vectors: Sequence[Vector]) -> Vector:
    if not vectors:
        return np.empty(0, np.float32)
    total = np.sum(vectors, axis=0)
    return np.asarray(total / max(float(np.linalg.norm(total)), 1e-12), np.float32)
