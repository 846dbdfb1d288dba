"""The nine tools that the MCP server offers: what a model reads about each, what it may say, and what it gets back.

Replies are JSON, so recalled text cannot break out of its string; those that hold recalled text open with a notice
that it is data. Every word here is read by a model in every conversation: a test counts them.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from pydantic import Field, ValidationError

from aim_memory.bodies import Body, Filter, MemoryView, Moment
from aim_memory.errors import InvalidInputError
from aim_memory.integrations.memory import AsyncMemory
from aim_memory.integrations.recalled import NOTICE

DEFAULT_NAMESPACE = "default"
NAMESPACES = 50
"""How many of them memory_status names."""


@dataclass(frozen=True, slots=True)
class Door:
    """Through which a caller reaches memories: the verbs, bound to who is calling, and the namespace meant by none."""

    memory: AsyncMemory
    namespace: str = DEFAULT_NAMESPACE


class Arguments(Body):
    namespace: str | None = Field(None, description="Whose memory, a path such as user/ada.")

    def whose(self, door: Door) -> str:
        return self.namespace or door.namespace


class Add(Arguments):
    text: str = Field(description="One fact or message, in full sentences.")
    speaker: str | None = Field(None, description="Who said it.")
    timestamp: Moment | None = Field(None, description="When it was said; now if left out.")
    session_id: str | None = None
    metadata: dict[str, Any] = Field(default_factory=dict)


class Search(Arguments):
    query: str
    top_k: int = Field(10, ge=1, le=100)
    session_id: str | None = Field(None, description="The conversation, so that follow-up questions keep their course.")
    filters: Filter | None = Field(
        None, description='{"metadata.topic": {"eq": "work"}}; fields: speaker, timestamp, …'
    )


class Browse(Arguments):
    limit: int = Field(20, ge=1, le=200)
    cursor: str | None = Field(None, description="next_cursor of the page before.")
    filters: Filter | None = None


class One(Arguments):
    memory_id: str


class Update(One):
    text: str | None = None
    metadata: dict[str, Any] | None = None
    pinned: bool | None = None


class Everything(Body):
    namespace: str = Field(description="The namespace to erase.")


class Question(Arguments):
    query: str
    session_id: str | None = None


class Nothing(Body):
    pass


A = TypeVar("A", bound=Body)
Reply = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Tool(Generic[A]):
    """A tool: its words, its arguments, and what it runs."""

    name: str
    about: str
    arguments: type[A]
    run: Callable[[Door, A], Awaitable[Reply]]
    reads: bool = False
    destroys: bool = False

    @property
    def schema(self) -> dict[str, Any]:
        """JSON Schema of the arguments, without what says nothing to a model."""
        whole = self.arguments.model_json_schema()
        properties = {name: _plain(field) for name, field in whole.get("properties", {}).items()}
        needed = {"required": whole["required"]} if "required" in whole else {}
        return {"type": "object", "properties": properties, **needed}

    async def call(self, door: Door, given: Mapping[str, Any]) -> Reply:
        """Runs the tool. Raises InvalidInputError, naming the argument, and what the verbs raise."""
        try:
            arguments = self.arguments.model_validate(given)
        except ValidationError as failure:
            first = failure.errors(include_url=False)[0]
            where, known = ".".join(map(str, first["loc"])), ", ".join(self.arguments.model_fields) or "none"
            what = f"no such argument; there are: {known}" if first["type"] == "extra_forbidden" else first["msg"]
            raise InvalidInputError(f"{where}: {what}.", field=where) from None
        return await self.run(door, arguments)


async def _add(door: Door, given: Add) -> Reply:
    item = given.model_dump(exclude={"namespace"}, exclude_none=True)
    reply = await door.memory.write(namespace=given.whose(door), memories=[item])
    return reply.results[0].model_dump(mode="json", exclude_defaults=True)


async def _search(door: Door, given: Search) -> Reply:
    reply = await door.memory.query(
        given.query,
        namespace=given.whose(door),
        top_k=given.top_k,
        session_id=given.session_id,
        filters=given.filters,
    )
    shown = {"id", "text", "score", "timestamp", "speaker", "metadata", "current", "superseded_by"}
    results = [hit.model_dump(mode="json", include=shown, exclude_none=True) for hit in reply.results]
    return {"notice": NOTICE, "confidence": round(reply.confidence, 3), "results": results}


async def _browse(door: Door, given: Browse) -> Reply:
    page = await door.memory.list(
        namespace=given.whose(door), filters=given.filters, limit=given.limit, cursor=given.cursor
    )
    return {"notice": NOTICE, "memories": [view(one) for one in page.items], "next_cursor": page.next_cursor}


async def _get(door: Door, given: One) -> Reply:
    return {"notice": NOTICE, "memory": view(await door.memory.get(given.memory_id, namespace=given.whose(door)))}


async def _update(door: Door, given: Update) -> Reply:
    changes = given.model_dump(include={"text", "metadata", "pinned"}, exclude_none=True)
    if not changes:
        raise InvalidInputError("Nothing to change: give text, metadata or pinned.")
    after = await door.memory.update(given.memory_id, namespace=given.whose(door), **changes)
    return {"id": after.id, "version": after.version}


async def _delete(door: Door, given: One) -> Reply:
    reply = await door.memory.delete(given.memory_id, namespace=given.whose(door))
    return reply.model_dump(mode="json")


async def _delete_all(door: Door, given: Everything) -> Reply:
    receipt = await door.memory.forget(given.namespace)
    return receipt.model_dump(mode="json")


async def _answer(door: Door, given: Question) -> Reply:
    reply = await door.memory.answer(given.query, namespace=given.whose(door), session_id=given.session_id)
    shown = {"answer", "citations", "abstained", "degraded", "confidence"}
    return {"notice": NOTICE, **reply.model_dump(mode="json", include=shown)}


async def _status(door: Door, given: Nothing) -> Reply:
    page = await door.memory.namespaces(limit=NAMESPACES)
    status = await door.memory.status()
    service: dict[str, Any] = {
        name: status[name] for name in ("version", "store", "embedder", "generators") if name in status
    }
    held = {one.namespace: one.memories for one in page.items}
    return {"default_namespace": door.namespace, "memories": held, "more": page.next_cursor is not None, **service}


def view(memory: MemoryView) -> dict[str, Any]:
    """What a model needs to see of a memory."""
    shown = {"id", "text", "timestamp", "speaker", "role", "session_id", "metadata", "pinned", "current", "version"}
    return memory.model_dump(mode="json", include=shown, exclude_none=True)


TOOLS: tuple[Tool[Any], ...] = (
    Tool("add_memory", "Remember something for later conversations.", Add, _add),
    Tool("search_memories", "Find memories that bear on a question, best first.", Search, _search, reads=True),
    Tool("get_memories", "List memories in the order they were written.", Browse, _browse, reads=True),
    Tool("get_memory", "Read one memory.", One, _get, reads=True),
    Tool("update_memory", "Correct a memory; its history is kept. metadata is replaced whole.", Update, _update),
    Tool("delete_memory", "Erase one memory for good.", One, _delete, destroys=True),
    Tool(
        "delete_all_memories",
        "Erase a whole namespace for good. Only when the user asked for exactly this.",
        Everything,
        _delete_all,
        destroys=True,
    ),
    Tool("answer", "Answer a question from memory alone, with citations, or abstain.", Question, _answer, reads=True),
    Tool("memory_status", "What is remembered where, and how the service fares.", Nothing, _status, reads=True),
)


def _plain(field: Mapping[str, Any]) -> dict[str, Any]:
    """A property without titles, defaults of nothing and unions with nothing."""
    kept = {name: value for name, value in field.items() if name not in ("title", "default", "anyOf")}
    if "default" in field and field["default"] is not None and field["default"] != {}:
        kept["default"] = field["default"]
    some = [option for option in field.get("anyOf", ()) if option != {"type": "null"}]
    for option in some[:1]:
        kept |= {name: value for name, value in option.items() if name != "title"}
    if kept.get("additionalProperties") is True:
        del kept["additionalProperties"]
    return kept
