"""Between values and columns: evidence, anchors, terms and vectors."""

from __future__ import annotations

import hashlib
import json
import zlib
from collections.abc import Mapping, Sequence
from datetime import datetime
from types import MappingProxyType
from typing import Any

import numpy as np

from aim_memory.types import Anchor, Segment, TokenBits, Vector

_FLOAT32 = np.dtype("<f4")
NOTHING: Mapping[str, Any] = MappingProxyType({})
"""Metadata that nobody can change, for most memories have none."""


def evidence_id(text: str) -> bytes:
    return hashlib.sha256(text.encode()).digest()


def compress(text: str) -> bytes:
    return zlib.compress(text.encode())


def decompress(body: bytes) -> str:
    return zlib.decompress(body).decode()


def vector_to_bytes(vector: Vector | None) -> bytes | None:
    return None if vector is None else np.ascontiguousarray(vector, _FLOAT32).tobytes()


def vector_from_bytes(body: bytes | None) -> Vector | None:
    """A read-only view on the bytes."""
    return None if body is None else np.frombuffer(body, _FLOAT32)


def terms_to_text(terms: Mapping[str, int]) -> str:
    return json.dumps(dict(terms), ensure_ascii=False, separators=(",", ":"))


def tokens_to_bytes(tokens: TokenBits | None) -> bytes | None:
    return None if tokens is None else np.ascontiguousarray(tokens).tobytes()


def segment_from_columns(start: int, end: int, terms: str, body: bytes | None, signs: bytes | None) -> Segment:
    vector = vector_from_bytes(body)
    if vector is None or signs is None:
        return Segment(start, end, json.loads(terms), vector)
    return Segment(start, end, json.loads(terms), vector, tokens_from_bytes(signs, len(body or b"")))


def seen_as(segment: Segment, body: bytes | None, signs: bytes | None) -> Segment:
    """A segment with what another embedder made of it."""
    vector = vector_from_bytes(body)
    tokens = None if body is None or signs is None else tokens_from_bytes(signs, len(body))
    return Segment(segment.start, segment.end, segment.terms, vector, tokens)


def tokens_from_bytes(signs: bytes, vector_size: int) -> TokenBits:
    """A read-only view on the bytes.

    Args:
        vector_size: Bytes of the vector of the same text: each dimension has a sign.
    """
    width = -(-vector_size // _FLOAT32.itemsize // 8)
    return np.ndarray((len(signs) // width, width), np.uint8, signs)


def anchors_to_text(anchors: Sequence[Anchor]) -> str:
    return json.dumps([_anchor_fields(anchor) for anchor in anchors], ensure_ascii=False, separators=(",", ":"))


def anchors_from_text(text: str) -> tuple[Anchor, ...]:
    return () if text == "[]" else tuple(_anchor(fields) for fields in json.loads(text))


def _anchor_fields(anchor: Anchor) -> list[Any]:
    since, until = (moment and moment.isoformat() for moment in (anchor.since, anchor.until))
    place = (anchor.kind, anchor.key, anchor.text, anchor.start, anchor.end)
    return [*place, anchor.value, anchor.unit, anchor.slot, since, until]


def _anchor(fields: list[Any]) -> Anchor:
    kind, key, text, start, end, value, unit, slot, since, until = fields
    since, until = (moment and datetime.fromisoformat(moment) for moment in (since, until))
    return Anchor(kind, key, text, start, end, value, unit, slot, since, until)
