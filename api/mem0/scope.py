"""mem0's users, agents, apps and runs as namespaces, and its filters as ours.

A memory lies in the namespace of the first of its user, agent, app and run that it names: ``user/ada``. The others
are kept in its metadata under ``mem0`` and can be filtered by. A filter has to say in which namespaces to look.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, TypeAlias
from urllib.parse import unquote

from aim_memory.errors import InvalidInputError
from aim_memory.integrations.payloads import segment

KINDS = ("user", "agent", "app", "run")
"""The first that a memory names is the one whose namespace it lies in."""
OWN = "mem0"
"""The key of our metadata that holds what mem0 keeps beside the metadata."""
MOST_SCOPES = 16
_ENTITY = {f"{kind}_id": kind for kind in KINDS}
_TIMES = frozenset({"created_at", "updated_at", "timestamp"})
_OPERATORS = frozenset({"eq", "ne", "in", "nin", "gt", "gte", "lt", "lte", "contains"})
_WORDS = {"AND": "and", "OR": "or", "NOT": "not"}
_NAMED = {"categories": f"metadata.{OWN}.categories", "role": "role"}

Residue: TypeAlias = bool | dict[str, Any]
"""What is left of a filter within one namespace: one of ours, or that it holds for all or for none there."""


@dataclass(frozen=True, slots=True, order=True)
class Scope:
    """Somebody's memories."""

    kind: str
    name: str

    @property
    def namespace(self) -> str:
        return f"{self.kind}/{segment(self.name)}"

    @classmethod
    def of_namespace(cls, namespace: str) -> Scope | None:
        """Whose it is; None for a namespace that is nobody's."""
        kind, _, name = namespace.partition("/")
        return cls(kind, unquote(name)) if kind in KINDS and name and "/" not in name else None


def entities_of(given: Mapping[str, Any]) -> dict[str, str]:
    """The ids among the fields of a request, ``filters`` included: {"user_id": "ada", …}. Raises InvalidInputError."""
    inner = given.get("filters")
    fields = {**(inner if isinstance(inner, Mapping) else {}), **given}
    found = {key: fields[key] for key in _ENTITY if fields.get(key) not in (None, "")}
    for key, value in found.items():
        if not isinstance(value, str | int) or isinstance(value, bool):
            raise InvalidInputError(f"{key} must be a string.", field=key)
    return {key: str(value) for key, value in found.items()}


def home_of(entities: Mapping[str, str]) -> Scope:
    """Where a memory of these lies. Raises InvalidInputError when it names none."""
    for key, kind in _ENTITY.items():
        if key in entities:
            return Scope(kind, entities[key])
    raise _nobody()


def scopes_of(filters: Mapping[str, Any]) -> list[Scope]:
    """The namespaces that can hold what a filter asks for, sorted.

    Raises InvalidInputError when it does not say, or names more than ``MOST_SCOPES``.
    """
    found = _scopes(filters)
    if not found:
        raise _nobody()
    if len(found) > MOST_SCOPES:
        raise InvalidInputError(f"filters name {len(found)} users, agents, apps or runs; at most {MOST_SCOPES}.")
    return sorted(found)


def _nobody() -> InvalidInputError:
    return InvalidInputError(
        "At least one of user_id, agent_id, app_id and run_id is needed, with a value of its own: it says whose "
        'memories are meant. In a search it belongs into filters: {"user_id": "ada"}.',
        field="filters",
    )


def _scopes(spec: Mapping[str, Any]) -> frozenset[Scope] | None:
    """None: any."""
    known = [found for key, value in spec.items() if (found := _scopes_of_entry(key, value)) is not None]
    return min(known, key=_narrowness) if known else None


def _scopes_of_entry(key: str, value: Any) -> frozenset[Scope] | None:
    word = key.upper()
    if word == "AND":
        known = [found for item in _items(value, key) if (found := _scopes(item)) is not None]
        return min(known, key=_narrowness) if known else None
    if word == "OR":
        each = [_scopes(item) for item in _items(value, key)]
        return None if None in each else frozenset().union(*(one for one in each if one is not None))
    if key not in _ENTITY:
        return None
    wanted = value if isinstance(value, Mapping) else {"eq": value}
    names = [wanted["eq"]] if "eq" in wanted else wanted.get("in")
    if not isinstance(names, list) or "*" in names or None in names:
        return None
    return frozenset(Scope(_ENTITY[key], str(name)) for name in names)


