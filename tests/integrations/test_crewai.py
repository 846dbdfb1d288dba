"""CrewAI's storage, asked by itself and by CrewAI's memory, over HTTP and in a folder."""

from __future__ import annotations

import asyncio
from datetime import datetime, timedelta
from typing import Any

import pytest

from aim_memory.errors import InvalidInputError
from aim_memory.integrations.memory import Memory

pytest.importorskip("crewai", reason="pip install 'aim-memory[crewai]'")

from crewai import BaseLLM
from crewai.memory.storage.backend import StorageBackend
from crewai.memory.types import MemoryRecord
from crewai.memory.unified_memory import Memory as CrewMemory

from aim_memory.integrations.crewai import AIMStorage, TextKeys

NOON = datetime(2026, 3, 2, 12)  # noqa: DTZ001  CrewAI's moments say no zone


def record(content: str, scope: str = "/", **more: Any) -> MemoryRecord:
    return MemoryRecord(content=content, scope=scope, created_at=NOON, last_accessed=NOON, **more)


class Silent(BaseLLM):
    """A model that may not be asked."""

    def call(self, *_: Any, **more: Any) -> str:
        raise AssertionError("nothing here needs a model")


@pytest.fixture
def storage(memory: Memory, root: str) -> AIMStorage:
    return AIMStorage(memory, namespace=f"{root}/crew")


def found(storage: AIMStorage, text: str, **more: Any) -> list[str]:
    return [one.content for one, _ in storage.search(storage.embedder([text])[0], **more)]


def test_records_come_back_as_they_were(storage: AIMStorage) -> None:
    assert isinstance(storage, StorageBackend)
    records = [
        record("The launch is on 14 May.", "/work/launch", categories=["date"], metadata={"n": 1}, importance=0.9),
        record("我的猫叫饼干。", "/home", categories=["pet"], source="ada", private=True),
        record("Rent is 1,250 euros.", "/home/flat", categories=["money", "date"]),
    ]
    storage.save(records)
    storage.save(records)
    assert [storage.get_record(one.id) for one in records] == records
    assert storage.get_record("nowhere") is None
    assert storage.count() == 3
    assert storage.count("/home") == 2
    assert storage.count("/ho") == 0
    assert storage.list_scopes() == ["/home", "/work"]
    assert storage.list_scopes("/home/") == ["/home/flat"]
    assert storage.list_categories("/home") == {"pet": 1, "money": 1, "date": 1}
    about = storage.get_scope_info("/work")
    assert (about.record_count, about.child_scopes, about.oldest_record) == (1, ["/work/launch"], NOON)
    assert storage.get_scope_info("/nothing").newest_record is None


def test_a_search_finds_by_the_text_that_was_embedded(storage: AIMStorage) -> None:
    storage.save(
        [record("The launch is on 14 May.", "/work", metadata={"by": "ada"}), record("I live in Oslo.", "/home")]
    )
    (best, score), *_ = storage.search(storage.embedder(["When is the launch?"])[0])
    assert best.content == "The launch is on 14 May."
    assert 0.5 < score < 0.85
    assert storage.search(storage.embedder(["I live in Oslo."])[0], limit=1)[0][1] == 1.0
    assert found(storage, "When is the launch?", scope_prefix="/home") == ["I live in Oslo."]
    assert found(storage, "Oslo", metadata_filter={"by": "ada"}) == ["The launch is on 14 May."]
    assert found(storage, "Oslo", categories=["none"]) == []
    assert found(storage, "When is the launch?", min_score=0.99) == []
    with pytest.raises(InvalidInputError, match=r"storage\.embedder"):
        storage.search([0.1, 0.2])


def test_deleting_takes_what_fits_all_that_is_said(storage: AIMStorage) -> None:
    old = record("Old.", "/a", categories=["x"]).model_copy(update={"created_at": NOON - timedelta(days=9)})
    storage.save([old, record("New.", "/a"), record("Other.", "/b", metadata={"k": "v"})])
    assert storage.delete(scope_prefix="/a", older_than=NOON - timedelta(days=1)) == 1
    assert storage.delete(record_ids=[old.id]) == 0
    assert asyncio.run(storage.adelete(metadata_filter={"k": "v"})) == 1
    assert [one.content for one in storage.list_records()] == ["New."]
    storage.reset("/b")
    assert storage.count() == 1
    storage.reset()
    assert storage.count() == 0


def test_what_came_through_other_doors_is_found_and_stays(memory: Memory, storage: AIMStorage, root: str) -> None:
    memory.write("Ada is allergic to nuts.", namespace=f"{root}/crew")
    assert found(storage, "What is Ada allergic to?") == ["Ada is allergic to nuts."]
    storage.reset()
    assert found(storage, "What is Ada allergic to?") == ["Ada is allergic to nuts."]
    assert storage.count() == 0


def test_an_edit_keeps_the_id(storage: AIMStorage) -> None:
    first = record("The launch is on 14 May.", "/work")
    storage.update(first)
    storage.update(first.model_copy(update={"content": "The launch is on 20 May.", "importance": 0.1}))
    (after,) = storage.list_records()
    assert (after.id, after.content, after.importance) == (first.id, "The launch is on 20 May.", 0.1)


def test_a_record_that_cannot_be_held_is_refused_and_the_others_kept(storage: AIMStorage) -> None:
    with pytest.raises(InvalidInputError, match="text"):
        storage.save([record("Fine."), record("x" * 40_000)])
    with pytest.raises(InvalidInputError, match="14 KiB"):
        storage.save([record("x", metadata={"large": "x" * 20_000})])
    assert [one.content for one in storage.list_records()] == ["Fine."]


def test_awaited_verbs_keep_off_the_event_loop(storage: AIMStorage) -> None:
    async def talk() -> list[tuple[MemoryRecord, float]]:
        await storage.asave([record("I live in Oslo.")])
        return await storage.asearch(storage.embedder(["Where do I live?"])[0], limit=1)

    assert [one.content for one, _ in asyncio.run(talk())] == ["I live in Oslo."]


def test_crew_memory_remembers_recalls_and_forgets(storage: AIMStorage) -> None:
    memory = CrewMemory(storage=storage, embedder=storage.embedder, llm=Silent(model="silent"))
    with_all = {"categories": ["date"], "metadata": {}, "importance": 0.5}
    memory.remember("The launch is on 14 May.", scope="/work", **with_all)
    memory.remember("Rent is 1,250 euros a month.", scope="/home", **with_all)
    best = memory.recall("When is the launch?", depth="shallow")[0]
    assert best.record.content == "The launch is on 14 May."
    assert [one.record.content for one in memory.recall("launch", scope="/home", depth="shallow")] == [
        "Rent is 1,250 euros a month."
    ]
    deep = memory.recall("When is the launch?", depth="deep", limit=1)
    assert deep[0].record.content == "The launch is on 14 May."
    memory.update(best.record.id, content="The launch is on 20 May.")
    assert memory.forget(scope="/home") == 1
    assert storage.count() == 1
    memory.close()


def test_vectors_stand_for_their_texts_and_are_forgotten_in_order() -> None:
    keys = TextKeys(most=2)
    first, second = keys(["one", "two"])
    assert keys(["one"]) == [first]
    keys(["three"])
    assert keys.text_of(first) == "one"
    with pytest.raises(InvalidInputError):
        keys.text_of(second)
    assert abs(sum(a * b for a, b in zip(first, second, strict=True))) < 0.9
