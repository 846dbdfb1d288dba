"""From a write request to drafts: one per memory, validated one by one, so that a bad item harms no other."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from aim_memory.bodies import MemoryItem, MessageItem, UpdateRequest, WriteRequest
from aim_memory.errors import InvalidInputError, LimitExceededError
from aim_memory.ingest import limits as check
from aim_memory.settings import LimitSettings
from aim_memory.types import StoredMemory, Trust, content_digest

NAME_CHARS = 256


@dataclass(frozen=True, slots=True)
class Draft:
    """A valid item that is not yet a memory: not analysed, not embedded, not admitted."""

    text: str
    id: str | None
    """The caller's id; None lets the service choose one."""
    session_id: str | None
    speaker: str | None
    role: str | None
    timestamp: datetime | None
    metadata: Mapping[str, Any]
    pinned: bool
    expires_at: datetime | None
    source: str | None

    @property
    def trust(self) -> Trust:
        """How far the text may be believed, by who said it."""
        if self.role in ("assistant", "tool"):
            return "assistant" if self.role == "assistant" else "tool"
        return "import" if self.source == "import" else "user"

    @property
    def digest(self) -> str:
        """SHA-256 (hex) of what makes two memories the same: content, who, where, and when if it was given."""
        who = (self.speaker, self.role, self.session_id, self.source)
        return content_digest(self.text, *who, self.timestamp, self.metadata)


def drafts(request: WriteRequest, limits: LimitSettings) -> list[Draft | InvalidInputError]:
    """A draft or the reason against it, per item, in the order given.

    Raises:
        LimitExceededError: the batch is too large.
        InvalidInputError: the namespace or the batch itself is not valid.
    """
    check.check_namespace(request.namespace)
    items = list(_items(request))
    if not items:
        raise InvalidInputError("the batch is empty; give at least one memory.", field="memories")
    if len(items) > limits.batch_items:
        raise LimitExceededError(
            f"the batch has {len(items)} items; at most {limits.batch_items}. Send several batches.", field="memories"
        )
    return [_checked(item, request.session_id, limits) for item in items]


def _items(request: WriteRequest) -> Iterator[MemoryItem]:
    if request.text is not None:
        yield MemoryItem(text=request.text)
    yield from request.memories or ()
    yield from map(_from_message, request.messages or ())


def _from_message(message: MessageItem) -> MemoryItem:
    speaker = message.name or message.role
    return MemoryItem(text=message.content, role=message.role, speaker=speaker, timestamp=message.timestamp)


def _checked(item: MemoryItem, session_id: str | None, limits: LimitSettings) -> Draft | InvalidInputError:
    try:
        return _draft(item, session_id, limits)
    except InvalidInputError as reason:
        return reason


def _draft(item: MemoryItem, session_id: str | None, limits: LimitSettings) -> Draft:
    session = item.session_id or session_id
    check.check_text(item.text, "text", limits.message_bytes)
    for value, field in ((item.id, "id"), (session, "session_id")):
        if value is not None:
            check.check_id(value, field, limits)
    for value, field in ((item.speaker, "speaker"), (item.role, "role"), (item.source, "source")):
        if value is not None:
            check.check_text(value, field, NAME_CHARS)
    check.check_metadata(item.metadata, limits)
    return Draft(
        text=item.text,
        id=item.id,
        session_id=session,
        speaker=item.speaker,
        role=item.role,
        timestamp=item.timestamp,
        metadata=item.metadata,
        pinned=item.pinned,
        expires_at=item.expires_at,
        source=item.source,
    )


def edited(before: StoredMemory, request: UpdateRequest, limits: LimitSettings) -> Draft:
    """The draft of a memory after an edit; fields the request does not set stay as they are."""
    changes = {field: getattr(request, field) for field in request.model_fields_set}
    if not changes:
        raise InvalidInputError("the edit changes nothing; give at least one field.")
    for field in ("text", "metadata", "pinned", "timestamp"):
        if field in changes and changes[field] is None:
            raise InvalidInputError(f"{field} cannot be null; leave it out to keep it.", field=field)
    held = {field: getattr(before, field) for field in UpdateRequest.model_fields}
    item = MemoryItem(
        id=None,
        session_id=before.session_id,
        speaker=before.speaker,
        role=before.role,
        source=before.source,
        **{**held, "metadata": dict(before.metadata), **changes},
    )
    # The id is kept as it is: it was accepted once, perhaps under other limits.
    return replace(_draft(item, None, limits), id=before.id)
