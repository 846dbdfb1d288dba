"""A PydanticAI agent that knows in every run what was said in earlier ones, and picks up its conversations.

    pip install 'aim-memory[pydantic-ai,embedded]'
    python examples/pydantic_ai_agent.py [http://127.0.0.1:8765]

The model is scripted, so that this runs anywhere; put a real one in its place.
"""

from __future__ import annotations

import sys

from pydantic_ai import Agent
from pydantic_ai.messages import ModelMessage, ModelResponse, TextPart
from pydantic_ai.models.function import AgentInfo, FunctionModel

from aim_memory import Client
from aim_memory.integrations.memory import Memory
from aim_memory.integrations.pydantic_ai import AIMCapability, AIMHistory

NAMESPACE = "example/eli"


def scripted(messages: list[ModelMessage], info: AgentInfo) -> ModelResponse:
    """Stands for a model: it says what its instructions say is known, and how long the conversation is."""
    told = str(getattr(messages[-1], "instructions", "") or "")
    known = [line.removeprefix("> ") for line in told.splitlines() if line.startswith("> ")]
    text = f"I know: {' / '.join(known)}" if known else "Noted."
    return ModelResponse(parts=[TextPart(f"{text} ({len(messages)} messages so far)")])


def say(memory: Memory, session: str, prompt: str) -> None:
    history = AIMHistory(memory, namespace=f"{NAMESPACE}/chats", session_id=session)
    agent = Agent(FunctionModel(scripted), capabilities=[AIMCapability(memory, namespace=NAMESPACE, k=1)])
    result = agent.run_sync(prompt, message_history=history.messages())
    history.add(result.new_messages())
    print(f"{session:>9}  {prompt}\n{'':>9}  → {result.output}")


def main() -> None:
    if len(sys.argv) > 1:
        memory = Client(sys.argv[1])
    else:
        from aim_memory import AIMMemory

        memory = AIMMemory("pydantic-ai-memory")
    with memory:
        say(memory, "monday", "My dentist is Dr. Okafor, on Elm Street.")
        say(memory, "monday", "我的猫叫饼干。")
        say(memory, "tuesday", "Who is my dentist?")
        say(memory, "tuesday", "我的猫叫什么？")


if __name__ == "__main__":
    main()
