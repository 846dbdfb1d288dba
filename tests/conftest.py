"""What holds for every test."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests import postgres


@pytest.fixture(autouse=True)
def _databases_end_with_their_test() -> Iterator[None]:
    """SQLite's lie in the test's own folder; PostgreSQL's on a server that outlives the test."""
    yield
    postgres.take_back()
