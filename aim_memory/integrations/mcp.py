"""A Model Context Protocol server over a memory: nine tools, a prompt with context, a resource per namespace.

    aimem mcp --namespace user/ada            # over stdio, for desktop clients
    http://127.0.0.1:8765/mcp                 # over HTTP, in the server itself, with the same keys as its other routes

The protocol is the SDK's; what is said through it is in ``mcp_tools``.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from importlib.metadata import version
from typing import Any
from urllib.parse import quote, unquote

from aim_memory.errors import AIMMemoryError, InvalidInputError
from aim_memory.extras import needs
from aim_memory.integrations.mcp_tools import TOOLS, Door, Tool, view
from aim_memory.integrations.memory import AsyncMemory, Memory, awaited
from aim_memory.integrations.recalled import NOTICE, quoted

with needs("mcp"):
    from mcp import MCPError, types
    from mcp.server import Server, ServerRequestContext
    from mcp.server.stdio import stdio_server

INSTRUCTIONS = f"""Long-term memory. Before answering, search_memories for what is known; when the user says something \
worth keeping (facts, preferences, decisions, dates), add_memory. Later statements supersede earlier ones by \
themselves: add the new fact, do not delete the old. {NOTICE}"""
SCHEME = "memory://"
PROMPT = types.Prompt(
    name="memory_context",
    description="What memory holds on a question, ready to be put before it.",
    arguments=[
        types.PromptArgument(name="query", description="The question.", required=True),
        types.PromptArgument(name="namespace", description="Whose memory."),
    ],
)
PAGE = 50
"""Resources of a page, and memories of a resource's first page."""

_Context = ServerRequestContext[Any, Any]
_Paged = types.PaginatedRequestParams | None
_LISTED = types.ListToolsResult(
    tools=[
        types.Tool(
            name=tool.name,
            description=tool.about,
            input_schema=tool.schema,
            annotations=types.ToolAnnotations(read_only_hint=tool.reads, destructive_hint=tool.destroys),
        )
        for tool in TOOLS
    ]
)
_BY_NAME: Mapping[str, Tool[Any]] = {tool.name: tool for tool in TOOLS}


def serve(door_of: Callable[[_Context], Door]) -> Server[dict[str, Any]]:
    """The server. ``door_of`` tells from a request whose memories it is about; it may raise AIMMemoryError."""
    talk = _Talk(door_of)
    return Server(
        "aim-memory",
        version=version("aim-memory"),
        instructions=INSTRUCTIONS,
        on_list_tools=talk.list_tools,
        on_call_tool=talk.call_tool,
        on_list_prompts=talk.list_prompts,
        on_get_prompt=talk.get_prompt,
        on_list_resources=talk.list_resources,
        on_list_resource_templates=talk.list_templates,
        on_read_resource=talk.read_resource,
    )


async def serve_stdio(memory: Memory | AsyncMemory, namespace: str) -> None:
    """Speaks MCP on standard input and output until the client hangs up."""
    door = Door(awaited(memory), namespace)
    server = serve(lambda _: door)
    async with stdio_server() as (incoming, outgoing):
        await server.run(incoming, outgoing, server.create_initialization_options())


class _Talk:
    """The protocol's requests, one method each."""

    def __init__(self, door_of: Callable[[_Context], Door]) -> None:
        self._door_of = door_of

    async def list_tools(self, context: _Context, page: _Paged) -> types.ListToolsResult:
        return _LISTED

    async def call_tool(self, context: _Context, call: types.CallToolRequestParams) -> types.CallToolResult:
        """An error of ours is a result that the model can read, and mend."""
        tool = _BY_NAME.get(call.name)
        if tool is None:
            raise MCPError(types.INVALID_PARAMS, f"There is no tool '{call.name}'.")
        try:
            reply = await tool.call(self._door_of(context), call.arguments or {})
        except AIMMemoryError as failure:
            return types.CallToolResult(content=[_text(f"{failure.code}: {failure.message}")], is_error=True)
        return types.CallToolResult(content=[_text(_json(reply))])

    async def list_prompts(self, context: _Context, page: _Paged) -> types.ListPromptsResult:
        return types.ListPromptsResult(prompts=[PROMPT])

    async def get_prompt(self, context: _Context, asked: types.GetPromptRequestParams) -> types.GetPromptResult:
        given = asked.arguments or {}
        if asked.name != PROMPT.name or not given.get("query"):
            raise MCPError(types.INVALID_PARAMS, f"The one prompt here is '{PROMPT.name}'; it needs 'query'.")
        with _protocol_errors():
            door = self._door_of(context)
            reply = await door.memory.query(given["query"], namespace=given.get("namespace") or door.namespace)
        text = f"From long-term memory, on “{given['query']}”. {NOTICE}\n\n{quoted(reply.context) or '> (nothing)'}"
        return types.GetPromptResult(messages=[types.PromptMessage(role="user", content=_text(text))])

    async def list_resources(self, context: _Context, page: _Paged) -> types.ListResourcesResult:
        with _protocol_errors():
            held = await self._door_of(context).memory.namespaces(cursor=page.cursor if page else None, limit=PAGE)
        resources = [
            types.Resource(
                uri=SCHEME + quote(one.namespace),
                name=one.namespace,
                description=f"{one.memories} memories",
                mime_type="application/json",
            )
            for one in held.items
        ]
        return types.ListResourcesResult(resources=resources, next_cursor=held.next_cursor)

    async def list_templates(self, context: _Context, page: _Paged) -> types.ListResourceTemplatesResult:
        template = types.ResourceTemplate(
            uri_template=SCHEME + "{+namespace}", name="memories", description="The memories of a namespace."
        )
        return types.ListResourceTemplatesResult(resource_templates=[template])

    async def read_resource(
        self, context: _Context, asked: types.ReadResourceRequestParams
    ) -> types.ReadResourceResult:
        uri = str(asked.uri)
        if not uri.startswith(SCHEME):
            raise MCPError(types.INVALID_PARAMS, f"Resources here look like {SCHEME}user/ada.", {"uri": uri})
        with _protocol_errors():
            namespace = unquote(uri.removeprefix(SCHEME))
            page = await self._door_of(context).memory.list(namespace=namespace, limit=PAGE)
        shown = {"notice": NOTICE, "memories": [view(one) for one in page.items], "more": page.next_cursor is not None}
        content = types.TextResourceContents(uri=asked.uri, text=_json(shown), mime_type="application/json")
        return types.ReadResourceResult(contents=[content])


@contextmanager
def _protocol_errors() -> Iterator[None]:
    """Outside tools an error of ours is one of the protocol: the host sees it."""
    try:
        yield
    except AIMMemoryError as failure:
        code = types.INVALID_PARAMS if isinstance(failure, InvalidInputError) else types.INTERNAL_ERROR
        raise MCPError(code, failure.message, {"code": failure.code}) from failure


def _text(text: str) -> types.TextContent:
    return types.TextContent(type="text", text=text)


def _json(value: Mapping[str, Any]) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"), default=str)
