"""A CrewAI crew whose memory is this one: what a task brought to light is known in the next crew, in any process.

    pip install 'aim-memory[crewai,embedded]'
    python examples/crewai_crew.py [http://127.0.0.1:8765]

The model is scripted, so that this runs anywhere; put a real one in its place. The embedder is the storage's own.
"""

from __future__ import annotations

import sys
from typing import Any

from crewai import Agent, BaseLLM, Crew, Task
from crewai.memory.unified_memory import Memory as CrewMemory

from aim_memory import Client
from aim_memory.integrations.crewai import AIMStorage
from aim_memory.integrations.memory import Memory

NAMESPACE = "example/crew"


class Scripted(BaseLLM):
    """Stands for a model: it answers with what it was told is known."""

    def call(self, messages: Any, *_: Any, **more: Any) -> str:
        text = messages if isinstance(messages, str) else "\n".join(str(one["content"]) for one in messages)
        known = [line.strip() for line in text.splitlines() if "(score=" in line]
        return f"Thought: I know enough.\nFinal Answer: {' '.join(known) or 'Nothing is known of that.'}"


def ask(memory: Memory, question: str) -> str:
    """A crew of its own for a question; it shares nothing with the one before but the memory."""
    model = Scripted(model="scripted")
    storage = AIMStorage(memory, namespace=NAMESPACE)
    remembers = CrewMemory(storage=storage, embedder=storage.embedder, llm=model)
    analyst = Agent(role="analyst", goal="Answer.", backstory="You answer briefly.", llm=model)
    task = Task(description=question, expected_output="A sentence.", agent=analyst)
    return str(Crew(agents=[analyst], tasks=[task], memory=remembers).kickoff())


def main() -> None:
    if len(sys.argv) > 1:
        memory = Client(sys.argv[1])
    else:
        from aim_memory import AIMMemory

        memory = AIMMemory("crewai-memory")
    with memory:
        storage = AIMStorage(memory, namespace=NAMESPACE)
        told = CrewMemory(storage=storage, embedder=storage.embedder, llm=Scripted(model="scripted"))
        for line in ("The launch is on 14 May.", "我的猫叫饼干。"):
            told.remember(line, scope="/facts", categories=["fact"], metadata={}, importance=0.5)
        for question in ("When is the launch?", "我的猫叫什么？"):
            print(f"{question}\n  → {ask(memory, question)}")


if __name__ == "__main__":
    main()
