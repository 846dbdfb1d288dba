"""The tables. One MetaData for SQLite and PostgreSQL; ``migrations/`` builds the same schema step by step.

Every row below a namespace carries its id, so isolation and erasure are one condition, and goes with it by cascade.
Nothing is shared between namespaces: shared evidence would leak existence and block erasure.
"""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Dialect
from sqlalchemy.types import TypeDecorator

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)


def moment(value: int | None) -> datetime | None:
    """What a number in a column of moments says."""
    return None if value is None else _EPOCH + timedelta(microseconds=value)


class Moment(TypeDecorator[datetime]):
    """A UTC datetime as whole microseconds since 1970: exact, ordered and free of time zones on every database."""

    impl = sa.BigInteger
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> int | None:
        return None if value is None else (value - _EPOCH) // _MICROSECOND

    def process_result_value(self, value: int | None, dialect: Dialect) -> datetime | None:
        return moment(value)


class Json(TypeDecorator[Any]):
    """A JSON value as text: it is read and written whole, never searched in SQL."""

    impl = sa.Text
    cache_ok = True

    def process_bind_param(self, value: Any, dialect: Dialect) -> str:
        return json.dumps(value, separators=(",", ":"))

    def process_result_value(self, value: str | None, dialect: Dialect) -> Any:
        return {} if value == "{}" or value is None else json.loads(value)  # most metadata is empty


RowId = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
"""Numbers given by the database; SQLite counts only plain INTEGER keys."""

metadata = sa.MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "fk": "fk_%(table_name)s_%(referred_table_name)s",
        "pk": "pk_%(table_name)s",
    }
)


def _namespace() -> sa.Column[int]:
    return sa.Column("namespace_id", RowId, sa.ForeignKey("namespaces.id", ondelete="CASCADE"), primary_key=True)


def _of_memory() -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint(
        ["namespace_id", "memory_id"], ["memories.namespace_id", "memories.id"], ondelete="CASCADE"
    )


def _of_evidence() -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint(["namespace_id", "evidence_id"], ["evidence.namespace_id", "evidence.id"])


namespaces = sa.Table(
    "namespaces",
    metadata,
    # Never given twice, so it is the epoch too: a namespace that was erased and made again is another one.
    sa.Column("id", RowId, primary_key=True),
    sa.Column("tenant", sa.Text, nullable=False),
    sa.Column("path", sa.Text, nullable=False),
    sa.Column("seq", sa.BigInteger, nullable=False),
    sa.Column("ordinal", sa.BigInteger, nullable=False),
    sa.Column("created_at", Moment, nullable=False),
    sa.UniqueConstraint("tenant", "path"),
    sqlite_autoincrement=True,
)

generations = sa.Table(
    "generations",
    metadata,
    sa.Column("id", RowId, primary_key=True),
    sa.Column("name", sa.Text, nullable=False, unique=True),
    sa.Column("embedder", Json),  # the settings that open it; NULL while nobody needs to know
    sa.Column("chosen_at", Moment),  # the latest is in use where no settings name an embedder
)

evidence = sa.Table(
    "evidence",
    metadata,
    _namespace(),
    sa.Column("id", sa.LargeBinary(32), primary_key=True),  # SHA-256 of the original
    sa.Column("body", sa.LargeBinary, nullable=False),  # zlib over UTF-8
    sa.Column("chars", sa.BigInteger, nullable=False),
)

