"""Keys are shown once, kept as hashes, and good until revoked or expired."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from aim_memory import assemble
from aim_memory.clock import SystemClock
from aim_memory.errors import AuthenticationError, InvalidInputError
from aim_memory.keys import Keyring, includes
from aim_memory.ports import MemoryStore
from tests.api.conftest import settings_in

NOW = datetime(2026, 3, 2, 9, tzinfo=UTC)


class SetClock(SystemClock):
    """A clock whose hands are moved by the test."""

    moment = NOW

    def now(self) -> datetime:
        return self.moment


@pytest.fixture
def clock() -> SetClock:
    return SetClock()


@pytest.fixture
def store(tmp_path: Path) -> Iterator[MemoryStore]:
    store = assemble.open_store(settings_in(tmp_path))
    yield store
    store.close()


@pytest.fixture
def keyring(store: MemoryStore, clock: SetClock) -> Keyring:
    return Keyring(store, clock)


def refused(keyring: Keyring, token: str) -> bool:
    with pytest.raises(AuthenticationError) as caught:
        keyring.verify(token)
    return caught.value.message == AuthenticationError().message


def test_a_key_is_known_again(keyring: Keyring) -> None:
    issued = keyring.create("acme", "laptop", "writer")
    prefix, key_id, secret = issued.token.split("_")
    assert (prefix, key_id) == ("aim", issued.key.id)
    assert len(secret) == 48
    assert keyring.verify(issued.token) == issued.key
    assert (issued.key.tenant, issued.key.name, issued.key.role) == ("acme", "laptop", "writer")


def test_no_two_keys_are_alike(keyring: Keyring) -> None:
    tokens = {keyring.create("acme", "laptop").token for _ in range(20)}
    assert len({token.split("_")[1] for token in tokens}) == len({token.split("_")[2] for token in tokens}) == 20


def test_the_secret_is_kept_nowhere(keyring: Keyring, tmp_path: Path) -> None:
    issued = keyring.create("acme", "laptop")
    secret = issued.token.split("_")[2]
    assert secret not in repr(issued)
    assert secret not in repr(keyring.list())
    assert not [file for file in tmp_path.rglob("*") if file.is_file() and secret.encode() in file.read_bytes()]


def test_nothing_else_is_a_key(keyring: Keyring) -> None:
    token = keyring.create("acme", "laptop").token
    _, key_id, secret = token.split("_")
    flipped = secret[:-1] + ("0" if secret[-1] != "0" else "1")
    for wrong in (
        "",
        "aim",
        "aim__",
        secret,
        f"aim_{key_id}_",
        f"aim_{key_id}_{flipped}",
        f"aim_000000000000_{secret}",
        f"AIM_{key_id}_{secret}",
        f"{token} ",
        f"{token}_",
        token.upper(),
        f"aim_{key_id}_é",
        f"aim_{key_id}_\udcff",
        f"aim_{key_id}_{'0' * 10_000}",
    ):
        assert refused(keyring, wrong), wrong


def test_a_revoked_key_is_refused_in_the_same_words(keyring: Keyring) -> None:
    issued = keyring.create("acme", "laptop")
    assert keyring.revoke(issued.key.id)
    assert not keyring.revoke(issued.key.id)
    assert not keyring.revoke("nobody")
    assert refused(keyring, issued.token)


def test_a_key_expires_on_the_moment(keyring: Keyring, clock: SetClock) -> None:
    issued = keyring.create("acme", "guest", "reader", expires_at=NOW + timedelta(hours=1))
    clock.moment = NOW + timedelta(minutes=59)
    assert keyring.verify(issued.token).name == "guest"
    clock.moment = NOW + timedelta(hours=1)
    assert refused(keyring, issued.token)


def test_keys_are_listed_by_tenant(keyring: Keyring) -> None:
    ours, theirs = keyring.create("acme", "a").key, keyring.create("globex", "b").key
    assert [key.id for key in keyring.list("acme")] == [ours.id]
    assert {key.id for key in keyring.list()} == {ours.id, theirs.id}


def test_without_any_key_there_is_nothing_to_check(keyring: Keyring) -> None:
    assert keyring.empty()
    assert keyring.admit(None) is None
    assert keyring.admit("aim_0_0") is None
    issued = keyring.create("acme", "first")
    assert keyring.admit(issued.token) == issued.key
    keyring.revoke(issued.key.id)
    for token in (None, "aim_0_0", issued.token):
        with pytest.raises(AuthenticationError):
            keyring.admit(token)


@pytest.mark.parametrize(
    ("tenant", "name", "role", "field"),
    [
        ("", "laptop", "writer", "tenant"),
        ("acme", " ", "writer", "name"),
        ("acme", "a\nb", "writer", "name"),
        ("acme", "x" * 129, "writer", "name"),
        ("acme", "laptop", "owner", "role"),
    ],
)
def test_a_key_that_makes_no_sense_is_not_made(keyring: Keyring, tenant: str, name: str, role: str, field: str) -> None:
    with pytest.raises(InvalidInputError) as caught:
        keyring.create(tenant, name, role)  # type: ignore[arg-type]
    assert caught.value.field == field
    with pytest.raises(InvalidInputError):
        keyring.create("acme", "late", expires_at=NOW)
    assert keyring.empty()


def test_roles_are_a_ladder() -> None:
    assert includes("admin", "reader")
    assert includes("writer", "writer")
    assert not includes("reader", "writer")
    assert not includes("root", "reader")
