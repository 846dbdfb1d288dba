"""Haystack: a document store over a namespace, and the retriever that asks it.

store = AIMDocumentStore("user/ada", url="http://127.0.0.1:8765")
pipeline.add_component("memory", AIMRetriever(store, top_k=5))
"""

# Annotations stay types here: older versions of Haystack read those of a component as they stand.

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from typing import Any, Self

from aim_memory.bodies import MemoryItem, MemoryView
from aim_memory.client import Client
from aim_memory.client.options import LOCAL_URL
from aim_memory.errors import ConflictError, InvalidInputError, NotFoundError
from aim_memory.extras import needs
from aim_memory.integrations.haystack_documents import document_of, item_of
from aim_memory.integrations.haystack_filters import OWN, narrowed
from aim_memory.integrations.memory import Memory, on_a_thread
from aim_memory.integrations.payloads import batches, safe_id
from aim_memory.integrations.recalled import asked

with needs("haystack"):
    from haystack import component, default_from_dict, default_to_dict
    from haystack.dataclasses import Document
    from haystack.document_stores.errors import DuplicateDocumentError
    from haystack.document_stores.types import DuplicatePolicy
    from haystack.errors import FilterError
    from haystack.utils import Secret
    from haystack.utils.filters import document_matches_filter

PAGE = 200
MOST_RANKED = 100
"""Memories that one question ranks."""
KEY = Secret.from_env_var("AIM_API_KEY", strict=False)
Filters = Mapping[str, Any]


class AIMDocumentStore:
    """A ``DocumentStore``: a document is a memory of the namespace, and every memory of it a document.

    It embeds by itself: the ``embedding`` of a document is not kept. Safe to share between threads; the async methods
    run the others on one.

    Args:
        namespace: Whose documents.
        url: Of the server.
        api_key: For it. Pipelines that are saved name the variable and not the key.
        memory: An ``AIMMemory`` or a ``Client`` instead of ``url``; such a store cannot be saved with its pipeline.
    """

    def __init__(
        self,
        namespace: str,
        *,
        url: str = LOCAL_URL,
        api_key: Secret | None = KEY,
        memory: Memory | None = None,
    ) -> None:
        self.namespace = namespace
        self.url = url
        self.api_key = api_key
        self._given = memory is not None
        self._memory: Memory = memory or Client(url, api_key.resolve_value() if api_key else None)

    def to_dict(self) -> dict[str, Any]:
        """Raises InvalidInputError for a store on a memory that was handed to it."""
        if self._given:
            raise InvalidInputError("This store was made of a memory, not of a url; make it of a url to save it.")
        key = self.api_key.to_dict() if self.api_key else None
        saved: dict[str, Any] = default_to_dict(self, namespace=self.namespace, url=self.url, api_key=key)
        return saved

    @classmethod
    def from_dict(cls, data: dict[str, Any]) -> Self:
        given = dict(data["init_parameters"])
        if given.get("api_key"):
            given["api_key"] = Secret.from_dict(given["api_key"])
        store: Self = default_from_dict(cls, {**data, "init_parameters": given})
        return store

    # --- reading ---------------------------------------------------------------------------------------------------

    def count_documents(self) -> int:
        """Reads all of them."""
        return sum(1 for _ in self._matching(None))

    def filter_documents(self, filters: Filters | None = None) -> list[Document]:
        """In the order of writing. Raises Haystack's FilterError, or ValueError, for a filter that is none."""
        return [document for _, document in self._matching(filters)]

    def count_documents_by_filter(self, filters: Filters) -> int:
        return sum(1 for _ in self._matching(filters))

    def retrieve(
        self, query: str, *, filters: Filters | None = None, top_k: int = 10, session_id: str | None = None
    ) -> list[Document]:
        """The documents that bear on a question, best first, each with its ``score``."""
        _check(filters)
        if not query.strip():
            return []
        reply = self._memory.query(
            asked(query),
            namespace=self.namespace,
            # What filters leave is looked for among as many as a question ranks.
            top_k=MOST_RANKED if filters else top_k,
            session_id=session_id,
            filters=narrowed(filters),
        )
        found = [document for document in map(document_of, reply.results) if _matches(document, filters)]
        return found[:top_k]

    # --- writing ---------------------------------------------------------------------------------------------------

    def write_documents(self, documents: Iterable[Document], policy: DuplicatePolicy = DuplicatePolicy.NONE) -> int:
        """How many were written. ``NONE`` means ``FAIL``.

        Raises:
            ValueError: something is no document.
            DuplicateDocumentError: with ``FAIL``, of the ids that are there already; the others are written.
            InvalidInputError: a document that a memory cannot hold; none after it are written.
        """
        if isinstance(documents, str) or not isinstance(documents, Iterable):
            raise ValueError("Give a list of Documents.")
        given = list(documents)
        if not all(isinstance(document, Document) for document in given):
            raise ValueError("Give a list of Documents; something else is in it.")
        names = {safe_id(document.id): document.id for document in given}
        held = [memory_id for batch in batches(map(item_of, given)) for memory_id in self._write(batch, policy)]
        if held and policy in (DuplicatePolicy.NONE, DuplicatePolicy.FAIL):
            raise DuplicateDocumentError(f"Already there: {', '.join(names[memory_id] for memory_id in held)}.")
        return len(given) - len(held)

    def update_by_filter(self, filters: Filters, meta: Mapping[str, Any]) -> int:
        """Adds to the ``meta`` of each; their histories keep what it was."""
        matching = [(view, document) for view, document in self._matching(filters) if OWN in view.metadata]
        for view, document in matching:
            document.meta.update(meta)
            self._replace(item_of(document), view.id)
        return len(matching)

    def delete_documents(self, document_ids: Sequence[str]) -> None:
        """Those that are not there are passed over."""
        for document_id in document_ids:
            with suppress(NotFoundError):
                self._memory.delete(safe_id(document_id), namespace=self.namespace)

    def delete_by_filter(self, filters: Filters) -> int:
        found = self.filter_documents(filters)
        self.delete_documents([document.id for document in found])
        return len(found)

    def delete_all_documents(self) -> None:
        self.delete_documents([document.id for document in self.filter_documents()])

    def _write(self, items: Sequence[MemoryItem], policy: DuplicatePolicy) -> list[str]:
        """Writes a batch; with ``OVERWRITE`` edits what is there, otherwise returns the ids of that."""
        try:
            statuses = [one.status for one in self._memory.write(namespace=self.namespace, memories=items).results]
        except ConflictError:  # not one of the ids is new
            statuses = ["rejected"] * len(items)
        held = []
        for item, status in zip(items, statuses, strict=True):
            memory_id = str(item.id)
            if status == "created":
                continue
            if policy == DuplicatePolicy.OVERWRITE:
                self._replace(item, memory_id)
            elif self._is_there(item, memory_id):
                held.append(memory_id)
        return held

    def _replace(self, item: MemoryItem, memory_id: str) -> None:
        try:
            self._memory.update(memory_id, namespace=self.namespace, text=item.text, metadata=item.metadata)
        except NotFoundError:  # refused for another reason than being there, or deleted in between
            self._memory.write(namespace=self.namespace, memories=[item])

    def _is_there(self, item: MemoryItem, memory_id: str) -> bool:
        """Whether that is why it was refused; what was deleted in between is written now."""
        try:
            self._memory.get(memory_id, namespace=self.namespace)
        except NotFoundError:
            self._memory.write(namespace=self.namespace, memories=[item])
            return False
        return True

    def _matching(self, filters: Filters | None) -> Iterator[tuple[MemoryView, Document]]:
        _check(filters)
        cursor: str | None = None
        while True:
            page = self._memory.list(namespace=self.namespace, filters=narrowed(filters), limit=PAGE, cursor=cursor)
            for view in page.items:
                if _matches(document := document_of(view), filters):
                    yield view, document
            if (cursor := page.next_cursor) is None:
                return

    # --- awaited ---------------------------------------------------------------------------------------------------

    count_documents_async = on_a_thread(count_documents)
    filter_documents_async = on_a_thread(filter_documents)
    count_documents_by_filter_async = on_a_thread(count_documents_by_filter)
    retrieve_async = on_a_thread(retrieve)
    write_documents_async = on_a_thread(write_documents)
    update_by_filter_async = on_a_thread(update_by_filter)
    delete_documents_async = on_a_thread(delete_documents)
    delete_by_filter_async = on_a_thread(delete_by_filter)
    delete_all_documents_async = on_a_thread(delete_all_documents)


