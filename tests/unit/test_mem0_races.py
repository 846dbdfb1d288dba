"""What somebody else deletes while a request of mem0's is served is passed over."""

from __future__ import annotations

from typing import Any, cast

import pytest

from aim_memory.api.auth import LOCAL_CALLER
from aim_memory.api.mem0.shapes import SearchBody
from aim_memory.api.mem0.verbs import Mem0
from aim_memory.bodies import WriteRequest
from aim_memory.engine import MemoryEngine
from aim_memory.storage.memory_store import InMemoryStore
from tests.moving import HalfEmbedder, Service, Ticking

SPACE = "user/ada"


class Racing:
    """An engine beside which somebody deletes "kettle" right after every reading."""

    def __init__(self, engine: MemoryEngine) -> None:
        self._engine = engine

    def __getattr__(self, verb: str) -> Any:
        return getattr(self._engine, verb)

    def query(self, *asked: Any, **more: Any) -> Any:
        return self._raced(self._engine.query(*asked, **more))

    def list(self, *asked: Any, **more: Any) -> Any:
        return self._raced(self._engine.list(*asked, **more))

    def _raced(self, reply: Any) -> Any:
        self._engine.delete(LOCAL_CALLER.tenant, "kettle", namespace=SPACE)
        return reply


@pytest.fixture
def mem0() -> Mem0:
    clock = Ticking()
    engine = Service(InMemoryStore(clock, None), HalfEmbedder(0), clock).engine
    memories = [{"id": "kettle", "text": "The kettle is green."}, {"id": "tea", "text": "The tea is in the kettle."}]
    request = WriteRequest.model_validate({"namespace": SPACE, "memories": memories})
    engine.write(LOCAL_CALLER.tenant, request)
    return Mem0(cast(MemoryEngine, Racing(engine)), LOCAL_CALLER)


def test_a_search_shows_what_is_left(mem0: Mem0) -> None:
    found = mem0.search(SearchBody(query="the kettle", filters={"user_id": "ada"}))["results"]
    assert [one["id"] for one in found] == ["tea"]


def test_all_are_deleted_whoever_was_faster(mem0: Mem0) -> None:
    mem0.delete_each({"user_id": "ada"})
    assert mem0.entities()["results"][0]["total_memories"] == 0
