"""Reads a source of one of the formats: from a path to the entries of an import."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from aim_memory.importers import chatgpt, claude, langgraph, letta, mem0, zep
from aim_memory.importers.opening import Document, documents
from aim_memory.importers.records import records
from aim_memory.importers.turns import Found, Record, entries
from aim_memory.transfer import Entry, LeftOut, Problem


@dataclass(frozen=True, slots=True)
class Format:
    files: re.Pattern[str]
    """Names of the files to read in a folder or an archive."""
    lists: tuple[str, ...]
    """Names of lists whose objects are records of their own."""
    found: Callable[[Iterable[Record]], Iterator[Found]]


FORMATS = {
    "mem0": Format(mem0.FILES, mem0.LISTS, mem0.found),
    "zep": Format(zep.FILES, zep.LISTS, zep.found),
    "letta": Format(letta.FILES, letta.LISTS, letta.found),
    "langgraph": Format(langgraph.FILES, langgraph.LISTS, langgraph.found),
    "chatgpt": Format(chatgpt.FILES, chatgpt.LISTS, chatgpt.found),
    "claude": Format(claude.FILES, claude.LISTS, claude.found),
}


def read(origin: str, path: Path, namespace: str | None = None) -> Iterator[Entry | LeftOut | Problem]:
    """What the source holds, in its order; ``namespace`` goes before what the source says.

    Raises InvalidInputError for a source that cannot be one, or that looks like a trap.
    """
    return entries(_found(FORMATS[origin], path), origin, namespace)


def _found(wanted: Format, path: Path) -> Iterator[Found]:
    for document in documents(path, wanted.files):
        if isinstance(document, LeftOut):
            yield document
        else:
            yield from _in_document(wanted, document)


def _in_document(wanted: Format, document: Document) -> Iterator[Found]:
    """What a document holds; its problems come when they are met."""
    broken: list[Problem] = []

    def whole() -> Iterator[Record]:
        for record in records(document, wanted.lists):
            if isinstance(record, Problem):
                broken.append(record)
            else:
                yield record

    for one in wanted.found(whole()):
        yield one
        yield from broken
        broken.clear()
    yield from broken
