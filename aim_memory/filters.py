"""Filters: which memories may be found at all. A typed grammar, parsed once, evaluated on an index before top-k.

    {"and" | "or": [filter, ...]} · {"not": filter} · {field: {operator: value, ...}, ...} · {field: value} (equals)

Fields: speaker, role, session_id, source, timestamp, pinned, metadata.<path>. Several fields, and several operators of
one field, must all hold. A memory without the field fulfils only "ne", "nin" and {"exists": false}.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Literal, TypeAlias

import numpy as np
from numpy.typing import NDArray

from aim_memory.errors import InvalidInputError, LimitExceededError
from aim_memory.ports import IndexReader

Operator = Literal["eq", "ne", "in", "nin", "gt", "gte", "lt", "lte", "contains", "exists"]
Mask: TypeAlias = NDArray[np.bool_]

OPERATORS: tuple[Operator, ...] = ("eq", "ne", "in", "nin", "gt", "gte", "lt", "lte", "contains", "exists")
FIELDS = ("speaker", "role", "session_id", "source", "timestamp", "pinned")
_METADATA = "metadata."
_ABSENT = frozenset({"ne", "nin"})
"""Operators that a memory without the field fulfils."""


@dataclass(frozen=True, slots=True)
class Condition:
    """``field operator value``; for timestamp the value is POSIX seconds."""

    field: str
    operator: Operator
    value: Any

    def mask(self, index: IndexReader) -> Mask:
        if self.field == "timestamp":
            return _by_number(index.columns.timestamp, self)
        if self.field == "pinned":
            return _by_number(index.columns.pinned, self)
        codes, values = index.coded(self.field)
        absent = self.operator in _ABSENT or (self.operator == "exists" and not self.value)
        truth = [holds(self.operator, held, self.value) for held in values]
        return np.array([*truth, absent], np.bool_)[codes]  # code −1 is the last entry


@dataclass(frozen=True, slots=True)
class All:
    parts: tuple[Filter, ...]

    def mask(self, index: IndexReader) -> Mask:
        return np.asarray(np.logical_and.reduce([part.mask(index) for part in self.parts]), np.bool_)


@dataclass(frozen=True, slots=True)
class Either:
    parts: tuple[Filter, ...]

    def mask(self, index: IndexReader) -> Mask:
        return np.asarray(np.logical_or.reduce([part.mask(index) for part in self.parts]), np.bool_)


@dataclass(frozen=True, slots=True)
class Not:
    part: Filter

    def mask(self, index: IndexReader) -> Mask:
        return ~self.part.mask(index)


Filter: TypeAlias = Condition | All | Either | Not
"""A parsed filter. ``mask(index)`` is true, per row, where the memory may be found."""


def parse(spec: Mapping[str, Any] | None, *, conditions: int = 32, depth: int = 5) -> Filter | None:
    """A filter from its JSON form; None for none.

    Raises:
        InvalidInputError: naming the path of what is wrong.
        LimitExceededError: more than ``conditions`` comparisons, or nested deeper than ``depth``.
    """
    if spec is None:
        return None
    parsed = _Parser(depth).filter(spec, "filters", 1)
    if _size(parsed) > conditions:
        raise LimitExceededError(f"filters: more than {conditions} conditions.", field="filters")
    return parsed


def holds(operator: Operator, held: Any, wanted: Any) -> bool:
    """Does a value that is there fulfil ``operator wanted``? Values of different types are unequal and unordered."""
    return _TESTS[operator](held, wanted)


def _equal(held: Any, wanted: Any) -> bool:
    return isinstance(held, bool) == isinstance(wanted, bool) and bool(held == wanted)


def _ordered(test: Callable[[Any, Any], bool]) -> Callable[[Any, Any], bool]:
    def compare(held: Any, wanted: Any) -> bool:
        numbers = all(isinstance(side, int | float) and not isinstance(side, bool) for side in (held, wanted))
        return (numbers or (isinstance(held, str) and isinstance(wanted, str))) and test(held, wanted)

    return compare


def _contains(held: Any, wanted: Any) -> bool:
    if isinstance(held, str):
        return isinstance(wanted, str) and wanted.casefold() in held.casefold()
    return isinstance(held, list | tuple) and any(_equal(item, wanted) for item in held)


_TESTS: Mapping[Operator, Callable[[Any, Any], bool]] = {
    "eq": _equal,
    "ne": lambda held, wanted: not _equal(held, wanted),
    "in": lambda held, wanted: any(_equal(held, item) for item in wanted),
    "nin": lambda held, wanted: not any(_equal(held, item) for item in wanted),
    "gt": _ordered(lambda held, wanted: held > wanted),
    "gte": _ordered(lambda held, wanted: held >= wanted),
    "lt": _ordered(lambda held, wanted: held < wanted),
    "lte": _ordered(lambda held, wanted: held <= wanted),
    "contains": _contains,
    "exists": lambda held, wanted: bool(wanted),
}
_ON_NUMBERS: Mapping[Operator, Callable[[NDArray[Any], Any], Mask]] = {
    "eq": lambda column, wanted: column == wanted,
    "ne": lambda column, wanted: column != wanted,
    "in": lambda column, wanted: np.isin(column, wanted),
    "nin": lambda column, wanted: ~np.isin(column, wanted),
    "gt": lambda column, wanted: column > wanted,
    "gte": lambda column, wanted: column >= wanted,
    "lt": lambda column, wanted: column < wanted,
    "lte": lambda column, wanted: column <= wanted,
    "exists": lambda column, wanted: np.full(len(column), wanted),
}


def _by_number(column: NDArray[Any], condition: Condition) -> Mask:
    return _ON_NUMBERS[condition.operator](column, condition.value)


def _size(parsed: Filter) -> int:
    match parsed:
        case Condition():
            return 1
        case Not():
            return _size(parsed.part)
        case All() | Either():
            return sum(map(_size, parsed.parts))


class _Parser:
    def __init__(self, depth: int) -> None:
        self._depth = depth

    def filter(self, spec: object, path: str, level: int) -> Filter:
        if not isinstance(spec, Mapping) or not spec:
            raise _invalid(path, "an object with at least one condition is needed")
        if level > self._depth:
            raise LimitExceededError(f"{path}: filters may be {self._depth} levels deep.", field=path)
        return _all([self._entry(key, value, f"{path}.{key}", level) for key, value in spec.items()])

    def _entry(self, key: object, value: object, path: str, level: int) -> Filter:
        if key in ("and", "or"):
            if not isinstance(value, list) or not value:
                raise _invalid(path, "a list with at least one filter is needed")
            parts = tuple(self.filter(item, f"{path}[{at}]", level + 1) for at, item in enumerate(value))
            return All(parts) if key == "and" else Either(parts)
        if key == "not":
            return Not(self.filter(value, path, level + 1))
        if isinstance(key, str) and (key in FIELDS or (key.startswith(_METADATA) and len(key) > len(_METADATA))):
            return _comparisons(key, value, path)
        raise _invalid(path, f"unknown field; use {', '.join(FIELDS)}, metadata.<key>, and, or, not")


def _comparisons(field: str, value: object, path: str) -> Filter:
    if not isinstance(value, Mapping):
        return Condition(field, "eq", _checked(field, "eq", value, path))
    if not value:
        raise _invalid(path, "an operator is needed")
    parts: list[Filter] = []
    for operator, operand in value.items():
        if operator not in OPERATORS:
            raise _invalid(f"{path}.{operator}", f"unknown operator; use {', '.join(OPERATORS)}")
        parts.append(Condition(field, operator, _checked(field, operator, operand, f"{path}.{operator}")))
    return _all(parts)


def _all(parts: Sequence[Filter]) -> Filter:
    return parts[0] if len(parts) == 1 else All(tuple(parts))


def _checked(field: str, operator: Operator, value: object, path: str) -> Any:
    if operator == "exists":
        return _boolean(value, path)
    if operator in ("in", "nin"):
        if not isinstance(value, list):
            raise _invalid(path, "a list is needed")
        return tuple(_operand(field, operator, item, f"{path}[{at}]") for at, item in enumerate(value))
    return _operand(field, operator, value, path)


def _operand(field: str, operator: Operator, value: object, path: str) -> Any:
    if operator == "contains" and field in ("timestamp", "pinned"):
        raise _invalid(path, f"{field} cannot contain anything")
    if field == "timestamp":
        return _moment(value, path)
    if field == "pinned":
        return _boolean(value, path)
    if not isinstance(value, str | int | float | bool):
        raise _invalid(path, "a string, number or boolean is needed")
    if not field.startswith(_METADATA) and not isinstance(value, str):
        raise _invalid(path, "a string is needed")
    return value


def _boolean(value: object, path: str) -> bool:
    if not isinstance(value, bool):
        raise _invalid(path, "true or false is needed")
    return value


def _moment(value: object, path: str) -> float:
    moment = value
    if isinstance(value, str):
        try:
            moment = datetime.fromisoformat(value)
        except ValueError:
            moment = None
    if not isinstance(moment, datetime):
        raise _invalid(path, "an ISO 8601 time is needed")
    return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()


def _invalid(path: str, problem: str) -> InvalidInputError:
    return InvalidInputError(f"{path}: {problem}.", field=path)
