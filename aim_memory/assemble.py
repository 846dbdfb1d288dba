"""Settings → a running engine. The one place that knows which class stands behind which port.

What a choice does not need is not imported: a server on the hashing embedder never loads torch, and a list of keys
loads no engine.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pydantic import ValidationError

from aim_memory.clock import SystemClock
from aim_memory.errors import AIMMemoryError, ConfigurationError
from aim_memory.extras import installed_version, needs
from aim_memory.keys import Keyring
from aim_memory.settings import EmbedderSettings, GeneratorSettings, RerankerSettings, RouterSettings, Settings

if TYPE_CHECKING:
    from aim_memory.engine import MemoryEngine, Parts
    from aim_memory.engine.rereading import Rereading
    from aim_memory.llm.target import Target
    from aim_memory.llm.vllm import ModelServer
    from aim_memory.llm.vllm_environment import VllmEnvironment
    from aim_memory.ports import ChatModels, Embedder, Generator, Index, IndexKeeper, MemoryStore, Vault
    from aim_memory.types import ChosenEmbedder

NAMES = {"kind", "model", "revision", "query_prefix", "document_prefix", "dimension"}
"""Settings that say which embedder it is, not how it runs."""
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
    from aim_memory import tracing
    from aim_memory.engine import MemoryEngine

    engine = MemoryEngine(open_parts(settings, ready=ready, at_once=at_once))
    if (spans := tracing.observer(SystemClock(), installed_version())) is not None:
        engine.observe(spans)
    return engine


def open_parts(settings: Settings, *, ready: bool = False, at_once: int | None = None) -> Parts:
    """What ``open_engine`` puts together, for those who put several engines over one store. Raises what it raises."""
    from aim_memory.engine import Parts
    from aim_memory.sessions import Sessions

    with needs("embedded"):
        from threadpoolctl import threadpool_limits

    # The matrices of one question are small: more threads wait for each other, and twice the CPU time is gone.
    threadpool_limits(settings.embedder.threads, user_api="blas")
    store = open_store(settings)
    try:
        embedder = open_embedder(embedder_in_use(settings.embedder, store.chosen_embedders()), ready=ready)
    except BaseException:
        store.close()
        raise
    store.use(embedder.generation)
    server = open_model_server(settings)
    generators, chat = open_generators(settings, server)
    return Parts(
        store=store,
        keeper=open_keeper(settings, store, embedder, at_once),
        sessions=Sessions(store, embedder.generation),
        embedder=embedder,
        generators=generators,
        chat=chat,
        hard_below=settings.router.hard_below,
        clock=SystemClock(),
        config=settings.memory,
        limits=settings.limits,
        retention=settings.retention,
        rereading=open_rereading(settings.reranker),
        extraction=settings.extraction,
        companions={"vllm": server} if server else {},
        open_embedder=lambda named: open_embedder(naming(settings.embedder, named)),
    )


def open_keeper(settings: Settings, store: MemoryStore, embedder: Embedder, at_once: int | None) -> IndexKeeper:
    """The indexes over a store, those that an earlier run left behind included."""
    with needs("embedded"):
        from aim_memory.storage.keeper import FollowingKeeper
        from aim_memory.storage.snapshots import Snapshots

    def make() -> Index:
        from aim_memory.storage.index import FlatIndex  # with FAISS: not to list memories

        return FlatIndex(embedder.dimension)

    keeper = FollowingKeeper(
        store,
        make,
        budget=settings.index.memory_mb << 20,
        at_once=at_once,
        snapshots=Snapshots(folder) if (folder := settings.snapshot_folder) else None,
        generation=embedder.generation,
    )
    keeper.sweep()
    return keeper


def open_store(settings: Settings, generation: str | None = None) -> MemoryStore:
    """The store alone, migrated; without a generation no vectors are handed out."""
    with needs("embedded"):
        from aim_memory.storage.snapshots import Snapshots
        from aim_memory.storage.sql_store import SqlStore

    if settings.database.url is None:
        settings.home.mkdir(mode=0o700, parents=True, exist_ok=True)
    own = settings.database
    return SqlStore(
        settings.database_url,
        SystemClock(),
        generation,
        busy_timeout_s=own.busy_timeout_s,
        partitions=own.partitions,
        forget=Snapshots(settings.home / "indexes").remove,  # whether or not this one keeps any
    )


def open_vault(settings: Settings, url: str | None = None) -> Vault:
    """The store of the settings, or of a database URL, as its administrators see it. Opens nothing yet."""
    with needs("embedded"):
        from aim_memory.storage.vault import SqlVault

    own = settings.database
    patience, partitions = own.busy_timeout_s, own.partitions
    chosen = url or settings.database_url
    return SqlVault(chosen, SystemClock(), installed_version(), busy_timeout_s=patience, partitions=partitions)


def damaged_snapshots(settings: Settings) -> list[Path]:
    """Files of indexes that are not what was saved."""
    with needs("embedded"):
        from aim_memory.storage.snapshots import Snapshots
    return Snapshots(folder).damaged() if (folder := settings.snapshot_folder) else []


def generation_in_use(settings: Settings, store: MemoryStore) -> str | None:
    """The name of the embedder in use; None where it cannot be opened."""
    try:
        return open_embedder(embedder_in_use(settings.embedder, store.chosen_embedders())).generation
    except AIMMemoryError:
        return None


def open_keyring(settings: Settings, engine: MemoryEngine | None = None) -> Keyring:
    """The API keys of an engine's store; without an engine the store is opened for them alone, and no model loaded."""
    return Keyring(engine.store if engine else open_store(settings), SystemClock())


