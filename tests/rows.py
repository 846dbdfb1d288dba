"""Index rows for tests, and an embedder-shaped function without a model."""

from __future__ import annotations

import zlib
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np

from aim_memory.anchors import extract
from aim_memory.text import index_terms, tokens
from aim_memory.types import IndexRow, Segment, Vector, Vectors

DIMENSION = 64
START = datetime(2025, 3, 1, 9, 0, tzinfo=UTC)


def embed(texts: Sequence[str]) -> Vectors:
    """Texts with words in common get near vectors."""
    return np.array([_vector(text) for text in texts], np.float32).reshape(len(texts), DIMENSION)


def _vector(text: str) -> Vector:
    vector = np.full(DIMENSION, 1e-3, np.float32)
    for token in tokens(text):
        code = zlib.crc32(token.encode())
        vector[code % DIMENSION] += 1 if code >> 16 & 1 else -1
    return np.asarray(vector / np.linalg.norm(vector), np.float32)


def row(ordinal: int, text: str, *, speaker: str | None = None, session: str | None = "s1", **fields: Any) -> IndexRow:
    """A memory "m<ordinal>" said <ordinal> minutes after the start, of one segment."""
    passage = f"{speaker}: {text}" if speaker else text
    said = START + timedelta(minutes=ordinal)
    own = Segment(0, len(text), index_terms(passage), _vector(passage))
    values = {
        "id": f"m{ordinal}",
        "ordinal": ordinal,
        "timestamp": said,
        "created_at": said,
        "session_id": session,
        "speaker": speaker,
        "role": None,
        "source": None,
        "metadata": {},
        "pinned": False,
        "expires_at": None,
        "valid_from": said,
        "valid_until": None,
        "superseded_by": None,
        "segments": (own,),
        "anchors": extract(text, reference=said),
        "length": len(text),
    }
    return IndexRow(**{**values, **fields})
