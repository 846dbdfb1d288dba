"""What a platform's event becomes, and what goes back: plain values, the same for all platforms."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True)
class Origin:
    """Who spoke, and where."""

    namespace: str
    """The person's own: ``slack/T01/U02``."""
    room: str
    """The channel, group or private chat, by the platform's id for it."""
    session: str
    """The conversation: a thread where there is one, else the room."""
    private: bool
    """Whether only this person reads what is said here."""
    name: str | None = None
    """What the person is called."""


@dataclass(frozen=True, slots=True)
class Message:
    """Something a person said."""

    id: str
    """Of the message itself, so the same however often and in whatever wrapping it is delivered."""
    origin: Origin
    text: str
    at: datetime | None = None
    """When it was said; now if the platform does not say."""
    addressed: bool = True
    """Whether it is said to the bot; what is not gets no reply."""
    edited: datetime | None = None
    """When it got this wording, if that is not its first."""


@dataclass(frozen=True, slots=True)
class Attachment:
    name: str
    content: bytes


@dataclass(frozen=True, slots=True)
class Reply:
    text: str
    attachment: Attachment | None = None
