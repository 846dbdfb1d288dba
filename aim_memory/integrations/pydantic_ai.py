"""PydanticAI: a capability that recalls before a run and remembers after it, and a history that outlives the process.

agent = Agent(model, capabilities=[AIMCapability(memory, namespace="user/ada")])
history = AIMHistory(memory, namespace="user/ada", session_id="monday")
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, cast

from aim_memory.bodies import MemoryItem
from aim_memory.extras import needs
from aim_memory.integrations.memory import AsyncMemory, Memory, awaited, on_a_thread
from aim_memory.integrations.payloads import batches, kept, pieces, safe_id, words
from aim_memory.integrations.recalled import asked, noticed
from aim_memory.integrations.turns import Turn, Turns

with needs("pydantic-ai"):
    from pydantic_ai import RunContext
    from pydantic_ai.capabilities import AbstractCapability
    from pydantic_ai.messages import ModelMessage, ModelMessagesTypeAdapter
    from pydantic_ai.run import AgentRunResult
    from pydantic_ai.toolsets import FunctionToolset

OWN = "pydantic-ai"


class AIMCapability(AbstractCapability[Any]):
    """What is known on a run's prompt stands in its instructions; ``recall`` is a tool for more; both sides are kept.

    Args:
        memory: A ``Client``, an ``AsyncClient`` or an ``AIMMemory``.
        namespace: Whose memories.
        k: How many are recalled, at most.
        session_id: The conversation, which follow-up questions belong to.
        max_tokens: Budget of the instructions; the memory's own if left out.
        remember: Whether the prompt and the output of a run are written.
    """

    def __init__(
        self,
        memory: Memory | AsyncMemory,
        *,
        namespace: str,
        k: int = 10,
        session_id: str | None = None,
        max_tokens: int | None = None,
        remember: bool = True,
    ) -> None:
        self._memory = awaited(memory)
        self._namespace = namespace
        self._session = safe_id(session_id) if session_id else None
        self._remember = remember
        self._asked: dict[str, Any] = {"namespace": namespace, "top_k": k, "max_tokens": max_tokens}

    def get_instructions(self) -> Any:
        async def known(context: RunContext[Any]) -> str | None:
            return await self._known(_text(context.prompt)) or None

        return known

    def get_toolset(self) -> FunctionToolset[Any]:
        async def recall(question: str) -> str:
            """Search long-term memory: what was said in this and earlier conversations."""
            return await self._known(question) or "Nothing is known of that."

        return FunctionToolset([recall])

    async def after_run(self, ctx: RunContext[Any], *, result: AgentRunResult[Any]) -> AgentRunResult[Any]:
        """Writes the prompt and the output, in that order. Raises the errors of the memory."""
        if self._remember:
            said = (("user", _text(ctx.prompt)), ("assistant", _text(result.output)))
            items = [self._item(role, piece) for role, text in said for piece in pieces(text)]
            for batch in batches(items):
                kept(await self._memory.write(namespace=self._namespace, memories=batch))
        return result

    async def _known(self, question: str) -> str:
        if not question.strip():
            return ""
        return noticed((await self._memory.query(asked(question), session_id=self._session, **self._asked)).context)

    def _item(self, role: str, text: str) -> MemoryItem:
        return MemoryItem(text=text, role=role, session_id=self._session, source=OWN)


class AIMHistory:
    """The messages of a conversation, in order, exactly; each is a memory of the namespace as well.

    Args:
        memory: A ``Client`` or an ``AIMMemory``.
        namespace: Whose conversation.
        session_id: Which one.
    """

    def __init__(self, memory: Memory, *, namespace: str, session_id: str) -> None:
        self._turns = Turns(memory, namespace, session_id, OWN)

    def messages(self, limit: int | None = None) -> list[ModelMessage]:
        """For ``message_history``: the last ``limit``, or all, oldest first."""
        return ModelMessagesTypeAdapter.validate_python(self._turns.read(limit))

    def add(self, messages: Sequence[ModelMessage]) -> None:
        """Adds a run's ``new_messages()``. Raises InvalidInputError for those refused, once the others are written."""
        values = ModelMessagesTypeAdapter.dump_python(list(messages), mode="json")
        self._turns.add([_turn(value) for value in values])

    def clear(self) -> None:
        self._turns.clear()

    amessages = on_a_thread(messages)
    aadd = on_a_thread(add)
    aclear = on_a_thread(clear)


def _turn(value: dict[str, Any]) -> Turn:
    kinds = {part.get("part_kind") for part in value["parts"]}
    role = "assistant" if value["kind"] == "response" else "user" if "user-prompt" in kinds else "tool"
    return Turn(value, "\n".join(_said(value["parts"])), role)


def _said(parts: Sequence[dict[str, Any]]) -> Iterator[str]:
    """What a reader would see; a system prompt is nobody's words."""
    for part in parts:
        match part:
            case {"part_kind": "user-prompt" | "text" | "tool-return", "content": content}:
                yield _text(content)
            case {"part_kind": "tool-call", "tool_name": name, "args": arguments}:
                yield f"{name}({arguments})"


def _text(content: object) -> str:
    """The text of a prompt or an output: itself, its texts, or the leaves of a value."""
    if content is None or isinstance(content, str):
        return content or ""
    if isinstance(content, list | tuple):
        return "\n".join(part for part in content if isinstance(part, str))
    if hasattr(content, "model_dump"):
        content = cast(Any, content).model_dump(mode="json")
    return words(content)
