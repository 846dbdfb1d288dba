"""aimem mcp: the memories of this machine or of a server, for clients that speak the Model Context Protocol."""

from __future__ import annotations

import typer

from aim_memory.cli.arguments import DEFAULT_NAMESPACE, Namespace
from aim_memory.cli.command import Place, command
from aim_memory.extras import needs

app = typer.Typer()


@command(app, example="aimem mcp --namespace user/ada")
def mcp(place: Place, namespace: Namespace = DEFAULT_NAMESPACE) -> None:
    """Speak MCP on standard input and output, as desktop clients start it; over HTTP it is /mcp of a running server."""
    import asyncio

    with needs("mcp"):
        from aim_memory.integrations.mcp import serve_stdio
    with place.memory() as memory:
        asyncio.run(serve_stdio(memory, namespace))
