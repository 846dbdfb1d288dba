"""Hostile filters: whatever is asked for, a filter is refused by name or lets through exactly what it says."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

import numpy as np
import pytest

from aim_memory.errors import InvalidInputError
from aim_memory.filters import FIELDS, OPERATORS, parse
from aim_memory.storage.index import FlatIndex
from tests.figures import figure
from tests.rows import DIMENSION, START, row

HOSTILE = (
    "' OR 1=1 --",
    "'; DROP TABLE memories; --",
    "%",
    "_",
    "*",
    "\\",
    '"',
    "$where",
    "{{7*7}}",
    "${jndi:ldap://x}",
    "../../etc/passwd",
    "__class__",
    "__proto__",
    "constructor",
    "m1",
    "null",
    "true",
    "NaN",
    "",
    " ",
    "\u202e",
    "Ａda",
    "ADA",
    "é",
    "e\u0301",
    "中文",
    "\U0001f6b2",
    "a" * 3000,
)
NUMBERS = (0, 1, -1, 3, 5.0, 2**63, -(2**63), 10**300, 1e308, -0.0, 0.1, 1e-320)
MOMENTS = (
    START.isoformat(),
    "0001-01-01T00:00:00+14:00",
    "9999-12-31T23:59:59.999999-14:00",
    "2025-03-01",
    "yesterday",
    "2025-02-30T00:00:00Z",
    "2025-03-01T09:02:00",
)
PATHS = ("topic", "stars", "tags", "deep.er", "deep", "..", "topic.x", "__class__", "' OR 1=1 --", "中", "$ne")
PEOPLE = ("Ada", "Bob", None, "' OR 1=1 --", "ada", "中文")
ROWS = [
    row(
        number,
        f"text {number}",
        speaker=PEOPLE[number % 6],
        role=("user", "assistant", None)[number % 3],
        session=("s1", "s2", None, "%")[number % 4],
        source=(None, "import", "$where")[number % 3],
        pinned=number % 5 == 0,
        metadata={
            **({"topic": HOSTILE[number % len(HOSTILE)]} if number % 4 else {}),
            **({"stars": NUMBERS[number % len(NUMBERS)]} if number % 3 else {"stars": "5"}),
            **({"tags": ["x", 3, True, "__class__"][: number % 5]} if number % 2 else {}),
            **({"deep": {"er": number % 3 == 0, "中": "中"}} if number % 7 else {"deep": True}),
        },
    )
    for number in range(1, 60)
]
_MISSING = object()


class Attacker:
    """Makes filters up: many of them valid, most of them strange."""

    def __init__(self, seed: int) -> None:
        self._draw = np.random.default_rng(seed)

    def filter(self, depth: int = 0) -> Any:
        kind = self._draw.random()
        if kind < 0.02:
            return self._one([None, [], {}, "speaker", 7, True, [{}], {"and": {}}, {"or": []}, {"not": None}])
        if depth < 7 and kind < 0.35:
            joined = self._one(["and", "or"])
            return {joined: [self.filter(depth + 1) for _ in range(self._draw.integers(1, 4))]}
        if depth < 7 and kind < 0.45:
            return {"not": self.filter(depth + 1)}
        fields = [self._field() for _ in range(self._draw.integers(1, 3))]
        return {name: self._compared(name) for name in fields}

    def _field(self) -> str:
        if self._draw.random() < 0.05:
            return self._one(["tenant", "namespace", "id", "metadata", "metadata.", "Speaker", "and ", "", *HOSTILE])
        if self._draw.random() < 0.5:
            return f"metadata.{self._one(PATHS)}"
        return self._one(FIELDS)

    def _compared(self, name: str) -> Any:
        if self._draw.random() < 0.3:
            return self._operand(name, "eq")
        operators = [self._operator() for _ in range(self._draw.integers(1, 3))]
        return {operator: self._operand(name, operator) for operator in operators}

    def _operator(self) -> str:
        return self._one(["$ne", "regex", "EQ", "", "like"] if self._draw.random() < 0.03 else OPERATORS)

    def _operand(self, name: str, operator: str) -> Any:
        """Mostly of a type that the field and the operator take."""
        if self._draw.random() < 0.05:
            return self._one([None, {"a": 1}, [[1]], {"eq": {"eq": 1}}, *NUMBERS, *MOMENTS, True])
        if operator == "exists":
            return self._one([True, False])
        if operator in ("in", "nin"):
            return [self._operand(name, "eq") for _ in range(self._draw.integers(0, 4))]
        if name == "timestamp":
            return self._one(MOMENTS)
        if name == "pinned":
            return self._one([True, False])
        texts = [*HOSTILE, "Ada", "Bob", "user", "s1", "import", "x", "5"]
        return self._one([*texts, *NUMBERS, True, False] if name.startswith("metadata") else texts)

    def _one(self, options: Any) -> Any:
        return options[int(self._draw.integers(len(options)))]


# --- the grammar once more, one row at a time ----------------------------------------------------------------------


def _held(each: Any, name: str) -> Any:
    if name == "timestamp":
        return each.timestamp
    if name == "pinned":
        return int(each.pinned)  # which is ordered; other booleans are not
    if not name.startswith("metadata."):
        value = getattr(each, name)
        return _MISSING if value is None else value
    value = each.metadata
    for part in name.removeprefix("metadata.").split("."):
        if not isinstance(value, dict) or part not in value:
            return _MISSING
        value = value[part]
    return _MISSING if value is None else value


def _keeps(spec: dict[str, Any], each: Any) -> bool:
    return all(_entry(name, wanted, each) for name, wanted in spec.items())


def _entry(name: str, wanted: Any, each: Any) -> bool:
    if name == "and":
        return all(_keeps(part, each) for part in wanted)
    if name == "or":
        return any(_keeps(part, each) for part in wanted)
    if name == "not":
        return not _keeps(wanted, each)
    tests = wanted if isinstance(wanted, dict) else {"eq": wanted}
    if name == "pinned":
        tests = {verb: own if verb == "exists" else _counted(own) for verb, own in tests.items()}
    return all(_fulfils(operator, _held(each, name), operand) for operator, operand in tests.items())


def _counted(operand: Any) -> Any:
    return [int(one) for one in operand] if isinstance(operand, list) else int(operand)


def _fulfils(operator: str, held: Any, wanted: Any) -> bool:
    if operator == "exists":
        return (held is not _MISSING) == wanted
    if operator in ("ne", "nin"):
        return not _fulfils("eq" if operator == "ne" else "in", held, wanted)
    if held is _MISSING:
        return False
    if isinstance(held, datetime):
        wanted = [_moment(one) for one in wanted] if operator == "in" else _moment(wanted)
    if operator == "in":
        return any(_same(held, one) for one in wanted)
    if operator == "eq":
        return _same(held, wanted)
    if operator == "contains":
        if isinstance(held, str):
            return isinstance(wanted, str) and wanted.casefold() in held.casefold()
        return isinstance(held, list | tuple) and any(_same(one, wanted) for one in held)
    return _kind(held) == _kind(wanted) in ("number", "text", "moment") and _before(operator, held, wanted)


def _before(operator: str, held: Any, wanted: Any) -> bool:
    return {"gt": held > wanted, "gte": held >= wanted, "lt": held < wanted, "lte": held <= wanted}[operator]


def _kind(value: Any) -> str:
    if isinstance(value, bool):
        return "boolean"
    if isinstance(value, int | float):
        return "number"
    return "text" if isinstance(value, str) else "moment" if isinstance(value, datetime) else "other"


def _same(held: Any, wanted: Any) -> bool:
    return _kind(held) == _kind(wanted) and bool(held == wanted)


def _moment(text: str) -> datetime:
    moment = datetime.fromisoformat(text)
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


@pytest.mark.parametrize("count", [2_000, pytest.param(100_000, marks=pytest.mark.deep)])
def test_hostile_filters_are_refused_or_kept_to(count: int) -> None:
    index = FlatIndex(DIMENSION)
    index.upsert(ROWS)
    attacker, refused, nameless, found = Attacker(count), 0, 0, 0
    for _ in range(count):
        spec = attacker.filter()
        told = json.dumps(spec, ensure_ascii=False)[:500]
        try:
            kept = parse(spec)
        except InvalidInputError as error:
            refused += 1
            nameless += not error.field
            continue
        if kept is None:
            continue
        mask = kept.mask(index)
        let_through = {index.id_of(at) for at in np.flatnonzero(mask & index.columns.alive).tolist()}
        wanted = {each.id for each in ROWS if _keeps(spec, each)}
        assert let_through == wanted, told
        found += bool(wanted)
    assert nameless == 0
    assert refused < 0.6 * count
    assert found > 0.1 * count
    size = f"{count:,} made-up filters over {len(ROWS)} memories"
    figure("a filter lets nothing through that it does not name", size, f"{refused:,} refused by name, 0 extra rows")