def _narrowness(scopes: frozenset[Scope]) -> tuple[int, int]:
    """A user before an agent before …: that is where a memory lies that names both."""
    return max((KINDS.index(scope.kind) for scope in scopes), default=-1), len(scopes)


def residue(filters: Mapping[str, Any], scope: Scope) -> Residue:
    """What a filter still asks for within a namespace. Raises InvalidInputError for what cannot be asked."""
    return _joined("and", [_entry(key, value, scope) for key, value in filters.items() if value is not None])


def _entry(key: str, value: Any, scope: Scope) -> Residue:
    word = _WORDS.get(key.upper())
    if word == "not":
        items = _items(value if isinstance(value, list) else [value], key)
        return _denied(_joined("or", [residue(item, scope) for item in items]))
    if word is not None:
        return _joined(word, [residue(item, scope) for item in _items(value, key)])
    if key == _key_of(scope) and not isinstance(value, Mapping):
        return value == "*" or str(value) == scope.name
    if key == _key_of(scope):
        return _joined("and", [_holds(operator, operand, scope.name) for operator, operand in value.items()])
    if key in _ENTITY:
        return _compared(f"metadata.{OWN}.{key}", value)
    if key == "metadata":
        if not isinstance(value, Mapping):
            raise InvalidInputError("filters.metadata must be an object of keys and values.", field="filters")
        return _joined("and", [_compared(f"metadata.{name}", wanted) for name, wanted in value.items()])
    if key in ("keywords", "memory_ids", "feedback", "feedback_reason"):
        raise InvalidInputError(f"filters.{key} is not offered here; search finds words by its query.", field="filters")
    return _compared("timestamp" if key in _TIMES else _NAMED.get(key, f"metadata.{key}"), value)


def _key_of(scope: Scope) -> str:
    return f"{scope.kind}_id"


def _holds(operator: str, operand: Any, name: str) -> bool:
    match operator:
        case "eq":
            return str(operand) == name
        case "ne":
            return str(operand) != name
        case "in" | "nin" if isinstance(operand, list):
            return (operator == "in") == (name in map(str, operand))
        case "contains" | "icontains":
            return str(operand).casefold() in name.casefold()
    raise InvalidInputError(f"an id cannot be compared by {operator!r}; use eq, ne, in, nin.", field="filters")


def _compared(field: str, value: Any) -> Residue:
    if value == "*":
        return {field: {"exists": True}}
    if not isinstance(value, Mapping):
        return {field: {"eq": value}}
    return _joined("and", [_operation(field, operator, operand) for operator, operand in value.items()])


def _operation(field: str, operator: str, operand: Any) -> Residue:
    operator = {"icontains": "contains"}.get(operator, operator)
    if operator not in _OPERATORS:
        raise InvalidInputError(
            f"{operator!r} is no operator of a filter; use {', '.join(sorted(_OPERATORS))}, AND, OR, NOT.",
            field="filters",
        )
    if operator == "in" and field == _NAMED["categories"]:  # a list of them against a list of them
        items = operand if isinstance(operand, list) else [operand]
        return _joined("or", [{field: {"contains": item}} for item in items])
    return {field: {operator: operand}}


def _joined(word: str, parts: list[Residue]) -> Residue:
    """Parts that are settled are left out, or settle the whole."""
    decides = word == "or"
    if decides in parts:
        return decides
    open_parts = [part for part in parts if isinstance(part, dict)]
    if not open_parts:
        return not decides
    return open_parts[0] if len(open_parts) == 1 else {word: open_parts}


def _denied(part: Residue) -> Residue:
    return not part if isinstance(part, bool) else {"not": part}


def _items(value: Any, key: str) -> Iterator[Mapping[str, Any]]:
    if not isinstance(value, list) or not value or not all(isinstance(item, Mapping) for item in value):
        raise InvalidInputError(f"filters.{key} must be a list of filters.", field="filters")
    yield from value
