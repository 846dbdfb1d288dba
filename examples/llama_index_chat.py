"""A LlamaIndex chat whose memory reaches beyond the session: what leaves it is remembered, and recalled in the next.

    pip install 'aim-memory[llama-index,embedded]'
    python examples/llama_index_chat.py [http://127.0.0.1:8765]

The model is scripted, so that this runs anywhere; put a real one in its place.
"""

from __future__ import annotations

import asyncio
import sys
from typing import Any

from llama_index.core.chat_engine import SimpleChatEngine
from llama_index.core.llms import CompletionResponse, CompletionResponseGen, CustomLLM, LLMMetadata
from llama_index.core.memory import Memory

from aim_memory import Client
from aim_memory.integrations.llama_index import AIMMemoryBlock, AIMRetriever

NAMESPACE = "example/cleo"


class Scripted(CustomLLM):
    """Stands for a model: it says what it was told is known."""

    @property
    def metadata(self) -> LLMMetadata:
        return LLMMetadata()

    def complete(self, prompt: str, formatted: bool = False, **more: Any) -> CompletionResponse:
        known = [line.removeprefix("> ") for line in prompt.splitlines() if line.startswith("> ")]
        return CompletionResponse(text=f"I know: {' / '.join(known)}" if known else "Noted.")

    def stream_complete(self, prompt: str, formatted: bool = False, **more: Any) -> CompletionResponseGen:
        yield self.complete(prompt)


async def session(block: AIMMemoryBlock, name: str, *lines: str) -> None:
    memory = Memory.from_defaults(session_id=name, memory_blocks=[block])
    engine = SimpleChatEngine.from_defaults(llm=Scripted(), memory=memory)
    for line in lines:
        print(f"{name:>9}  {line}\n{'':>9}  → {(await engine.achat(line)).response}")
    # LlamaIndex remembers what no longer fits into the session; what is left of one that ends is put here.
    await block.aput(await memory.aget_all(), session_id=name)


def main() -> None:
    if len(sys.argv) > 1:
        memory = Client(sys.argv[1])
    else:
        from aim_memory import AIMMemory

        memory = AIMMemory("llama-index-memory")
    with memory:
        block = AIMMemoryBlock(memory=memory, namespace=NAMESPACE, k=2)
        asyncio.run(session(block, "monday", "My dentist is Dr. Okafor, on Elm Street.", "我的猫叫饼干。"))
        asyncio.run(session(block, "tuesday", "Who is my dentist?", "我的猫叫什么？"))
        for node in AIMRetriever(memory, namespace=NAMESPACE, k=1).retrieve("Who is the dentist?"):
            print(f"retrieved  {node.text}")


if __name__ == "__main__":
    main()
