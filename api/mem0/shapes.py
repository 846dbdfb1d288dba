"""What mem0's clients send, and what they read."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, date, datetime, time, timedelta
from hashlib import md5, sha256
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from aim_memory.api.mem0.scope import KINDS, OWN, Scope
from aim_memory.bodies import HistoryReply, MemoryItem, MemoryView
from aim_memory.errors import InvalidInputError

_SESSION = re.compile(r"[A-Za-z0-9_.:-]{1,128}")


class _Sent(BaseModel):
    """mem0's clients send fields of many versions of its service; what is not used is named in the reply."""

    model_config = ConfigDict(frozen=True, extra="allow")

    @property
    def fields(self) -> dict[str, Any]:
        return self.model_dump(exclude_unset=True)

    @property
    def unused(self) -> list[str]:
        """Fields that were sent, mean something to mem0 and nothing here."""
        harmless = {"org_id", "project_id", "output_format", "version", "api_version", "async_mode"}
        return sorted(set(self.model_extra or ()) - harmless)


class _Owned(_Sent):
    user_id: str | int | None = None
    agent_id: str | int | None = None
    app_id: str | int | None = None
    run_id: str | int | None = None
    filters: dict[str, Any] | None = None


class AddBody(_Owned):
    messages: str | dict[str, Any] | list[dict[str, Any]]
    metadata: dict[str, Any] | None = None
    timestamp: int | float | str | None = None
    expiration_date: str | None = None
    immutable: bool = False
    infer: bool = True
    categories: list[str] | None = None


class SearchBody(_Owned):
    query: str
    top_k: int | None = Field(None, ge=1)
    limit: int | None = Field(None, ge=1)
    threshold: float | None = None
    reference_date: int | float | str | None = None
    show_expired: bool | None = None
    latest_only: bool | None = None
    metadata: dict[str, Any] | None = None
    categories: list[str] | None = None
    rerank: bool | None = None
    keyword_search: bool | None = None


class PageBody(_Owned):
    start_date: str | None = None
    end_date: str | None = None
    categories: list[str] | None = None
    latest_only: bool | None = None
    show_expired: bool | None = None
    page: int | None = Field(None, ge=1)
    page_size: int | None = Field(None, ge=1)
    top_k: int | None = Field(None, ge=1)
    limit: int | None = Field(None, ge=1)


class UpdateBody(_Sent):
    text: str | None = None
    data: str | None = None
    metadata: dict[str, Any] | None = None
    timestamp: int | float | str | None = None
    expiration_date: str | None = None


class BatchBody(_Sent):
    memories: list[dict[str, Any]] = Field(min_length=1, max_length=1000)


class FeedbackBody(_Sent):
    memory_id: str
    feedback: str | None = None


# --- from mem0 to us -----------------------------------------------------------------------------------------------


@contextmanager
def as_sent() -> Iterator[None]:
    """Around bodies of ours that are made of what was sent: what they cannot hold is the sender's mistake.

    Raises InvalidInputError.
    """
    try:
        yield
    except ValidationError as failure:
        first = failure.errors(include_url=False)[0]
        field = ".".join(map(str, first["loc"]))
        raise InvalidInputError(f"{field}: {first['msg'].removeprefix('Value error, ')}", field=field) from None


def items_of(body: AddBody, entities: Mapping[str, str]) -> list[MemoryItem]:
    """One memory per message that says something. System messages are no memories, as in mem0.

    Raises InvalidInputError.
    """
    given = body.messages
    messages = [{"role": "user", "content": given}] if isinstance(given, str) else given
    listed = [messages] if isinstance(messages, dict) else messages
    metadata = {**(body.metadata or {}), OWN: kept_of(body, entities)}
    said, ends = moment_of(body.timestamp, "timestamp"), end_of(body.expiration_date)
    with as_sent():
        return [
            MemoryItem(
                text=text,
                role=message.get("role", "user"),
                speaker=message.get("name"),
                session_id=session_of(entities.get("run_id")),
                timestamp=moment_of(message.get("timestamp"), "timestamp") or said,
                metadata=metadata,
                expires_at=ends,
            )
            for message in listed
            if message.get("role") != "system" and (text := _text_of(message))
        ]


