"""A Haystack pipeline that answers from memory, and keeps what it is asked.

    pip install 'aim-memory[haystack,embedded]'
    python examples/haystack_pipeline.py [http://127.0.0.1:8765]

The model is scripted, so that this runs anywhere; put a generator of Haystack's in its place.
"""

import sys

from haystack import Document, Pipeline, component
from haystack.components.builders import PromptBuilder
from haystack.document_stores.types import DuplicatePolicy

from aim_memory.integrations.haystack import AIMDocumentStore, AIMRetriever

NAMESPACE = "example/fay"
PROMPT = """What is known: {% for document in documents %}{{ document.content }} {% endfor %}
Question: {{ question }}"""


@component
class Scripted:
    """Stands for a generator: it repeats the first line of its prompt."""

    @component.output_types(replies=list[str])
    def run(self, prompt: str) -> dict[str, list[str]]:
        return {"replies": [prompt.splitlines()[0]]}


def pipeline(store: AIMDocumentStore) -> Pipeline:
    made = Pipeline()
    made.add_component("memory", AIMRetriever(store, top_k=1))
    made.add_component("prompt", PromptBuilder(PROMPT, required_variables=["documents", "question"]))
    made.add_component("model", Scripted())
    made.connect("memory.documents", "prompt.documents")
    made.connect("prompt.prompt", "model.prompt")
    return made


def opened() -> AIMDocumentStore:
    if len(sys.argv) > 1:
        return AIMDocumentStore(NAMESPACE, url=sys.argv[1])
    from aim_memory import AIMMemory

    return AIMDocumentStore(NAMESPACE, memory=AIMMemory("haystack-memory"))


def main() -> None:
    store = opened()
    documents = [
        Document(id="dentist", content="My dentist is Dr. Okafor, on Elm Street.", meta={"topic": "health"}),
        Document(id="cat", content="我的猫叫饼干。", meta={"topic": "home"}),
    ]
    store.write_documents(documents, DuplicatePolicy.OVERWRITE)
    asks = pipeline(store)
    for question in ("Who is my dentist?", "我的猫叫什么？"):
        said = asks.run({"memory": {"query": question}, "prompt": {"question": question}})
        print(f"{question}\n  → {said['model']['replies'][0]}")


if __name__ == "__main__":
    main()
