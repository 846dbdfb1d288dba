"""What has expired stands in nobody's way, and what lives longer than was thought is not erased."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta

import pytest

from aim_memory.bodies import MemoryItem, UpdateRequest, WriteRequest
from aim_memory.errors import NotFoundError
from aim_memory.storage.memory_store import InMemoryStore
from aim_memory.types import Space
from tests.memories import START
from tests.moving import SPACE, HalfEmbedder, Service, Ticking

SOON, LATER = START + timedelta(seconds=10), START + timedelta(days=1)


class Interrupted(InMemoryStore):
    """Something happens right after somebody has looked for what expired."""

    then: Callable[[], object] | None = None

    def expired(self, now: datetime, limit: int) -> Sequence[tuple[Space, str]]:
        found = super().expired(now, limit)
        if self.then is not None:
            self.then()
        return found


@pytest.fixture
def clock() -> Ticking:
    return Ticking()


@pytest.fixture
def store(clock: Ticking) -> Interrupted:
    return Interrupted(clock, None)


@pytest.fixture
def service(store: Interrupted, clock: Ticking) -> Service:
    return Service(store, HalfEmbedder(0), clock)


def write(service: Service, *items: MemoryItem) -> list[str]:
    request = WriteRequest(namespace=SPACE.namespace, memories=list(items))
    return [result.status for result in service.engine.write(SPACE.tenant, request).results]


@pytest.mark.parametrize("given", ["a", None])
def test_a_memory_that_is_written_again_after_it_expired_is_a_new_one(
    service: Service, clock: Ticking, given: str | None
) -> None:
    parked = MemoryItem(id=given, text="The car is on deck three.", expires_at=SOON)
    assert write(service, parked) == ["created"]
    clock.at += timedelta(seconds=20)
    assert write(service, parked.model_copy(update={"expires_at": LATER})) == ["created"]
    service.engine.upkeep()
    assert list(service.texts().values()) == ["The car is on deck three."]


def test_what_has_expired_is_not_edited_unless_its_life_is_prolonged(service: Service, clock: Ticking) -> None:
    write(service, MemoryItem(id="a", text="The car is on deck three.", expires_at=SOON))
    clock.at += timedelta(seconds=20)
    with pytest.raises(NotFoundError):
        service.edit("a", "The car is on deck five.")
    longer = UpdateRequest(text="The car is on deck five.", expires_at=LATER)
    service.engine.update(SPACE.tenant, "a", longer, namespace=SPACE.namespace)
    service.engine.upkeep()
    assert service.texts() == {"a": "The car is on deck five."}


def test_the_id_of_what_expired_is_free(service: Service, clock: Ticking) -> None:
    write(service, MemoryItem(id="a", text="The car is on deck three.", expires_at=SOON))
    clock.at += timedelta(seconds=20)
    assert write(service, MemoryItem(id="a", text="The car is on deck five.")) == ["created"]
    service.engine.upkeep()
    assert service.texts() == {"a": "The car is on deck five."}


def test_a_memory_whose_life_is_prolonged_at_the_last_moment_is_not_erased(
    service: Service, store: Interrupted, clock: Ticking
) -> None:
    write(service, MemoryItem(id="a", text="The car is on deck three.", expires_at=SOON))
    longer = UpdateRequest(expires_at=LATER)
    store.then = lambda: service.engine.update(SPACE.tenant, "a", longer, namespace=SPACE.namespace)
    clock.at += timedelta(seconds=20)
    assert service.engine.upkeep()["expired"] == 0
    assert service.texts() == {"a": "The car is on deck three."}
