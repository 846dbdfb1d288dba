"""What a finished reply of a chat rests on, and what is kept of the exchange."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from aim_memory.answer import cite, verify
from aim_memory.answer.chat import text_of
from aim_memory.answer.reading import Evidence
from aim_memory.bodies import MessageItem, WriteRequest
from aim_memory.engine.answering import citations, reinforce, verification
from aim_memory.engine.exchange import Prepared
from aim_memory.engine.parts import Parts
from aim_memory.engine.querying import reply
from aim_memory.engine.remembering import Remembering
from aim_memory.types import EvidenceBlock, Space

CONVERSATION_CHARS = 32_768
"""How much of the chat itself, from its end, a reply is checked against."""


class Showing:
    def __init__(self, parts: Parts, remembering: Remembering) -> None:
        self._parts = parts
        self._remembering = remembering

    def finish(self, prepared: Prepared, text: str) -> dict[str, Any]:
        """The extension field of a reply. Returns when the exchange is committed."""
        chat, exchange = prepared.chat, _exchange(prepared, text)
        failure = self._remembering.keep(prepared.tenant, exchange, chat.author) if exchange else None
        reason = prepared.reason or failure
        return {
            "namespace": chat.namespace,
            "session_id": chat.session_id,
            "degraded": reason is not None,
            "reason": reason,
            **self._evidence(prepared, text),
            "remembered": exchange is not None and failure is None,
        }

    def cut(self, prepared: Prepared) -> None:
        """Of an exchange that was cut in the middle, the user's turn is remembered."""
        if exchange := _exchange(prepared, ""):
            self._remembering.keep_behind(prepared.tenant, exchange, prepared.chat.author)

    def _evidence(self, prepared: Prepared, text: str) -> dict[str, Any]:
        recalled, request = prepared.recalled, prepared.request
        if recalled is None or request is None:
            return {"results": [], "citations": [], "verification": {"supported": [], "unsupported": []}}
        notes = Evidence(prepared.listed)
        quotes = cite(text, notes)
        reinforce(self._parts, Space(prepared.tenant, request.namespace), quotes)
        both = Evidence((*notes.blocks, *_conversation(prepared)))
        verified = verify(text, both, reference=recalled.now)
        shown = reply(recalled, request)
        return {
            "results": [hit.model_dump(mode="json", exclude_none=True) for hit in shown.results],
            "notes": [
                {"number": number, "memory_id": block.memory_id, "start": block.start, "end": block.end}
                for number, block in enumerate(prepared.listed, start=1)
            ],
            "citations": [citation.model_dump() for citation in citations(quotes)],
            "verification": verification(verified).model_dump(),
            "confidence": shown.confidence,
            "mode": shown.mode,
            "tokens": shown.tokens.model_dump(),
        }


def _exchange(prepared: Prepared, text: str) -> WriteRequest | None:
    """What of an exchange becomes memories: the user's turn if it is the last, and the reply; None if nothing."""
    chat = prepared.chat
    if chat.namespace is None or not chat.remember:
        return None
    last = chat.messages[-1]
    asked = text_of(last.get("content")) if last.get("role") == "user" else ""
    turns = [MessageItem(role=role, content=said) for role, said in (("user", asked), ("assistant", text))]
    if not (turns := [turn for turn in turns if turn.content.strip()]):
        return None
    return WriteRequest(namespace=chat.namespace, session_id=chat.session_id, messages=turns)


def _conversation(prepared: Prepared) -> Iterator[EvidenceBlock]:
    """What was said in the chat itself: a reply may repeat it."""
    assert prepared.recalled is not None
    left = CONVERSATION_CHARS
    for message in reversed(prepared.chat.messages):
        text = text_of(message.get("content"))[:left]
        left -= len(text)
        if text:
            yield EvidenceBlock("", text, 0, len(text), 0.0, prepared.recalled.now)
