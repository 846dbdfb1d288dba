"""A LangGraph agent that remembers across threads: what is said in one conversation is known in the next.

    pip install 'aim-memory[langgraph,embedded]'
    python examples/langgraph_agent.py                          # memories in a folder of this machine
    python examples/langgraph_agent.py http://127.0.0.1:8765    # memories on a server

The model is scripted, so that this runs anywhere; put a chat model in its place. The checkpointer keeps the turns of
one thread, the store what matters beyond it.
"""

from __future__ import annotations

import sys
from collections.abc import Callable

from langchain_core.messages import AIMessage, AnyMessage, HumanMessage, SystemMessage
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.graph import START, MessagesState, StateGraph
from langgraph.graph.state import CompiledStateGraph
from langgraph.runtime import Runtime
from langgraph.store.base import BaseStore

from aim_memory import Client
from aim_memory.integrations.langgraph import AIMStore

USER = ("example", "ada")


def scripted(messages: list[AnyMessage]) -> AIMessage:
    """Stands for a chat model: it answers from what it was told is known."""
    known = str(messages[0].content)
    return AIMessage(f"I know: {known}" if known else "I do not know that yet.")


def agent(store: BaseStore, model: Callable[[list[AnyMessage]], AIMessage] = scripted) -> CompiledStateGraph:
    """Recalls before the model speaks, and keeps what the user said."""

    def speak(state: MessagesState, runtime: Runtime) -> dict[str, list[AnyMessage]]:
        assert runtime.store is not None
        said = state["messages"][-1]
        recalled = runtime.store.search(USER, query=str(said.content), limit=2)
        known = " / ".join(item.value["text"] for item in recalled)
        runtime.store.put(USER, said.id or "", {"text": said.content})
        return {"messages": [model([SystemMessage(known), *state["messages"]])]}

    graph = StateGraph(MessagesState).add_node(speak).add_edge(START, "speak")
    return graph.compile(checkpointer=InMemorySaver(), store=store)


def main() -> None:
    if len(sys.argv) > 1:
        memory = Client(sys.argv[1])
    else:
        from aim_memory import AIMMemory

        memory = AIMMemory("langgraph-memory")
    with memory:
        graph = agent(AIMStore(memory))
        for thread, text in (
            ("monday", "My dentist is Dr. Okafor, on Elm Street."),
            ("monday", "我的猫叫饼干。"),
            ("tuesday", "Who is my dentist?"),
            ("wednesday", "我的猫叫什么？"),
        ):
            said = graph.invoke({"messages": [HumanMessage(text)]}, {"configurable": {"thread_id": thread}})
            print(f"{thread:>9}  {text}\n{'':>9}  → {said['messages'][-1].content}")


if __name__ == "__main__":
    main()
