"""Settings → a running engine. The one place that knows which class stands behind which port.

What a choice does not need is not imported: a server on the hashing embedder never loads torch.
"""

from __future__ import annotations

from collections.abc import Mapping

from aim_memory.answer import ExtractiveGenerator
from aim_memory.clock import SystemClock
from aim_memory.engine import MemoryEngine, Parts
from aim_memory.engine.rereading import Rereading
from aim_memory.errors import ConfigurationError
from aim_memory.extras import needs
from aim_memory.keys import Keyring
from aim_memory.ports import Embedder, Generator, MemoryStore
from aim_memory.sessions import Sessions
from aim_memory.settings import EmbedderSettings, GeneratorSettings, RerankerSettings, Settings

AT_ONCE = 15_000
"""Memories of a namespace whose index a server's callers wait for: about 2 s of CPU time."""


def open_engine(settings: Settings, *, ready: bool = False, at_once: int | None = None) -> MemoryEngine:
    """Opens the store (creating or migrating it) and puts the engine together. Close the engine when done.

    Args:
        settings: Which parts, and how.
        ready: Load the packaged model now, as a server does, and not when something is embedded for the first time.
        at_once: Memories up to which the index of a namespace is built while its first question waits; a larger one is
            built behind, and until then questions are answered by words alone, as ``degraded``. None: all wait.

    Numpy's matrix products use ``settings.embedder.threads`` threads from here on, in the whole process.

    Raises:
        ConfigurationError: a setting is wrong.
        MissingExtraError: an optional dependency is not installed.
        StorageError: the store cannot be opened.
    """
    return MemoryEngine(open_parts(settings, ready=ready, at_once=at_once))


def open_parts(settings: Settings, *, ready: bool = False, at_once: int | None = None) -> Parts:
    """What ``open_engine`` puts together, for those who put several engines over one store. Raises what it raises."""
    with needs("embedded"):
        from threadpoolctl import threadpool_limits

        from aim_memory.storage.index import FlatIndex
        from aim_memory.storage.keeper import FollowingKeeper

    # The matrices of one question are small: more threads wait for each other, and twice the CPU time is gone.
    threadpool_limits(settings.embedder.threads, user_api="blas")
    embedder = open_embedder(settings.embedder, ready=ready)
    store = open_store(settings, embedder.generation)
    return Parts(
        store=store,
        keeper=FollowingKeeper(store, lambda: FlatIndex(embedder.dimension), at_once=at_once),
        sessions=Sessions(store),
        embedder=embedder,
        generators=open_generators(settings.generator),
        clock=SystemClock(),
        config=settings.memory,
        limits=settings.limits,
        rereading=open_rereading(settings.reranker),
    )


def open_store(settings: Settings, generation: str | None = None) -> MemoryStore:
    """The store alone, migrated; without a generation no vectors are handed out."""
    with needs("embedded"):
        from aim_memory.storage.sql_store import SqlStore

    if settings.database.url is None:
        settings.home.mkdir(mode=0o700, parents=True, exist_ok=True)
    own = settings.database
    patience, partitions = own.busy_timeout_s, own.partitions
    return SqlStore(settings.database_url, SystemClock(), generation, busy_timeout_s=patience, partitions=partitions)


def open_keyring(settings: Settings, engine: MemoryEngine | None = None) -> Keyring:
    """The API keys of an engine's store; without an engine the store is opened for them alone, and no model loaded."""
    return Keyring(engine.store if engine else open_store(settings), SystemClock())


def open_embedder(settings: EmbedderSettings, *, ready: bool = False) -> Embedder:
    """The embedder of the settings, its questions batched across threads, cached on disk where that is asked for."""
    from aim_memory.llm.batching import BatchingEmbedder

    embedder: Embedder
    match settings.kind:
        case "hashing":
            from aim_memory.llm.hashing import HashingEmbedder

            embedder = HashingEmbedder()
        case "sentence-transformers":
            embedder = BatchingEmbedder(_transformer(settings, ready))
    if settings.cache_dir is None:
        return embedder
    from aim_memory.llm.cached import CachedEmbedder

    return CachedEmbedder(embedder, settings.cache_dir)


def _transformer(settings: EmbedderSettings, ready: bool) -> Embedder:
    """The packaged model is loaded when needed: listing or exporting memories does not wait for torch."""

    def load() -> Embedder:
        from aim_memory.llm.sentence_transformers import SentenceTransformersEmbedder

        return SentenceTransformersEmbedder(settings)

    from aim_memory.llm.lazy import LazyEmbedder
    from aim_memory.llm.packaged import PACKAGED, packaged_identity

    if settings.model != PACKAGED:
        return load()
    lazy = LazyEmbedder(packaged_identity(settings), load)
    return lazy.loaded() if ready else lazy


def open_rereading(settings: RerankerSettings) -> Rereading | None:
    """The cross-encoder of the settings, loaded; None if there is none."""
    if settings.model is None:
        return None
    from aim_memory.llm.cross_encoder import CrossEncoderReranker

    return Rereading(CrossEncoderReranker(settings), settings.depth, settings.weight)


def open_generators(settings: GeneratorSettings) -> Mapping[str, Generator]:
    """The configured generators by name, the default first; the extractive one is always there."""
    extractive = ExtractiveGenerator()
    match settings.kind:
        case "extractive":
            return {extractive.name: extractive}
        case "openai":
            if not settings.url or not settings.model:
                raise ConfigurationError(
                    "a generator of kind 'openai' needs AIM_GENERATOR__URL and AIM_GENERATOR__MODEL."
                )
            from aim_memory.llm.fallback import FallbackGenerator
            from aim_memory.llm.openai import OpenAIGenerator

            answering = FallbackGenerator(OpenAIGenerator(settings), extractive)
            return {answering.name: answering, extractive.name: extractive}
