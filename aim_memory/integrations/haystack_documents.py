"""A Haystack document as a memory, and back."""

from __future__ import annotations

from base64 import b64decode, b64encode
from collections.abc import Mapping
from typing import Any

from aim_memory.bodies import Hit, MemoryItem, MemoryView
from aim_memory.errors import InvalidInputError
from aim_memory.extras import needs
from aim_memory.integrations.haystack_filters import OWN
from aim_memory.integrations.payloads import MOST_BYTES, plain, safe_id, words

with needs("haystack"):
    from haystack.dataclasses import ByteStream, Document


def item_of(document: Document) -> MemoryItem:
    """Its text is its content, or, of one without, the words of its ``meta``.

    Raises InvalidInputError for a ``meta`` or a blob that is not plain JSON, or larger than a memory's metadata.
    """
    own: dict[str, Any] = {"id": document.id, "meta": document.meta}
    if document.blob is not None:
        data = b64encode(document.blob.data).decode()
        own["blob"] = {"data": data, "meta": document.blob.meta, "mime_type": document.blob.mime_type}
    text = document.content
    if text is None or not text.strip():
        own["content"], text = text, words(document.meta) or document.id
    size = len(plain(own).encode("utf-8", "surrogatepass"))
    if size > MOST_BYTES:
        raise InvalidInputError(f"Document {document.id}: meta and blob have {size} bytes; at most {MOST_BYTES}.")
    return MemoryItem(id=safe_id(document.id), text=text, metadata={OWN: own}, source=OWN)


def document_of(held: MemoryView | Hit) -> Document:
    """A document; of a memory that came through another door the text, with what else is known of it as ``meta``."""
    score = held.score if isinstance(held, Hit) else None
    own = held.metadata.get(OWN)
    if not isinstance(own, Mapping) or "id" not in own:
        about = held.model_dump(mode="json", include={"timestamp", "speaker", "role", "session_id", "current"})
        return Document(id=held.id, content=held.text, meta={**held.metadata, **about}, score=score)
    blob = own.get("blob")
    return Document(
        id=own["id"],
        content=own.get("content", held.text),
        meta=own["meta"],
        blob=ByteStream(b64decode(blob["data"]), blob["meta"], blob["mime_type"]) if blob else None,
        score=score,
    )
