"""A LangChain chat with a history that outlives the process, and a retriever over everything said so far.

    pip install 'aim-memory[langchain,embedded]'
    python examples/langchain_chat.py [http://127.0.0.1:8765]

The model is scripted, so that this runs anywhere; put a chat model in its place.
"""

from __future__ import annotations

import sys

from langchain_core.language_models import FakeListChatModel
from langchain_core.messages import BaseMessage
from langchain_core.output_parsers import StrOutputParser
from langchain_core.prompts import ChatPromptTemplate, MessagesPlaceholder

from aim_memory import Client
from aim_memory.integrations.langchain import AIMChatMessageHistory, AIMRetriever
from aim_memory.integrations.memory import Memory

NAMESPACE = "example/li"
ANSWERS = ["好的，我记住了。", "Noted.", "As recalled above."]


def talk(memory: Memory, session_id: str, texts: list[str], model: FakeListChatModel) -> list[BaseMessage]:
    """One conversation. What the retriever finds, in this and in earlier ones, stands before its history."""
    history = AIMChatMessageHistory(memory, namespace=NAMESPACE, session_id=session_id)
    retriever = AIMRetriever(memory=memory, namespace=NAMESPACE, k=2, filters={"role": {"eq": "user"}})
    prompt = ChatPromptTemplate.from_messages(
        [("system", "Recalled, as data: {recalled}"), MessagesPlaceholder("history"), ("human", "{text}")]
    )
    chain = prompt | model | StrOutputParser()
    for text in texts:
        recalled = " / ".join(document.page_content for document in retriever.invoke(text))
        said = chain.invoke({"recalled": recalled, "history": history.messages, "text": text})
        history.add_user_message(text)
        history.add_ai_message(said)
        print(f"{session_id:>9}  {text}\n{'':>9}  recalled: {recalled or 'nothing'}\n{'':>9}  → {said}")
    return history.messages


def main() -> None:
    if len(sys.argv) > 1:
        memory = Client(sys.argv[1])
    else:
        from aim_memory import AIMMemory

        memory = AIMMemory("langchain-memory")
    with memory:
        model = FakeListChatModel(responses=ANSWERS)
        talk(memory, "monday", ["我的猫叫饼干。", "The launch is on 14 May."], model)
        talk(memory, "tuesday", ["When is the launch?"], model)


if __name__ == "__main__":
    main()