def kept_of(body: AddBody, entities: Mapping[str, str]) -> dict[str, Any]:
    """What mem0 keeps beside the metadata."""
    marks = {"categories": body.categories, "immutable": body.immutable or None}
    return {**entities, **{name: value for name, value in marks.items() if value}}


def session_of(run_id: str | None) -> str | None:
    """A run is a session; a name that none of ours may have is replaced by its digest."""
    if run_id is None or _SESSION.fullmatch(run_id):
        return run_id
    return f"run:{sha256(run_id.encode()).hexdigest()[:32]}"


def _text_of(message: Mapping[str, Any]) -> str:
    content = message.get("content")
    if content is None:
        return ""
    if isinstance(content, str):
        return content.strip()
    parts = content if isinstance(content, list) else [content]
    if not all(isinstance(part, Mapping) and part.get("type") == "text" for part in parts):
        raise InvalidInputError("messages may hold text only: images, sound and documents are not read here.")
    return "\n".join(str(part.get("text", "")) for part in parts).strip()


def moment_of(value: Any, field: str) -> datetime | None:
    """Unix seconds, or an ISO 8601 time; None for none. Raises InvalidInputError."""
    if value is None:
        return None
    try:
        if isinstance(value, str) and not value.isdecimal():
            moment = datetime.fromisoformat(value)
            return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
        return datetime.fromtimestamp(float(value), UTC)
    except (TypeError, ValueError, OverflowError, OSError):
        raise InvalidInputError(f"{field} must be Unix seconds or an ISO 8601 time.", field=field) from None


def end_of(day: str | None) -> datetime | None:
    """A memory that expires on a day is there until that day is over, UTC."""
    if day is None:
        return None
    try:
        return datetime.combine(date.fromisoformat(day[:10]) + timedelta(days=1), time(), UTC)
    except (ValueError, OverflowError):
        raise InvalidInputError("expiration_date must be a day: YYYY-MM-DD.", field="expiration_date") from None


# --- from us to mem0 -----------------------------------------------------------------------------------------------


def memory_of(view: MemoryView, score: float | None = None) -> dict[str, Any]:
    metadata = dict(view.metadata)
    kept = metadata.pop(OWN, None)
    own = kept if isinstance(kept, Mapping) else {}
    home = Scope.of_namespace(view.namespace)
    ids = {f"{kind}_id": own.get(f"{kind}_id") for kind in KINDS}
    if home is not None:
        ids[f"{home.kind}_id"] = home.name
    shown: dict[str, Any] = {
        "id": view.id,
        "memory": view.text,
        **ids,
        "actor_id": view.speaker,
        "role": view.role,
        "hash": md5(view.text.encode(), usedforsecurity=False).hexdigest(),
        "metadata": metadata or None,
        "categories": own.get("categories", []),
        "immutable": bool(own.get("immutable", False)),
        "expiration_date": view.expires_at and (view.expires_at - timedelta(days=1)).date().isoformat(),
        "created_at": view.timestamp.isoformat(),
        "updated_at": max(view.timestamp, view.updated_at).isoformat()
        if view.version > 1
        else view.timestamp.isoformat(),
        "superseded_by": view.superseded_by,
    }
    return shown if score is None else {**shown, "score": score}


def history_of(view: MemoryView, history: HistoryReply) -> list[dict[str, Any]]:
    """Each change of the text, oldest first."""
    events: list[dict[str, Any]] = []
    before: str | None = None
    ids = {key: value for key, value in memory_of(view).items() if key.endswith("_id")}
    for version in history.versions:
        if version.text == before:
            continue
        events.append(
            {
                "id": f"{view.id}:{version.version}",
                "memory_id": view.id,
                "old_memory": before,
                "new_memory": version.text,
                "event": "ADD" if before is None else "UPDATE",
                "created_at": history.versions[0].at.isoformat(),
                "updated_at": version.at.isoformat(),
                "is_deleted": False,
                **ids,
            }
        )
        before = version.text
    return events


def page_of(results: Sequence[dict[str, Any]], page: int, size: int, path: str) -> dict[str, Any]:
    first = (page - 1) * size
    more, less = len(results) > first + size, page > 1
    return {
        "count": len(results),
        "next": f"{path}?page={page + 1}&page_size={size}" if more else None,
        "previous": f"{path}?page={page - 1}&page_size={size}" if less else None,
        "results": list(results[first : first + size]),
    }