memories = sa.Table(
    "memories",
    metadata,
    _namespace(),
    sa.Column("id", sa.Text, primary_key=True),
    sa.Column("ordinal", sa.BigInteger, nullable=False),
    sa.Column("evidence_id", sa.LargeBinary(32), nullable=False),
    sa.Column("start", sa.BigInteger, nullable=False),
    sa.Column("end", sa.BigInteger, nullable=False),
    sa.Column("summary", sa.Text, nullable=False),
    sa.Column("digest", sa.Text, nullable=False),
    sa.Column("timestamp", Moment, nullable=False),
    sa.Column("created_at", Moment, nullable=False),
    sa.Column("updated_at", Moment, nullable=False),
    sa.Column("session_id", sa.Text),
    sa.Column("speaker", sa.Text),
    sa.Column("role", sa.Text),
    sa.Column("source", sa.Text),
    sa.Column("trust", sa.Text, nullable=False),
    sa.Column("author", sa.Text),
    sa.Column("metadata", Json, nullable=False),
    sa.Column("anchors", sa.Text, nullable=False),  # read whole, by followers only
    sa.Column("pinned", sa.Boolean, nullable=False),
    sa.Column("expires_at", Moment),
    sa.Column("version", sa.BigInteger, nullable=False),
    sa.Column("kind", sa.Text, nullable=False),  # of the change that made this version
    sa.Column("valid_from", Moment, nullable=False),
    sa.Column("valid_until", Moment),
    sa.Column("superseded_by", sa.Text),
    sa.Column("generation_id", RowId, sa.ForeignKey("generations.id")),  # of the vectors; NULL while pending
    sa.Column("read_at", Moment),  # when a language model read it for facts; NULL: not since it says what it says
    _of_evidence(),
    sa.UniqueConstraint("namespace_id", "ordinal"),
    sa.Index(None, "namespace_id", "digest"),
    sa.Index(None, "namespace_id", "evidence_id"),
    sa.Index(None, "id"),
    sa.Index(None, "generation_id", "created_at"),
    sa.Index(None, "expires_at"),
)

segments = sa.Table(
    "segments",
    metadata,
    sa.Column("namespace_id", RowId, primary_key=True),
    sa.Column("memory_id", sa.Text, primary_key=True),
    sa.Column("position", sa.Integer, primary_key=True),
    sa.Column("start", sa.BigInteger, nullable=False),
    sa.Column("end", sa.BigInteger, nullable=False),
    sa.Column("terms", sa.Text, nullable=False),
    sa.Column("vector", sa.LargeBinary),  # little-endian float32
    sa.Column("tokens", sa.LargeBinary),  # signs of the token vectors, eight to a byte
    _of_memory(),
)

spare_vectors = sa.Table(
    "spare_vectors",  # of other generations than the memory's own: an earlier one, or the next
    metadata,
    sa.Column("namespace_id", RowId, primary_key=True),
    sa.Column("memory_id", sa.Text, primary_key=True),
    sa.Column("position", sa.Integer, primary_key=True),
    sa.Column("generation_id", RowId, sa.ForeignKey("generations.id"), primary_key=True),
    sa.Column("vector", sa.LargeBinary, nullable=False),
    sa.Column("tokens", sa.LargeBinary),
    # They go with their segment: what was edited has none.
    sa.ForeignKeyConstraint(
        ["namespace_id", "memory_id", "position"],
        ["segments.namespace_id", "segments.memory_id", "segments.position"],
        ondelete="CASCADE",
    ),
)

derivations = sa.Table(
    "derivations",  # of which memories a language model made one, which goes when one of them goes
    metadata,
    sa.Column("namespace_id", RowId, primary_key=True),
    sa.Column("memory_id", sa.Text, primary_key=True),
    sa.Column("origin_id", sa.Text, primary_key=True),
    _of_memory(),
    sa.ForeignKeyConstraint(
        ["namespace_id", "origin_id"],
        ["memories.namespace_id", "memories.id"],
        name="fk_derivations_origins",
        ondelete="CASCADE",
    ),
    sa.Index(None, "namespace_id", "origin_id"),
)

statements = sa.Table(
    "statements",
    metadata,
    sa.Column("namespace_id", RowId, primary_key=True),
    sa.Column("memory_id", sa.Text, primary_key=True),
    sa.Column("position", sa.Integer, primary_key=True),
    sa.Column("subject", sa.Text, nullable=False),
    sa.Column("attribute", sa.Text, nullable=False),
    sa.Column("value", sa.Text, nullable=False),
    sa.Column("event_time", Moment, nullable=False),
    sa.Column("ordinal", sa.BigInteger, nullable=False),
    sa.Column("closed_by", sa.Text),
    sa.Column("closed_at", Moment),
    _of_memory(),
    sa.Index(None, "namespace_id", "subject", "attribute"),
    sa.Index(None, "namespace_id", "closed_by"),
)

