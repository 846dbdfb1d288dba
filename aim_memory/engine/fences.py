"""The words that name the fences around stored text in prompts: one per session, unguessable."""

from __future__ import annotations

import hmac
import secrets
from collections.abc import Iterable

from aim_memory.types import Space


class Fences:
    """Words derived from a secret that this process made up and never shows.

    One session keeps one word, so that its prompts begin alike and a model server can reuse what it computed. Without
    a session every prompt gets a word of its own.
    """

    def __init__(self, secret: bytes | None = None) -> None:
        self._secret = secret or secrets.token_bytes(32)

    def word(self, space: Space, session: str | None, texts: Iterable[str]) -> str:
        """Sixteen hexadecimal digits that none of the texts contains."""
        stored = "\n".join(texts).lower()
        for count in range(1000):
            word = self._nth(space, session, count) if session is not None else secrets.token_hex(8)
            if word not in stored:
                return word
        raise AssertionError("a thousand random words of 64 bits cannot all be in the text")

    def _nth(self, space: Space, session: str, count: int) -> str:
        named = "\0".join((space.tenant, space.namespace, session, str(count)))
        return hmac.digest(self._secret, named.encode(), "sha256").hex()[:16]
