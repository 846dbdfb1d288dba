"""The whole engine against a dictionary: write, edit, delete, query, restart, in any order."""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, initialize, invariant, multiple, precondition, rule

from aim_memory import AIMMemory, ConflictError, NotFoundError
from aim_memory.settings import Settings

NAMESPACE = "n"
WORDS = "harbour violin kettle marathon invoice pottery glacier 花园 手术 火车 lantern walnut".split()

texts = st.lists(st.sampled_from(WORDS), min_size=1, max_size=6).map(" ".join)
ids = st.integers(0, 12).map("m{}".format)


class EngineMachine(RuleBasedStateMachine):
    """``model`` is what was acknowledged: id → text."""

    written = Bundle("written")

    @initialize()
    def open(self) -> None:
        self.home = Path(tempfile.mkdtemp(prefix="aim-machine-"))
        self.model: dict[str, str] = {}
        self.memory = self._opened()

    def _opened(self) -> AIMMemory:
        return AIMMemory(self.home, settings=Settings(embedder={"kind": "hashing"}))

    @rule(target=written, batch=st.lists(st.tuples(ids, texts), min_size=1, max_size=4))
    def write(self, batch: list[tuple[str, str]]) -> object:
        expected: list[str] = []
        after = dict(self.model)
        for id, text in batch:
            expected.append("created" if id not in after else "unchanged" if after[id] == text else "rejected")
            after.setdefault(id, text)
        rows = [{"id": id, "text": text} for id, text in batch]
        if set(expected) == {"rejected"}:
            with pytest.raises(ConflictError):
                self.memory.write(namespace=NAMESPACE, memories=rows)
        else:
            reply = self.memory.write(namespace=NAMESPACE, memories=rows)
            assert [result.status for result in reply.results] == expected
        self.model = after
        return multiple(*(id for id, _ in batch))

    @rule(id=written, text=texts)
    def edit(self, id: str, text: str) -> None:
        if id not in self.model:
            with pytest.raises(NotFoundError):
                self.memory.update(id, namespace=NAMESPACE, text=text)
            return
        assert self.memory.update(id, namespace=NAMESPACE, text=text).text == text
        self.model[id] = text

    @rule(id=written)
    def delete(self, id: str) -> None:
        if self.model.pop(id, None) is None:
            with pytest.raises(NotFoundError):
                self.memory.delete(id, namespace=NAMESPACE)
        else:
            assert self.memory.delete(id, namespace=NAMESPACE).deleted == 1

    @rule(text=texts)
    def query(self, text: str) -> None:
        reply = self.memory.query(text, namespace=NAMESPACE, top_k=100, mode="fast")
        assert {hit.id: hit.text for hit in reply.results} == self.model
        scores = [hit.score for hit in reply.results]
        assert scores == sorted(scores, reverse=True)

    @precondition(lambda self: self.model)
    @rule(data=st.data())
    def query_for_what_is_there(self, data: st.DataObject) -> None:
        """A memory is found by its own words: nothing that shares fewer of them ranks before it."""
        wanted = data.draw(st.sampled_from(sorted(self.model)))
        words = set(self.model[wanted].split())
        (first, *_) = self.memory.query(self.model[wanted], namespace=NAMESPACE, top_k=1, mode="fast").results
        assert words & set(first.text.split())

    @rule()
    def restart(self) -> None:
        self.memory.close()
        self.memory = self._opened()

    @invariant()
    def the_list_is_the_model(self) -> None:
        page = self.memory.list(namespace=NAMESPACE, limit=200)
        assert {item.id: item.text for item in page.items} == self.model
        assert page.next_cursor is None

    def teardown(self) -> None:
        self.memory.close()
        shutil.rmtree(self.home)


_CHECKS = [HealthCheck.too_slow, HealthCheck.data_too_large]
TestEngine = EngineMachine.TestCase
TestEngine.settings = settings(max_examples=12, stateful_step_count=20, deadline=None, suppress_health_check=_CHECKS)


@pytest.mark.deep
class TestEngineLong(EngineMachine.TestCase):
    settings = settings(max_examples=100, stateful_step_count=50, deadline=None, suppress_health_check=_CHECKS)
