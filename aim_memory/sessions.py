"""Session states, kept in memory and written behind: a query never waits for a commit.

A state is derived from what was asked, never from what is stored, so losing the last one in a crash costs a little
steering and no memory. A clean close writes everything. A state is of one epoch of its namespace: another server, which
does not hear of an erasure, neither goes on with one nor brings it back. One that was reset by another server is not
brought back either, and forgotten at the first turn after it.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

from aim_memory.errors import StorageError
from aim_memory.ports import MemoryStore
from aim_memory.types import SessionState, Space

_Key = tuple[Space, str]


class Sessions:
    """The states of recent sessions over a store. Thread-safe; the newest turn wins a race."""

    def __init__(self, store: MemoryStore, generation: str | None = None, capacity: int = 4096) -> None:
        """``generation``: of the embedder that asks; the course of a session under another one is forgotten."""
        self._store = store
        self._generation = generation
        self._capacity = capacity
        self._states: OrderedDict[_Key, SessionState] = OrderedDict()
        self._unwritten: dict[_Key, SessionState] = {}
        self._lock = threading.Lock()
        self._writer = ThreadPoolExecutor(max_workers=1, thread_name_prefix="aim-sessions")

    def get(self, space: Space, session_id: str) -> SessionState:
        """The state of a session; a session nobody has heard of, or of an erased namespace, is at rest."""
        key, epoch = (space, session_id), self._epoch(space)
        with self._lock:
            state = self._unwritten.get(key) or self._states.get(key)
        if state is not None and state.epoch == epoch:
            return state
        return self._own(self._store.load_session(space, session_id) or SessionState(epoch=epoch))

    def put(self, space: Space, session_id: str, state: SessionState) -> None:
        """Keeps a state unless a newer turn is known, and has it written soon."""
        epoch = state.epoch or self._epoch(space)
        key, state = (space, session_id), replace(state, generation=self._generation, epoch=epoch)
        with self._lock:
            known = self._states.get(key)
            if known is not None and (known.epoch, known.turns) > (epoch, state.turns):
                return
            if known is not None and known.epoch == epoch:
                state = replace(state, stored=state.stored or known.stored)
            self._states[key] = self._unwritten[key] = state
            self._states.move_to_end(key)
            while len(self._states) > self._capacity:
                self._states.popitem(last=False)
            idle = len(self._unwritten) == 1
        if idle:  # the writer takes all that is unwritten, so one job per burst is enough
            self._writer.submit(self._write)

    def reset(self, space: Space, session_id: str) -> bool:
        """Puts a session at rest. Returns whether there was one."""
        self.flush()
        with self._lock:
            known = self._states.pop((space, session_id), None) is not None
        return self._store.delete_session(space, session_id) or known

    def drop(self, space: Space) -> None:
        """Forgets all states of a namespace that was erased."""
        with self._lock:
            for states in (self._states, self._unwritten):
                for key in [key for key in states if key[0] == space]:
                    del states[key]

    def flush(self) -> None:
        """Returns when all that was put before is written."""
        self._writer.submit(self._write).result()

    def close(self) -> None:
        self.flush()
        self._writer.shutdown()

    def _epoch(self, space: Space) -> int:
        head = self._store.head(space)
        return 0 if head is None else head.epoch

    def _own(self, state: SessionState) -> SessionState:
        """What was asked stays known; where it led is told by vectors that this embedder cannot read."""
        if state.generation == self._generation:
            return state
        return replace(state, direction=None, drift=None, generation=self._generation)

    def _write(self) -> None:
        with self._lock:
            batch, self._unwritten = self._unwritten, {}
        for (space, session_id), state in batch.items():
            try:
                written = self._store.save_session(space, session_id, state)
            except StorageError:
                continue  # steering only; the state stays in memory and the next turn writes it again
            if written or state.stored:
                self._note((space, session_id), written)

    def _note(self, key: _Key, written: bool) -> None:
        """That the store has a state now; or that another server has reset it, or knows a newer turn."""
        with self._lock:
            for states in (self._states, self._unwritten):
                if written and key in states:
                    states[key] = replace(states[key], stored=True)
                elif not written:
                    states.pop(key, None)
