"""API keys: who may knock, for which tenant, as what.

A key reads ``aim_<id>_<secret>``. The secret is 192 random bits, shown once; the store keeps one HMAC-SHA-256 of the
whole key. A secret that long cannot be guessed or tabulated, so a slow password hash would only slow every request.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal, TypeAlias, get_args

from aim_memory.errors import AuthenticationError, InvalidInputError
from aim_memory.ports import Clock, MemoryStore
from aim_memory.types import ApiKey

Role: TypeAlias = Literal["auditor", "reader", "writer", "admin", "operator"]
ROLES: tuple[Role, ...] = get_args(Role)
"""From the reader on each may all that the readers, writers and so on before it may. They work on the memories of their
tenant; an operator also works on the whole service: its backups, its embedder, everybody's keys. An auditor stands
beside them: figures, jobs and the audit log, which are for admins too, and never a memory."""

_LADDER = ("reader", "writer", "admin", "operator")

PREFIX = "aim"
NAME_CHARS = 128
_PURPOSE = b"aim-memory api key"
_SECRET_BYTES = 24
_LONGEST = 256
"""Characters of a credential that are looked at; nothing longer is a key of ours."""


@dataclass(frozen=True, slots=True)
class IssuedKey:
    """A fresh key. ``token`` is not kept anywhere: show it now or never."""

    key: ApiKey
    token: str = field(repr=False)


def includes(role: str, needed: Role) -> bool:
    """Whether ``role`` may do what ``needed`` may."""
    if needed == "auditor":
        return role in ("auditor", "admin", "operator")
    return role in _LADDER and _LADDER.index(role) >= _LADDER.index(needed)


class Keyring:
    """Keys over the store: create, list, revoke, verify."""

    def __init__(self, store: MemoryStore, clock: Clock) -> None:
        self._store = store
        self._clock = clock

    @property
    def local(self) -> bool:
        """Whether ``admit`` is so quick that an event loop may call it: as ``MemoryStore.local``."""
        return self._store.local

    def create(self, tenant: str, name: str, role: Role = "writer", expires_at: datetime | None = None) -> IssuedKey:
        """Makes a key for a tenant. Raises InvalidInputError."""
        now = self._clock.now()
        _check(tenant, name, role, expires_at, now)
        key = ApiKey(self._clock.new_id()[-12:], tenant, name, role, created_at=now, expires_at=expires_at)
        token = f"{PREFIX}_{key.id}_{secrets.token_hex(_SECRET_BYTES)}"
        self._store.add_key(key, _hash(token))
        return IssuedKey(key, token)

    def list(self, tenant: str | None = None) -> Sequence[ApiKey]:
        """The keys of a tenant, or of all, revoked and expired ones included."""
        return self._store.keys(tenant)

    def revoke(self, key_id: str) -> bool:
        """Ends a key at once. Returns whether it was there and valid before."""
        return self._store.revoke_key(key_id, self._clock.now())

    def verify(self, token: str) -> ApiKey:
        """The key that a credential is. Raises AuthenticationError, in the same words for every cause."""
        key = self._store.find_key(_hash(token)) if _looks_like_a_key(token) else None
        if key is None or not hmac.compare_digest(key.id, token.split("_")[1]):
            raise AuthenticationError
        if key.revoked_at is not None or (key.expires_at is not None and key.expires_at <= self._clock.now()):
            raise AuthenticationError
        return key

    def admit(self, token: str | None) -> ApiKey | None:
        """The key of a caller, or None where no key was ever made: then it is for the caller's address to decide.

        Revoked keys count: a server that once asked for keys never opens again by itself.
        Raises AuthenticationError.
        """
        try:
            return self.verify(token or "")
        except AuthenticationError:
            if self.empty():
                return None
            raise

    def empty(self) -> bool:
        """Whether no key was ever made."""
        return not self._store.keys()


def _hash(token: str) -> str:
    return hmac.new(_PURPOSE, token.encode(), hashlib.sha256).hexdigest()


def _looks_like_a_key(token: str) -> bool:
    parts = token.split("_")
    return len(token) <= _LONGEST and token.isascii() and len(parts) == 3 and parts[0] == PREFIX


def _check(tenant: str, name: str, role: str, expires_at: datetime | None, now: datetime) -> None:
    for value, field_name in ((tenant, "tenant"), (name, "name")):
        if not value.strip() or len(value) > NAME_CHARS or not value.isprintable():
            raise InvalidInputError(f"{field_name} must be 1 to {NAME_CHARS} printable characters.", field=field_name)
    if role not in ROLES:
        raise InvalidInputError(f"there is no role {role!r}; roles: {', '.join(ROLES)}.", field="role")
    if expires_at is not None and expires_at <= now:
        raise InvalidInputError("expires_at is in the past.", field="expires_at")
