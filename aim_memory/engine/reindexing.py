"""From one embedder to another while the service runs: vectors of the next are made beside those in use, then one row
says that it is in use. The former ones are kept to go back to, until they are pruned."""

from __future__ import annotations

from collections.abc import Generator, Mapping
from dataclasses import replace
from typing import Any

from aim_memory.engine.embedding import BATCH, by_space, embed_pending
from aim_memory.engine.parts import Parts
from aim_memory.errors import ConfigurationError, InvalidInputError, NotFoundError
from aim_memory.ports import Embedder
from aim_memory.types import ChosenEmbedder, Job

_PRUNED = 256
"""Memories whose spare vectors go in one step."""
_LONGEST = 1 << 16
"""Dimensions of a hashing embedder."""


class Reindexing:
    """Two kinds of job, and what can be said and done about embedders at once."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts

    def reindex(self, job: Job) -> Generator[Job, None, dict[str, Any]]:
        """Embeds every memory that has no vectors of an embedder.

        It needs no cursor: what is done is in the store, and what was written or edited meanwhile waits like the rest.

        Args of the job:
            to: Settings of the embedder, which is then put in use; the one that is in use if left out.
        """
        store, to = self._parts.store, job.arguments.get("to")
        embedder = self._opened(to)
        total = job.done + store.count_pending(embedder.generation)
        while seen := embed_pending(store, embedder, BATCH):
            job = replace(job, done=job.done + seen, total=max(total, job.done + seen))
            yield job
        if to is not None:
            store.choose_embedder(ChosenEmbedder(embedder.generation, to), self._parts.clock.now())
        return {"generation": embedder.generation, "embedded": job.done}

    def prune(self, job: Job) -> Generator[Job, None, dict[str, Any]]:
        """Drops vectors of other embedders than the job's, wherever there are some of it.

        Args of the job:
            generation: Whose vectors stay.
        """
        store, generation = self._parts.store, job.arguments["generation"]
        while found := store.prunable(_PRUNED, generation):
            for space, ids in by_space(found).items():
                with store.begin(space) as work:
                    work.prune(ids, generation)
                    work.commit()
            job = replace(job, done=job.done + len(found))
            yield job
        return {"generation": generation, "pruned": job.done}

    def rollback(self, *, dry_run: bool = False) -> dict[str, Any]:
        """Takes the last switch back, and says what is in use then. Who runs goes on as he is until his next start.
        Raises NotFoundError if there was no switch."""
        chosen = self._parts.store.chosen_embedders()
        if not chosen:
            raise NotFoundError("there is nothing to go back from: the embedder in use is the one of the settings.")
        if not dry_run:
            self._parts.store.unchoose_embedder()
        generation = chosen[1].generation if len(chosen) > 1 else self._opened({}).generation
        return {"former": chosen[0].generation, **self._state(generation)}

    def outlook(self, to: Mapping[str, Any] | None = None) -> dict[str, Any]:
        """Of an embedder, the one in use if left out: its generation, how many memories wait for vectors of it, and how
        many have vectors of others beside. Raises InvalidInputError where there is no such embedder."""
        try:
            embedder = self._opened(to)
        except ConfigurationError as error:
            raise InvalidInputError(error.message, field="to") from error
        return self._state(embedder.generation)

    def _state(self, generation: str) -> dict[str, Any]:
        store = self._parts.store
        waiting, prunable = store.count_pending(generation), store.count_prunable(generation)
        return {"generation": generation, "waiting": waiting, "prunable": prunable}

    def _opened(self, to: Mapping[str, Any] | None) -> Embedder:
        if to is None:
            return self._parts.embedder
        if self._parts.open_embedder is None:
            raise ConfigurationError("This service was put together without a way to open another embedder.")
        return self._parts.open_embedder(to)


def named(embedder: str) -> dict[str, Any]:
    """An embedder's settings from what people call it: a hub name or path, openai:MODEL, hashing or hashing:DIMENSION.
    Raises InvalidInputError."""
    kind, colon, rest = embedder.partition(":")
    if kind == "openai" and rest:
        return {"kind": kind, "model": rest}
    if kind == "hashing" and (not colon or (rest.isdecimal() and 0 < int(rest) <= _LONGEST)):
        return {"kind": kind, "dimension": int(rest)} if rest else {"kind": kind}
    if not embedder.strip() or kind in ("openai", "hashing"):
        raise InvalidInputError(
            f"{embedder!r} names no embedder: say a hub name or path, openai:MODEL, or hashing:DIMENSION.", field="to"
        )
    return {"kind": "sentence-transformers", "model": embedder}
