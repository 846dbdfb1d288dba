"""A store that holds something of every kind, and its vault."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from aim_memory import assemble
from aim_memory.embedded import AIMMemory
from aim_memory.ports import Vault
from aim_memory.settings import DatabaseSettings, EmbedderSettings, Settings
from aim_memory.types import AuditEntry
from tests import postgres
from tests.memories import START

DATABASES = ("sqlite", "postgresql")


def quiet(step: str, done: int, total: int) -> None:
    """Progress that nobody looks at."""


def settings_of(database: str, home: Path) -> Settings:
    url = postgres.url(home) if database == "postgresql" else None
    return Settings(home=home, database=DatabaseSettings(url=url), embedder=EmbedderSettings(kind="hashing"))


def vault_of(settings: Settings) -> Vault:
    return assemble.open_vault(settings)


def furnish(settings: Settings, *, filler: int = 0) -> None:
    """Memories in two namespaces: superseded, edited, deleted, pinned, expiring; sessions, use counts, a key."""
    with AIMMemory(settings=settings) as memory:
        for number, said in enumerate(("I live in Paris.", "I live in Rome.", "I live in Oslo.", "Lena weighs 61 kg.")):
            item = {"id": f"m{number}", "text": said, "speaker": "Ada", "timestamp": f"2026-03-0{number + 1}T10:00:00Z"}
            memory.write(namespace="user/ada", session_id="s", memories=[item | {"metadata": {"n": number}}])
        memory.write("我的猫叫饼干，今年三岁。", namespace="user/ada")
        memory.update("m3", namespace="user/ada", text="Lena weighs 62 kg.", pinned=True)
        gone = memory.write("to be forgotten", namespace="user/ada").results[0].id
        memory.delete(gone, namespace="user/ada")
        other = [{"id": f"b{i}", "text": f"Bo paid {i} euros on {i + 1} May."} for i in range(3 + filler)]
        for start in range(0, len(other), 100):
            memory.write(namespace="user/bo", memories=[*other[start : start + 100]])
        memory.update("b0", namespace="user/bo", expires_at="2999-01-01T00:00:00Z")
        memory.query("Where do I live?", namespace="user/ada", session_id="s")
        memory.feedback([{"memory_id": "m3", "value": 1}], namespace="user/ada")
        memory.engine.store.note(AuditEntry(START, "local", "k", "key", "erase", None, "ok"))
        assemble.open_keyring(settings, memory.engine).create("acme", "laptop")


def told(settings: Settings) -> dict[str, Any]:
    """All that can be read in a store."""
    with AIMMemory(settings=settings) as memory:
        store = memory.engine.store
        spaces = [space.namespace for space in memory.namespaces().items]
        views = [view for space in spaces for view in memory.iterate(namespace=space)]
        return {
            "memories": views,
            "heads": [(space.namespace, space.seq, space.memories) for space in memory.namespaces().items],
            "histories": [memory.history(view.id, namespace=view.namespace) for view in views],
            "originals": [memory.evidence(view.id, namespace=view.namespace) for view in views],
            "found": [memory.query("Where do I live?", namespace=space).results for space in spaces],
            "sessions": [memory.sessions(namespace=space) for space in spaces],
            "keys": store.keys(),
            "audit": store.noted(),
        }
