"""Who takes part: environments, what is installed in them, and how each is run."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, TypeAlias

Form: TypeAlias = Literal["speaker", "plain", "dated"]
"""What a peer that knows no speakers is given: "speaker: text", the text alone, "[date] speaker: text"."""

MAIN = "locomo"
"""The set of the comparison."""

TORCH = "torch==2.13.0"
"""Installed before anything that needs it: with its version settled, nothing after it can pull another build."""

ENVIRONMENTS: Mapping[str, Sequence[Sequence[str]]] = {
    "floor": [["numpy", "faiss-cpu==1.15.1"]],
    "mem0": [["numpy", "mem0ai==2.2.1", "qdrant-client==1.20.0", "fastembed==0.9.1"]],
    "chroma": [["numpy", "chromadb==1.5.9"]],
    "langgraph": [["numpy", "langgraph==1.2.22", "langgraph-checkpoint-sqlite==3.1.2", "pysqlite3-binary"]],
    "llamaindex": [["numpy", "llama-index-core==0.14.25", "llama-index-retrievers-bm25==0.8.0"]],
    "txtai": [[TORCH], ["txtai==9.14.0"]],
    "aim": [[TORCH], ["--editable", ".[embedded]"]],
}
"""Environment → what pip is asked for, one call after the other, in the root of the project."""


@dataclass(frozen=True)
class Contestant:
    """One way to run one peer."""

    name: str
    title: str
    environment: str
    runner: str
    """A file in ``runners/``."""
    how: str
    """What is worth knowing of this way, for the table."""
    variant: str = ""
    form: Form = "speaker"


FLOOR = Contestant(
    "floor", "floor: FAISS flat + SQLite", "floor", "floor", "no product; one row committed per write, exact search"
)
AIM = Contestant("aim", "**AIM-Memory**", "aim", "aim_memory_store", "default configuration; speaker, time as fields")

CONTESTANTS: Sequence[Contestant] = (
    FLOOR,
    Contestant(
        "mem0",
        "mem0",
        "mem0",
        "mem0_store",
        "`add(infer=False)`, local Qdrant, one collection, `user_id` per conversation",
        "dense",
    ),
    Contestant(
        "mem0_keywords",
        "mem0, with BM25",
        "mem0",
        "mem0_store",
        "the same with its BM25 encoder given a stop-word list; without its entity list",
        "keywords",
    ),
    Contestant("chroma", "Chroma", "chroma", "chroma_store", "`PersistentClient`, one collection per conversation"),
    Contestant(
        "langgraph_memory",
        "LangGraph InMemoryStore",
        "langgraph",
        "langgraph_store",
        "`put`, `search`; nothing outlives the program",
        "memory",
    ),
    Contestant(
        "langgraph_sqlite",
        "LangGraph SqliteStore",
        "langgraph",
        "langgraph_store",
        "`put`, `search`; vectors by sqlite-vec",
        "sqlite",
    ),
    Contestant(
        "llamaindex",
        "LlamaIndex",
        "llamaindex",
        "llama_index_store",
        "`VectorStoreIndex` on `SimpleVectorStore`, persisted once at the end",
        "vector",
    ),
    Contestant(
        "llamaindex_fusion",
        "LlamaIndex, with BM25",
        "llamaindex",
        "llama_index_store",
        "the same in a `QueryFusionRetriever`, mode `relative_score`, one query; BM25 built after the last write",
        "relative_score",
    ),
    Contestant(
        "txtai",
        "txtai",
        "txtai",
        "txtai_store",
        "`upsert`, content stored, external vectors, saved once at the end",
        "dense",
    ),
    Contestant("txtai_hybrid", "txtai, hybrid", "txtai", "txtai_store", "the same with `hybrid=True`", "hybrid"),
    AIM,
    Contestant("floor_plain", FLOOR.title, "floor", "floor", "", form="plain"),
    Contestant("floor_dated", FLOOR.title, "floor", "floor", "", form="dated"),
    Contestant("mem0_keywords_plain", "mem0, with BM25", "mem0", "mem0_store", "", "keywords", "plain"),
    Contestant("mem0_keywords_dated", "mem0, with BM25", "mem0", "mem0_store", "", "keywords", "dated"),
    Contestant("txtai_hybrid_plain", "txtai, hybrid", "txtai", "txtai_store", "", "hybrid", "plain"),
    Contestant("txtai_hybrid_dated", "txtai, hybrid", "txtai", "txtai_store", "", "hybrid", "dated"),
)
"""In the order of the tables. Those with another form of the text show what the form is worth, on the main set."""


def takes_part(contestant: Contestant, name: str) -> bool:
    """Whether a contestant runs over the set of this name."""
    return contestant.form == "speaker" or name == MAIN


def named(names: Sequence[str]) -> list[Contestant]:
    """The contestants of these names, all if there are none.

    Raises:
        SystemExit: there is no such contestant.
    """
    known = {one.name: one for one in CONTESTANTS}
    if unknown := sorted(set(names) - set(known)):
        raise SystemExit(f"There is no contestant {', '.join(unknown)}; there are: {', '.join(known)}.")
    return [one for one in CONTESTANTS if not names or one.name in names]
