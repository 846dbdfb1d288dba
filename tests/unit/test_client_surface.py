"""One set of verbs: the blocking client, the async client and embedded use have the same ones, called the same way."""

from __future__ import annotations

import inspect
from typing import get_args

import pytest

from aim_memory import AIMMemory, AsyncClient, Client, bodies, types
from aim_memory.client.admin import Admin, AsyncAdmin
from aim_memory.client.raw import AsyncRawVerbs, RawVerbs

VERBS = {
    "write", "query", "answer", "generate_with_memory", "stream_answer", "get", "list", "iterate", "update",
    "delete", "history", "evidence", "forget", "session", "sessions", "reset_session", "namespaces", "feedback",
    "status", "close",
}  # fmt: skip


def _public_methods(door: type) -> set[str]:
    return {name for name, _ in inspect.getmembers(door, inspect.isfunction) if not name.startswith("_")}


def _parameters(door: type, verb: str) -> list[tuple[str, object, object]]:
    """Name, kind and default of each parameter, the first left out: every door calls itself as it likes."""
    signature = inspect.signature(getattr(door, verb))
    return [(found.name, found.kind, found.default) for found in list(signature.parameters.values())[1:]]


@pytest.mark.parametrize("door", [Client, AsyncClient, AIMMemory])
def test_every_door_has_the_verbs_and_no_others(door: type) -> None:
    assert _public_methods(door) - {"with_options"} == VERBS


@pytest.mark.parametrize("verb", sorted(VERBS))
def test_every_door_takes_the_same_parameters(verb: str) -> None:
    expected = _parameters(Client, verb)
    assert _parameters(AsyncClient, verb) == expected
    assert _parameters(AIMMemory, verb) == expected


@pytest.mark.parametrize("raw", [RawVerbs, AsyncRawVerbs])
def test_raw_responses_are_had_of_every_verb_that_does_not_iterate(raw: type) -> None:
    assert _public_methods(raw) == VERBS - {"stream_answer", "iterate", "close"}
    for verb in _public_methods(raw):
        assert _parameters(raw, verb) == _parameters(Client, verb)


def test_administration_is_alike_but_for_what_is_written_to_files() -> None:
    assert _public_methods(Admin) - _public_methods(AsyncAdmin) == {"backup", "export"}
    for verb in _public_methods(AsyncAdmin):
        assert _parameters(AsyncAdmin, verb) == _parameters(Admin, verb)


@pytest.mark.parametrize("verb", sorted(VERBS - {"close"}))
def test_every_verb_is_documented(verb: str) -> None:
    for door in (Client, AsyncClient):
        assert inspect.getdoc(getattr(door, verb))


def test_both_clients_are_set_up_alike() -> None:
    blocking, waiting = (inspect.signature(door).parameters for door in (Client, AsyncClient))
    assert {name: found.default for name, found in blocking.items() if name != "sleep"} == {
        name: found.default for name, found in waiting.items() if name != "sleep"
    }


def test_the_modes_of_bodies_and_core_are_the_same() -> None:
    assert get_args(bodies.Mode) == get_args(types.Mode)
