"""What a request may hold at most, and what its names may look like. Embedded use and REST share these checks."""

from __future__ import annotations

import json
import re
from typing import Any

from aim_memory.errors import InvalidInputError, LimitExceededError
from aim_memory.settings import LimitSettings

_ID = re.compile(r"[A-Za-z0-9_.:-]+")
_NAMESPACE = re.compile(r"[^\x00-\x1f\x7f/\s][^\x00-\x1f\x7f]*")
NAMESPACE_CHARS = 256


def check_namespace(namespace: str) -> None:
    """A namespace is a path such as 'user/ada': 1 to 256 printable characters, no empty part."""
    check_text(namespace, "namespace")
    if len(namespace) > NAMESPACE_CHARS:
        raise LimitExceededError(
            f"namespace has {len(namespace)} characters; at most {NAMESPACE_CHARS}.", field="namespace"
        )
    if not _NAMESPACE.fullmatch(namespace) or namespace != namespace.strip() or "" in namespace.split("/"):
        raise InvalidInputError(
            f"namespace {namespace!r} is not a path like 'user/ada': no empty part, no control characters, "
            "no white space at either end.",
            field="namespace",
        )


def check_id(value: str, field: str, limits: LimitSettings) -> None:
    """Ids of memories and sessions: 1 to 128 of A-Z a-z 0-9 _ . : -"""
    if len(value) > limits.id_chars:
        raise LimitExceededError(f"{field} has {len(value)} characters; at most {limits.id_chars}.", field=field)
    if not _ID.fullmatch(value):
        raise InvalidInputError(f"{field} {value!r} may hold only letters, digits and _ . : -", field=field)


def check_text(text: str, field: str, most_bytes: int | None = None) -> None:
    """No NUL, no lone surrogates, not blank, not longer than ``most_bytes`` of UTF-8."""
    try:
        size = len(text.encode("utf-8"))
    except UnicodeEncodeError:
        raise InvalidInputError(f"{field} holds a lone surrogate, which no encoding can store.", field=field) from None
    if "\x00" in text:
        raise InvalidInputError(f"{field} holds a NUL character; remove it.", field=field)
    if not text.strip():
        raise InvalidInputError(f"{field} is empty.", field=field)
    if most_bytes is not None and size > most_bytes:
        raise LimitExceededError(f"{field} has {size:,} bytes; at most {most_bytes:,}. Split it.", field=field)


def check_metadata(metadata: dict[str, Any], limits: LimitSettings) -> None:
    """A JSON object of at most 64 keys and 16 KiB; NaN and infinities are not JSON."""
    if len(metadata) > limits.metadata_keys:
        raise LimitExceededError(
            f"metadata has {len(metadata)} keys; at most {limits.metadata_keys}.", field="metadata"
        )
    try:
        encoded = json.dumps(metadata, allow_nan=False, ensure_ascii=False).encode("utf-8")
    except (TypeError, ValueError, RecursionError) as error:
        raise InvalidInputError(f"metadata is not plain JSON: {error}.", field="metadata") from None
    if b"\\u0000" in encoded:
        raise InvalidInputError("metadata holds a NUL character; remove it.", field="metadata")
    if len(encoded) > limits.metadata_bytes:
        raise LimitExceededError(
            f"metadata has {len(encoded):,} bytes; at most {limits.metadata_bytes:,}.", field="metadata"
        )