@component
class AIMRetriever:
    """A component that finds what bears on a query.

    Args:
        document_store: Where.
        filters: What may be found, unless a run says something else.
        top_k: How many, at most, unless a run says something else.
        session_id: The conversation that follow-up questions belong to, unless a run names another.
    """

    def __init__(
        self,
        document_store: AIMDocumentStore,
        filters: dict[str, Any] | None = None,
        top_k: int = 10,
        session_id: str | None = None,
    ) -> None:
        self.document_store = document_store
        self.filters = filters
        self.top_k = top_k
        self.session_id = session_id

    def to_dict(self) -> dict[str, Any]:
        saved: dict[str, Any] = default_to_dict(
            self,
            document_store=self.document_store.to_dict(),
            filters=self.filters,
            top_k=self.top_k,
            session_id=self.session_id,
        )
        return saved

    @classmethod
    def from_dict(cls, data: dict[str, Any]) -> Self:
        given = dict(data["init_parameters"])
        given["document_store"] = AIMDocumentStore.from_dict(given["document_store"])
        retriever: Self = default_from_dict(cls, {**data, "init_parameters": given})
        return retriever

    @component.output_types(documents=list[Document])  # type: ignore[untyped-decorator]
    def run(
        self,
        query: str,
        filters: dict[str, Any] | None = None,
        top_k: int | None = None,
        session_id: str | None = None,
    ) -> dict[str, list[Document]]:
        return {"documents": self.document_store.retrieve(query, **self._asked(filters, top_k, session_id))}

    @component.output_types(documents=list[Document])  # type: ignore[untyped-decorator]
    async def run_async(
        self,
        query: str,
        filters: dict[str, Any] | None = None,
        top_k: int | None = None,
        session_id: str | None = None,
    ) -> dict[str, list[Document]]:
        given = self._asked(filters, top_k, session_id)
        return {"documents": await self.document_store.retrieve_async(query, **given)}

    def _asked(self, filters: Filters | None, top_k: int | None, session_id: str | None) -> dict[str, Any]:
        return {
            "filters": self.filters if filters is None else filters,
            "top_k": self.top_k if top_k is None else top_k,
            "session_id": session_id or self.session_id,
        }


def _check(filters: Filters | None) -> None:
    """Whether these are filters, also where there is nothing to hold them against."""
    if filters and "operator" not in filters and "conditions" not in filters:
        raise ValueError("A filter has a field, an operator and a value, or an operator and conditions.")
    try:
        _matches(Document(id="nothing", content=""), filters)
    except KeyError as unknown:  # older versions let it through
        raise FilterError(f"There is no operator {unknown}.") from unknown


def _matches(document: Document, filters: Filters | None) -> bool:
    return not filters or bool(document_matches_filter(dict(filters), document))
