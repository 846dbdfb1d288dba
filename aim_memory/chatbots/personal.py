"""One person's memory as a chatbot keeps it: everything about one person lies in one namespace, the consent too."""

from __future__ import annotations

import hashlib
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal, Protocol

from aim_memory.bodies import AnswerReply, Filter, Hit, MemoryItem, MemoryView, ResetReply, SessionPage, WriteReply
from aim_memory.chatbots.messages import Message, Origin
from aim_memory.chatbots.redaction import Redacted, redact
from aim_memory.errors import ConflictError, InvalidInputError, NotFoundError, PermissionDeniedError, StaleVersionError
from aim_memory.integrations.memory import AsyncMemory, Memories
from aim_memory.integrations.payloads import safe_id

CONSENT = "consent"
"""Id and source of the memory that says that the person agreed."""
SOURCE = "chat"
PAGE = 200
MATCHES = 5
HANDLE_DIGITS = 8


@dataclass(frozen=True, slots=True)
class Kept:
    """What became of a message."""

    status: Literal["new", "known", "refused", "no consent"]
    """known: it had been kept, or erased, before; it was delivered again."""
    text: str = ""
    """As it was kept: without secrets."""
    removed: tuple[str, ...] = ()
    reason: str = ""


class ChatMemory(AsyncMemory, Protocol):
    """What a chatbot asks of a memory."""

    async def write(
        self, *, namespace: str, memories: Memories | None = None, idempotency_key: str | None = None
    ) -> WriteReply: ...

    async def sessions(self, *, namespace: str, limit: int = 50) -> SessionPage: ...

    async def reset_session(self, session_id: str, *, namespace: str) -> ResetReply: ...


