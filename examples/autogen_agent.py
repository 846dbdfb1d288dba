"""An AutoGen agent that is told what is known before it speaks, in each run and every process.

    pip install 'aim-memory[autogen,embedded]' autogen-agentchat autogen-ext
    python examples/autogen_agent.py [http://127.0.0.1:8765]

The model is scripted, so that this runs anywhere; put a real client in its place.
"""

from __future__ import annotations

import asyncio
import sys

from autogen_agentchat.agents import AssistantAgent
from autogen_core.memory import MemoryContent
from autogen_ext.models.replay import ReplayChatCompletionClient

from aim_memory import Client
from aim_memory.integrations.autogen import AIMAgentMemory
from aim_memory.integrations.memory import Memory


async def run(memory: Memory) -> None:
    known = AIMAgentMemory(memory, namespace="example/dan", k=1)
    for line in ("My dentist is Dr. Okafor, on Elm Street.", "我的猫叫饼干。"):
        await known.add(
            MemoryContent(content=line, mime_type="text/plain", metadata={"role": "user", "speaker": "Dan"})
        )
    for question, reply in (("Who is my dentist?", "Dr. Okafor."), ("我的猫叫什么？", "饼干。")):
        agent = AssistantAgent("assistant", model_client=ReplayChatCompletionClient([reply]), memory=[known])
        result = await agent.run(task=question)
        for message in result.messages:
            print(f"{type(message).__name__:>16}  {message.to_text()}")


def main() -> None:
    if len(sys.argv) > 1:
        memory = Client(sys.argv[1])
    else:
        from aim_memory import AIMMemory

        memory = AIMMemory("autogen-memory")
    with memory:
        asyncio.run(run(memory))


if __name__ == "__main__":
    main()
