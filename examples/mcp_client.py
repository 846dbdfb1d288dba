"""Talks to AIM-Memory as a desktop client does: it starts ``aimem mcp`` and calls its tools.

pip install 'aim-memory[mcp,embedded]'
python examples/mcp_client.py                               # memories in a folder of this machine
python examples/mcp_client.py http://127.0.0.1:8765/mcp     # over HTTP, memories on a server without keys
"""

from __future__ import annotations

import asyncio
import json
import sys
from typing import Any

from mcp import Client, StdioServerParameters
from mcp.client.stdio import stdio_client

NAMESPACE = "example/cy"
ON_THIS_MACHINE = StdioServerParameters(
    command=sys.executable, args=["-m", "aim_memory.cli.main", "mcp", "--home", "mcp-memory"]
)


async def call(client: Client, tool: str, **arguments: Any) -> dict[str, Any]:
    result = await client.call_tool(tool, {"namespace": NAMESPACE, **arguments})
    reply: dict[str, Any] = json.loads(result.content[0].text)
    return reply


async def main() -> None:
    async with Client(sys.argv[1] if len(sys.argv) > 1 else stdio_client(ON_THIS_MACHINE)) as client:
        print("tools:", ", ".join(tool.name for tool in (await client.list_tools()).tools))
        await call(client, "add_memory", text="The launch moved from 7 May to 14 May.", speaker="Cy")
        await call(client, "add_memory", text="我的猫叫饼干。", speaker="Cy")
        for question in ("When is the launch?", "我的猫叫什么？"):
            print(question, "→", (await call(client, "answer", query=question))["answer"])


if __name__ == "__main__":
    asyncio.run(main())
