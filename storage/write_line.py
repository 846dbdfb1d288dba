"""Writers of one process stand in line, and share commits: one sync of the disk makes durable what several wrote.

SQLite has one writer at a time. One transaction is handed down the line; everybody works in a savepoint of it, and who
finds nobody behind commits for all. Nobody waits for company: who is alone commits at once, and the next group is made
of those who come while the disk is busy.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager

from sqlalchemy.engine import Connection

from aim_memory.errors import StorageBusyError, StorageError
from aim_memory.storage.driver import cursor_of
from aim_memory.storage.fair_lock import FairLock

LARGEST = 64
"""Units of work in one commit."""
LONGEST_S = 0.05
"""A transaction that has been open for so long is committed even if more writers wait."""


_UNDONE = "The database undid the commit that this write shared; nothing of it was kept. Try again."


class Group:
    """One transaction that several units of work share. All of it is used by whoever has the turn, but ``wait``."""

    def __init__(self, transaction: AbstractContextManager[Connection]) -> None:
        self._stack = ExitStack()
        self.connection = self._stack.enter_context(transaction)
        self._since = time.monotonic()
        self._settled = threading.Event()
        self._error: StorageError | None = StorageError("The commit was interrupted; nothing of it was kept.")
        self._lost: StorageError | None = None
        """Why nothing of it can be kept any more."""
        self.kept = 0
        """Units that are to be committed."""

    def takes_more(self, largest: int, longest_s: float) -> bool:
        return self.kept < largest and time.monotonic() < self._since + longest_s and self._sound()

    def enter(self) -> None:
        """Begins a unit of work. Raises StorageError where nothing could be kept any more."""
        if not self._sound():
            raise self._lost or StorageError(_UNDONE)
        self._say("SAVEPOINT unit")

    def keep(self) -> None:
        """Ends a unit of work that is to be committed."""
        if self._sound():
            self._say("RELEASE unit")
        self.kept += 1

    def undo(self, cause: BaseException | None) -> None:
        """Takes a unit of work back, and nothing else: unless its error made the database undo the transaction."""
        if not self._alive():
            self._lost = cause if isinstance(cause, StorageError) else StorageError(_UNDONE)
            return
        try:
            self._say("ROLLBACK TO unit", "RELEASE unit")
        except StorageError as error:  # half of it would be committed with the others
            self._lost = error

    def settle(self) -> None:
        """Commits what is kept. Does not raise what the database says: everybody hears it in ``wait``."""
        try:
            if self._lost is None and not self._alive():
                self._lost = StorageError(_UNDONE)
            if self._lost is not None or not self.kept:
                self.connection.rollback()
            self._stack.close()
            self._error = self._lost
        except StorageError as error:
            self._error = error
        finally:
            self._settled.set()

    def wait(self) -> None:
        """Returns when the group is committed and synced. Raises why it is not, to everybody an error of his own."""
        self._settled.wait()
        if self._error is not None:
            raise type(self._error)(self._error.message) from self._error

    def _say(self, *statements: str) -> None:
        with cursor_of(self.connection) as cursor:
            for statement in statements:
                cursor.execute(statement)

    def _sound(self) -> bool:
        return self._lost is None and self._alive()

    def _alive(self) -> bool:
        """On some errors, a full disk among them, SQLite may undo the whole transaction by itself."""
        return bool(self.connection.connection.driver_connection.in_transaction)  # type: ignore[union-attr]


class Unit:
    """One writer's part of a group."""

    def __init__(self, group: Group, pass_on: Callable[[], None] | None) -> None:
        """``pass_on``: gives the turn away; None for one of several units in one turn, which nobody waits for here."""
        self._group = group
        self._pass_on = pass_on
        self._seen = group.kept
        self.left = False
        group.enter()

    @property
    def connection(self) -> Connection:
        return self._group.connection

    def commit(self) -> None:
        """Gives the turn away and returns when everything is synced."""
        self._leave(self._group.keep)
        if self._pass_on is not None:
            self._group.wait()

    def abandon(self, cause: BaseException | None) -> None:
        """Takes everything back. What was seen here of others is durable when this returns."""
        self._leave(lambda: self._group.undo(cause))
        if self._seen and self._pass_on is not None:
            self._group.wait()

    def _leave(self, end: Callable[[], None]) -> None:
        self.left = True
        try:
            end()
        finally:
            if self._pass_on is not None:
                self._pass_on()


@contextmanager
def _left(unit: Unit) -> Iterator[Unit]:
    """Takes a unit back that its user leaves without a commit."""
    try:
        yield unit
    except BaseException as error:
        if not unit.left:
            unit.abandon(error)
        raise
    if not unit.left:
        unit.abandon(None)


class WriteLine:
    """The line of a database's writers. Thread-safe, first come first served."""

    def __init__(
        self, begin: Callable[[], AbstractContextManager[Connection]], patience_s: float, largest: int = LARGEST
    ) -> None:
        """
        Args:
            begin: Opens a writing transaction that commits on leaving.
            patience_s: How long a writer waits for its turn; then it raises StorageBusyError.
            largest: Units of work in one commit.
        """
        self._begin = begin
        self._patience_s = patience_s
        self._largest = largest
        self._longest_s = LONGEST_S
        self._turn = FairLock(self._pass_on)
        self._open: Group | None = None  # belongs to whoever has the turn
        self.commits = self.units = 0
        """How many commits there were, and how many units of work in them."""

    @contextmanager
    def alone(self) -> Iterator[None]:
        """The turn, with no transaction open."""
        self._take_turn()
        try:
            self._settle()
            yield
        finally:
            self._turn.release()

    @contextmanager
    def unit(self) -> Iterator[Unit]:
        """A unit of work: committed with others by ``commit``, taken back by leaving without it."""
        group = self._joined()
        try:
            unit = Unit(group, self._pass_on)
        except BaseException:
            self._pass_on()
            raise
        with _left(unit):
            yield unit

    @contextmanager
    def turn(self) -> Iterator[Callable[[], AbstractContextManager[Unit]]]:
        """Any number of units of work, one after the other, by one thread in one turn.

        Their ``commit`` keeps them; durable they are when the turn is left. Raises then why nothing was kept.
        """
        group = self._joined()
        try:
            yield lambda: _left(Unit(group, None))
        finally:
            anything = group.kept
            self._pass_on()
            if anything:
                group.wait()

    def _joined(self) -> Group:
        """Takes the turn; the transaction that is handed down the line, or a new one."""
        self._take_turn()
        try:
            self._open = self._open or Group(self._begin())
        except BaseException:
            self._pass_on()
            raise
        return self._open

    def _take_turn(self) -> None:
        if not self._turn.acquire(self._patience_s):
            raise StorageBusyError

    def _pass_on(self) -> None:
        """Hands turn and transaction to the next in line; commits when there is none, or enough to be committed."""
        if self._open is not None and self._open.takes_more(self._largest, self._longest_s) and self._turn.hand_over():
            return
        try:
            self._settle()
        finally:
            self._turn.release()

    def _settle(self) -> None:
        group, self._open = self._open, None
        if group is not None:
            group.settle()
            if group.kept:
                self.commits, self.units = self.commits + 1, self.units + group.kept
