"""Between values and columns: evidence, anchors, terms and vectors."""

from __future__ import annotations

import hashlib
import json
import zlib
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

import numpy as np

from aim_memory.types import Anchor, Segment, TokenBits, Vector

_FLOAT32 = np.dtype("<f4")


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
    width = -(-len(vector) // 8)  # bytes that hold a sign for each dimension
    return Segment(start, end, json.loads(terms), vector, np.frombuffer(signs, np.uint8).reshape(-1, width))


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