versions = sa.Table(
    "versions",  # earlier states only: the present one is the memory itself
    metadata,
    sa.Column("namespace_id", RowId, primary_key=True),
    sa.Column("memory_id", sa.Text, primary_key=True),
    sa.Column("version", sa.BigInteger, primary_key=True),
    sa.Column("kind", sa.Text, nullable=False),
    sa.Column("at", Moment, nullable=False),
    sa.Column("by", sa.Text),
    sa.Column("evidence_id", sa.LargeBinary(32), nullable=False),
    sa.Column("start", sa.BigInteger, nullable=False),
    sa.Column("end", sa.BigInteger, nullable=False),
    _of_memory(),
    _of_evidence(),
    sa.Index(None, "namespace_id", "evidence_id"),
)

changes = sa.Table(
    "changes",
    metadata,
    _namespace(),
    sa.Column("seq", sa.BigInteger, primary_key=True),
    sa.Column("kind", sa.Text, nullable=False),
    sa.Column("memory_id", sa.Text, nullable=False),
)

uses = sa.Table(
    "uses",
    metadata,
    sa.Column("namespace_id", RowId, primary_key=True),
    sa.Column("memory_id", sa.Text, primary_key=True),
    sa.Column("amount", sa.Double, nullable=False),
    _of_memory(),
)

sessions = sa.Table(
    "sessions",
    metadata,
    _namespace(),
    sa.Column("id", sa.Text, primary_key=True),
    sa.Column("turns", sa.BigInteger, nullable=False),
    sa.Column("direction", sa.LargeBinary),
    sa.Column("drift", sa.LargeBinary),
    sa.Column("recent", Json, nullable=False),
    sa.Column("updated_at", Moment),
    sa.Column("generation", sa.Text),  # of the embedder that gave the direction
)

idempotency = sa.Table(
    "idempotency",
    metadata,
    sa.Column("tenant", sa.Text, primary_key=True),
    sa.Column("key", sa.Text, primary_key=True),
    sa.Column("namespace_id", RowId, sa.ForeignKey("namespaces.id", ondelete="CASCADE"), nullable=False, index=True),
    sa.Column("fingerprint", sa.Text, nullable=False),
    sa.Column("reply", sa.LargeBinary, nullable=False),
    sa.Column("created_at", Moment, nullable=False, index=True),
)

api_keys = sa.Table(
    "api_keys",
    metadata,
    sa.Column("id", sa.Text, primary_key=True),
    sa.Column("tenant", sa.Text, nullable=False),
    sa.Column("name", sa.Text, nullable=False),
    sa.Column("role", sa.Text, nullable=False),
    sa.Column("secret_hash", sa.Text, nullable=False, unique=True),
    sa.Column("created_at", Moment, nullable=False),
    sa.Column("revoked_at", Moment),
    sa.Column("expires_at", Moment),
)

jobs = sa.Table(
    "jobs",
    metadata,
    sa.Column("id", sa.Text, primary_key=True),
    sa.Column("kind", sa.Text, nullable=False),
    sa.Column("tenant", sa.Text),  # NULL: the whole service's
    sa.Column("arguments", Json, nullable=False),
    sa.Column("state", sa.Text, nullable=False),
    sa.Column("done", sa.BigInteger, nullable=False),
    sa.Column("total", sa.BigInteger),
    sa.Column("cursor", Json, nullable=False),
    sa.Column("result", Json, nullable=False),
    sa.Column("error", sa.Text),
    sa.Column("attempts", sa.BigInteger, nullable=False),
    sa.Column("owner", sa.Text),
    sa.Column("lease_until", Moment),
    sa.Column("created_at", Moment, nullable=False),
    sa.Column("updated_at", Moment, nullable=False),
    sa.Column("finished_at", Moment),
    sa.Index(None, "state", "kind"),
)

audit = sa.Table(
    "audit",  # rows are added and read; triggers refuse anything else
    metadata,
    sa.Column("id", RowId, primary_key=True),
    sa.Column("at", Moment, nullable=False),
    sa.Column("tenant", sa.Text, nullable=False),
    sa.Column("key_id", sa.Text, nullable=False),
    sa.Column("name", sa.Text, nullable=False),  # of the key
    sa.Column("action", sa.Text, nullable=False),
    sa.Column("target", sa.Text),  # never content; a namespace by its digest, so that it can be erased
    sa.Column("outcome", sa.Text, nullable=False),
    sa.Index(None, "tenant", "id"),
    sqlite_autoincrement=True,
)