class PersonalMemory:
    """What is kept of the person in whose namespace it is."""

    def __init__(self, memory: ChatMemory, namespace: str) -> None:
        self._memory = memory
        self.namespace = namespace

    async def agreed(self) -> bool:
        return await self._get(CONSENT) is not None

    async def agree(self, terms: str, at: datetime | None = None) -> None:
        """Notes what the person agreed to, once."""
        if not await self.agreed():
            item = MemoryItem(id=CONSENT, text=terms, timestamp=at, role="user", source=CONSENT, pinned=True)
            await self._memory.write(namespace=self.namespace, memories=[item])

    async def keep(self, message: Message) -> Kept:
        """Keeps a message, without the secrets in it; one that is there already stays as it is.

        One that was kept and erased stays away, as long as the store knows the request again.
        """
        clean = redact(message.text)
        try:
            reply = await self._memory.write(
                namespace=self.namespace, memories=[_item(message, clean)], idempotency_key=self._key(message)
            )
        except ConflictError:  # it is, or was, there in another wording: an edit was faster
            return Kept("known", clean.text)
        except InvalidInputError as failure:
            return Kept("refused", clean.text, reason=failure.message)
        result = reply.results[0]
        if result.status == "rejected":
            return Kept("refused", clean.text, reason=result.reason or "")
        if reply.replayed:
            return Kept("known", clean.text)
        return Kept("new" if result.status == "created" else "known", clean.text, clean.kinds)

    async def change(self, message: Message) -> Kept:
        """Gives a message its new wording, unless it has a newer one; one that is not there yet is kept."""
        while held := await self._get(safe_id(message.id)):
            clean = redact(message.text)
            if clean.text == held.text or not _newer(message, held):
                return Kept("known", clean.text)
            try:
                await self._memory.update(
                    held.id,
                    namespace=self.namespace,
                    if_match=held.version,
                    text=clean.text,
                    metadata=_metadata(message),
                )
            except (StaleVersionError, NotFoundError):
                continue  # somebody changed or erased it meanwhile: look again
            return Kept("known", clean.text, clean.kinds)
        return await self.keep(message)

    async def remove(self, memory_id: str) -> bool:
        """Erases one memory with its history, and what its session was asked last. False if there is none."""
        held = await self._get(safe_id(memory_id))
        if held is None:
            return False
        if held.session_id is not None:  # it holds the last questions as they were asked
            await self._memory.reset_session(held.session_id, namespace=self.namespace)
        return await self._erased(held.id) > 0

    async def erase(self) -> int:
        """Erases everything about the person, the consent too; how many memories that were."""
        try:
            receipt = await self._memory.forget(self.namespace)
        except NotFoundError:
            return 0
        except PermissionDeniedError:  # a writer's key erases no namespace, but each thing in it
            return await self._erase_each()
        return receipt.erased.get("memories", 0)

    async def _erase_each(self) -> int:
        count = sum([await self._erased(id) for id in await self._ids()])
        while held := (await self._memory.sessions(namespace=self.namespace, limit=PAGE)).items:
            for session in held:  # they hold the last questions as they were asked
                await self._memory.reset_session(session.id, namespace=self.namespace)
        return count

    async def _erased(self, memory_id: str) -> int:
        """How many went: none if it has gone with another, as what was derived from one does."""
        try:
            return (await self._memory.delete(memory_id, namespace=self.namespace)).deleted
        except NotFoundError:
            return 0

    async def answer(self, question: str, origin: Origin, *, apart_from: str | None = None) -> AnswerReply:
        """An answer from what the person said; ``apart_from`` is the message that asks.

        Secrets are taken out of the question too: the session remembers what it was asked.
        """
        return await self._memory.answer(
            redact(question).text,
            namespace=self.namespace,
            session_id=safe_id(origin.session),
            filters=readable(origin, apart_from),
        )

    async def matching(self, words: str, origin: Origin) -> list[Hit]:
        """The memories that bear most on some words."""
        found = await self._memory.query(words, namespace=self.namespace, top_k=MATCHES, filters=readable(origin, None))
        return found.results

    async def everything(self) -> AsyncIterator[MemoryView]:
        """Every memory, the consent too, in the order they were written."""
        cursor: str | None = None
        while True:
            page = await self._memory.list(namespace=self.namespace, limit=PAGE, cursor=cursor)
            for memory in page.items:
                yield memory
            if (cursor := page.next_cursor) is None:
                return

    def _key(self, message: Message) -> str:
        """The same for every delivery of a message."""
        return hashlib.sha256(f"{self.namespace} {message.id}".encode()).hexdigest()

    async def _ids(self) -> list[str]:
        return [memory.id async for memory in self.everything()]

    async def _get(self, memory_id: str) -> MemoryView | None:
        try:
            return await self._memory.get(memory_id, namespace=self.namespace)
        except NotFoundError:
            return None


def handle(memory_id: str) -> str:
    """A short name for a memory, to be typed by people."""
    return hashlib.sha256(memory_id.encode()).hexdigest()[:HANDLE_DIGITS]


def readable(origin: Origin, apart_from: str | None) -> Filter:
    """What may be shown where it is asked: in private all of it, before others what was said before them."""
    conditions: list[dict[str, Any]] = [{"source": {"ne": CONSENT}}]
    if not origin.private:
        conditions.append({"metadata.chat.room": {"eq": origin.room}})
    if apart_from is not None:
        conditions.append({"metadata.chat.message": {"ne": apart_from}})
    return {"and": conditions}


def _item(message: Message, clean: Redacted) -> MemoryItem:
    return MemoryItem(
        id=safe_id(message.id),
        text=clean.text,
        session_id=safe_id(message.origin.session),
        speaker=message.origin.name,
        role="user",
        timestamp=message.at,
        metadata=_metadata(message),
        source=SOURCE,
    )


def _metadata(message: Message) -> dict[str, Any]:
    said = {"room": message.origin.room, "message": message.id}
    return {"chat": said | ({"edited": message.edited.isoformat()} if message.edited else {})}


def _newer(message: Message, held: MemoryView) -> bool:
    before = held.metadata.get("chat", {}).get("edited")
    return before is None or (message.edited is not None and message.edited > datetime.fromisoformat(before))