def embedder_in_use(settings: EmbedderSettings, chosen: Sequence[ChosenEmbedder]) -> EmbedderSettings:
    """What the settings name goes first, then what the store was switched to, then the default."""
    if not chosen or NAMES & settings.model_fields_set:
        return settings
    return naming(settings, chosen[0].settings)


def naming(settings: EmbedderSettings, named: Mapping[str, Any]) -> EmbedderSettings:
    """The same settings for another embedder. Raises ConfigurationError if ``named`` names none."""
    common = settings.model_dump(exclude_unset=True, exclude=NAMES)
    try:
        return EmbedderSettings(**common, **named)
    except ValidationError as failure:
        trouble = failure.errors()[0]["msg"]
        raise ConfigurationError(f"No embedder can be opened by {dict(named)}: {trouble}.") from failure


def open_embedder(settings: EmbedderSettings, *, ready: bool = False) -> Embedder:
    """The embedder of the settings, its questions batched across threads, cached on disk where that is asked for."""
    from aim_memory.llm.batching import BatchingEmbedder

    embedder: Embedder
    match settings.kind:
        case "hashing":
            from aim_memory.llm.hashing import HASHED, HashingEmbedder

            embedder = HashingEmbedder(settings.dimension or HASHED)
        case "sentence-transformers":
            embedder = BatchingEmbedder(_transformer(settings, ready))
        case "openai":
            from aim_memory.llm.openai_embedder import OpenAIEmbedder

            embedder = BatchingEmbedder(OpenAIEmbedder(settings))
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
    from aim_memory.engine.rereading import Rereading
    from aim_memory.llm.cross_encoder import CrossEncoderReranker

    return Rereading(CrossEncoderReranker(settings), settings.depth, settings.weight)


def open_model_server(settings: Settings) -> ModelServer | None:
    """The model server of the settings, not started; None if the generator is of another kind."""
    if settings.generator.kind != "vllm":
        return None
    if not settings.generator.model:
        raise ConfigurationError("a generator of kind 'vllm' needs AIM_GENERATOR__MODEL: a name of the hub, or a path.")
    from aim_memory.llm.vllm import ModelServer

    return ModelServer(
        settings.generator.model, settings.vllm, open_vllm_environment(settings), settings.home / "vllm.log"
    )


def open_vllm_environment(settings: Settings) -> VllmEnvironment:
    """Where vLLM is, or would be, installed."""
    from aim_memory.llm.vllm_environment import VllmEnvironment

    return VllmEnvironment(settings.vllm_environment)


def open_generators(
    settings: Settings, server: ModelServer | None = None
) -> tuple[Mapping[str, Generator], ChatModels | None]:
    """The generators by name, the default first, and the language models among them for chats.

    Each can be asked for by its name, all together by the first name; the extractive one is always there. Of kind vllm
    there is one, which ``server`` runs.
    """
    from aim_memory.answer import ExtractiveGenerator

    extractive = ExtractiveGenerator()
    main = server.access(settings.generator) if server else settings.generator
    named = {(main.model or "main"): main} if main.kind != "extractive" else {}
    if not (named or settings.generators):
        return {extractive.name: extractive}, None
    from aim_memory.llm.crowd import Crowd
    from aim_memory.llm.router import Router

    models = {**named, **settings.generators}
    targets = [_target(name, own, settings.router, server if own is main else None) for name, own in models.items()]
    crowd = Crowd(settings.router.background_below, settings.router.background_wait_s)
    router = Router(targets, settings.router, crowd=crowd)
    alone = {target.name: Router([target], settings.router, crowd=crowd) for target in targets}
    return {router.name: router, **alone, extractive.name: extractive}, router if router.names() else None


def _target(name: str, settings: GeneratorSettings, router: RouterSettings, server: ModelServer | None) -> Target:
    from aim_memory.answer import ExtractiveGenerator
    from aim_memory.llm.breaker import Breaker
    from aim_memory.llm.chat import ChatEndpoint
    from aim_memory.llm.openai import OpenAIGenerator
    from aim_memory.llm.target import Target

    breaker = Breaker(router.failures, router.rest_s, router.longest_rest_s)
    if settings.kind == "extractive":
        return Target(name, ExtractiveGenerator(), breaker, questions=settings.questions)
    endpoint = ChatEndpoint(settings)
    models = tuple(dict.fromkeys((endpoint.model, *settings.models)))
    generator = OpenAIGenerator(endpoint)
    absence = server.absence if server else None
    return Target(name, generator, breaker, chat=endpoint, models=models, questions=settings.questions, absence=absence)
