"""Where settings say so, all that is written is read for facts, without being asked for each time."""

from __future__ import annotations

import threading
from collections.abc import Callable

from aim_memory.engine.parts import Parts
from aim_memory.types import Job, Space


class Automatic:
    """Remembers which namespaces have something new, and has jobs made for them now and then: a writer pays nothing.

    What a process leaves behind that is killed in between is found by the next one, at its first round.
    """

    def __init__(self, parts: Parts, submit: Callable[[Space], Job]) -> None:
        self._on = parts.extraction.automatic and parts.chat is not None
        self._store = parts.store
        self._submit = submit
        self._lock = threading.Lock()
        self._new: set[Space] = set()
        self._began = False

    def changed(self, space: Space) -> None:
        if self._on:
            with self._lock:
                self._new.add(space)

    def run(self) -> None:
        """One round. Raises StorageError."""
        if not self._on:
            return
        with self._lock:
            due, self._new = self._new, set()
        if not self._began:
            due |= set(self._store.with_unread())
            self._began = True
        for space in due:
            if self._submit(space).state == "running":
                self.changed(space)  # it may have looked already where something new is
