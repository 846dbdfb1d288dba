"""Named arrays and lists as bytes, and back: no objects, so reading them runs nothing.

A line of JSON says what there is; what shrinks lies deflated behind it, what does not (codes of vectors) as it is.
"""

from __future__ import annotations

import json
import zlib
from collections.abc import Mapping
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from aim_memory.errors import StorageError

Parts: TypeAlias = Mapping[str, Any]
"""Arrays, and lists of JSON values, by name."""
_LEVEL = 3
_TEXT = "json"
_NARROW = (np.int8, np.int16, np.int32)


def pack(parts: Parts, plain: frozenset[str] = frozenset()) -> bytes:
    """``plain``: parts that are not worth deflating."""
    bodies = {name: _body(value) for name, value in parts.items()}
    where = sorted(bodies, key=lambda name: name in plain)
    deflated = zlib.compress(b"".join(bodies[name][2] for name in where if name not in plain), _LEVEL)
    told = {
        "deflated": len(deflated),
        "parts": [(name, *bodies[name][:2], len(bodies[name][2]), name in plain) for name in where],
    }
    line = json.dumps(told, separators=(",", ":")).encode()
    return b"".join([line, b"\n", deflated, *(bodies[name][2] for name in where if name in plain)])


def unpack(body: bytes) -> dict[str, Any]:
    """Raises StorageError for what ``pack`` has not made. Arrays may be read-only views on the bytes."""
    try:
        line, _, rest = body.partition(b"\n")
        told = json.loads(line)
        deflated, plain = zlib.decompress(rest[: told["deflated"]]), rest[told["deflated"] :]
        return dict(_read(told["parts"], deflated, plain))
    except (ValueError, KeyError, TypeError, zlib.error) as error:
        raise StorageError(f"These bytes are no index: {error}.") from error


def _read(told: list[Any], deflated: bytes, plain: bytes) -> list[tuple[str, Any]]:
    found, at = [], [0, 0]
    for name, kinds, shape, size, is_plain in told:
        own = memoryview(plain if is_plain else deflated)[at[is_plain] : at[is_plain] + size]
        at[is_plain] += size
        found.append((name, _value(own, kinds, shape)))
    return found


def _body(value: Any) -> tuple[list[str], list[int], bytes]:
    """(types, shape, bytes): integers are kept in as few bytes as hold them all."""
    if not isinstance(value, np.ndarray):
        return [_TEXT], [], json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode()
    kept = np.ascontiguousarray(_narrow(value))
    return [kept.dtype.str, value.dtype.str], list(value.shape), kept.tobytes()


def _value(body: memoryview, kinds: list[str], shape: list[int]) -> Any:
    if kinds == [_TEXT]:
        return json.loads(bytes(body))
    kept, was = kinds
    return np.frombuffer(body, np.dtype(kept)).reshape(shape).astype(was, copy=False)


def _narrow(values: NDArray[Any]) -> NDArray[Any]:
    if values.dtype.kind != "i" or not values.size:
        return values
    low, high = values.min(), values.max()
    for kind in _NARROW:
        if np.iinfo(kind).min <= low and high <= np.iinfo(kind).max:
            return values.astype(kind)
    return values
