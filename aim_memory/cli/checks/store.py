"""The store: does it open, is it of this version, is it whole, and does the work that lies in it go on."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from datetime import timedelta
from typing import TYPE_CHECKING

from aim_memory.cli.checks.findings import Finding
from aim_memory.clock import SystemClock
from aim_memory.errors import AIMMemoryError, MissingExtraError, StorageFullError
from aim_memory.extras import needs

if TYPE_CHECKING:
    from aim_memory.ports import MemoryStore, Vault
    from aim_memory.settings import Settings

READ_WHOLE_BYTES = 64 << 20
"""Of a database file that is read from first to last; larger ones take minutes: that is for ``aimem verify``."""
WAITED = timedelta(minutes=10)
"""A server embeds what is pending every half a minute."""


def store_findings(settings: Settings) -> Iterator[Finding]:
    try:
        with needs("embedded"):
            from aim_memory.assemble import open_store, open_vault
        vault = open_vault(settings)
        before, head = vault.revisions()
        if before not in (None, head):
            yield _other_schema(before, head)
            return
        with closing(open_store(settings)) as store:
            yield _figures(store)
            yield from _damage(settings, vault)
            yield from _vectors(settings, store)
            yield from _jobs(store)
    except (AIMMemoryError, OSError) as failure:
        yield Finding("database", "failed", str(failure), _cure(settings, failure))


def _other_schema(found: str | None, head: str) -> Finding:
    if str(found) > head:
        fix = "A newer version wrote it, and this one leaves it alone: pip install --upgrade aim-memory"
        return Finding("schema", "failed", f"{found}, newer than {head}, which this version knows", fix)
    fix = "aimem migrate brings it to this version (so does whatever opens it next); before that: aimem backup FOLDER"
    return Finding("schema", "warning", f"{found}, older than {head} of this version", fix)


def _figures(store: MemoryStore) -> Finding:
    return Finding("database", "ok", ", ".join(f"{name} {value}" for name, value in store.check().items()))


def _damage(settings: Settings, vault: Vault) -> Iterator[Finding]:
    file = settings.home / "aim.db"
    if settings.database.url is not None or file.stat().st_size > READ_WHOLE_BYTES:
        return
    found = vault.verify(lambda step, done, total: None)
    if not found.sound:
        first, more = found.flaws[0], len(found.flaws) - 1
        told = f"{first.table} {first.where}: {first.found}" + (f", and {more} more" if more else "")
        yield Finding("database", "failed", told, f"{first.remedy} All of it: aimem verify")


def _vectors(settings: Settings, store: MemoryStore) -> Iterator[Finding]:
    """Whether memories wait for vectors, and why: another embedder was in use, or this one does not get to them."""
    from aim_memory.assemble import generation_in_use

    generation = generation_in_use(settings, store)
    if generation is None or not (waiting := store.count_pending(generation)):
        return
    if other := _another(store, generation, waiting):
        here, before = _named(generation), _named(other)
        found = f"{waiting:,} memories have none of {here}, which is in use, but those of {before}"
        fix = "aimem reindex makes them; or set AIM_EMBEDDER__ back to the embedder before."
        yield Finding("vectors", "warning", found, fix)
        return
    space, memory_id = store.pending(1, generation)[0]
    since = store.get(space, [memory_id])[memory_id].updated_at
    if SystemClock().now() - since > WAITED:
        found = (
            f"{waiting:,} memories have waited for theirs since {since:%Y-%m-%d %H:%M}Z; they are found by words alone"
        )
        yield Finding("vectors", "warning", found, "See below whether the embedder works, then: aimem reindex")


def _another(store: MemoryStore, generation: str, waiting: int) -> str | None:
    """An embedder that has made vectors of more memories than the one in use."""
    others = [name for name in store.generations() if name != generation]
    return next((name for name in reversed(others) if store.count_pending(name) < waiting), None)


def _named(generation: str) -> str:
    """Name, version, dimension; without the prefixes."""
    return " ".join(generation.split("|")[:3])


def _jobs(store: MemoryStore) -> Iterator[Finding]:
    now = SystemClock().now()
    for job in store.jobs.list(limit=50):
        if job.state in ("queued", "running") and now - job.updated_at > WAITED:
            found = f"{job.kind} {job.id} is {job.state} and has not moved since {job.updated_at:%Y-%m-%d %H:%M}Z"
            fix = f"A running server takes it up: aimem serve. To end it: aimem jobs cancel {job.id}"
            yield Finding("jobs", "warning", found, fix)


def _cure(settings: Settings, failure: Exception) -> str:
    text = str(failure)
    if isinstance(failure, MissingExtraError):
        return f"pip install 'aim-memory[{failure.extra}]'"
    if "malformed" in text or "not a database" in text:
        return "Restore the last backup: aimem restore FOLDER --replace. Before that, save what is read: aimem export"
    if isinstance(failure, StorageFullError):
        return "Free some disk space."
    if "postgresql" in settings.database_url:
        return "Is PostgreSQL running? Look at the host, port, name and password in AIM_DATABASE__URL."
    return "Look at AIM_DATABASE__URL, at the rights on the data folder, and whether an older version is running."
