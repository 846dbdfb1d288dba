"""A memory in a folder with the hashing embedder, and people who talk to a bot over it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

from aim_memory import AIMMemory, errors
from aim_memory.chatbots.messages import Message, Origin
from aim_memory.settings import EmbedderSettings, Settings

START = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)


@contextmanager
def memory_in(home: Path) -> Iterator[AIMMemory]:
    settings = Settings(home=home, embedder=EmbedderSettings(kind="hashing"))
    with AIMMemory(settings=settings) as memory:
        yield memory


def origin(person: str = "ada", room: str = "dm", *, private: bool = True) -> Origin:
    return Origin(f"test/{person}", room, room, private, person.capitalize())


def said(text: str, id: str = "1", where: Origin | None = None, *, addressed: bool = True, edited: int = 0) -> Message:
    """A message; ``edited`` is how many minutes after it was said it got this wording."""
    wording = START + timedelta(minutes=edited) if edited else None
    return Message(id, where or origin(), text, START, addressed, wording)


class Away:
    """A memory that cannot be reached."""

    def __getattr__(self, verb: str) -> object:
        def fail(*_: object, **__: object) -> None:
            raise errors.ConnectionFailedError("away")

        return fail
