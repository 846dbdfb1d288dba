"""/v1/memories: write, list, read, edit, erase, and look behind a memory."""

from __future__ import annotations

import json
import re
from typing import Annotated, Any

from fastapi import APIRouter, Header, Query, Response
from pydantic import Field

from aim_memory.api.auth import Reader, Writer
from aim_memory.api.openapi import failures
from aim_memory.api.service import ServiceDep
from aim_memory.bodies import (
    Body,
    DeleteReply,
    EvidenceReply,
    HistoryReply,
    MemoryPage,
    MemoryView,
    Moment,
    UpdateRequest,
    WriteReply,
    WriteRequest,
)
from aim_memory.errors import InvalidInputError

router = APIRouter(prefix="/v1/memories", tags=["memories"])

Namespace = Annotated[str | None, Query(description="Needed for ids you gave yourself; ours are found without.")]
IdempotencyKey = Annotated[
    str | None,
    Header(
        alias="Idempotency-Key",
        min_length=1,
        max_length=255,
        pattern=r"^[!-~]+$",
        description="Repeat a request with the same key as often as you like: it takes effect once.",
    ),
]
IfMatch = Annotated[str | None, Header(alias="If-Match", description='The version you read, as its ETag: "3".')]
_ETAG = re.compile(r'"([1-9][0-9]{0,17})"')


class ListParams(Body):
    """What to list. Newest last."""

    namespace: str
    filters: str | None = Field(None, description='A filter as JSON: {"speaker": {"eq": "Ada"}}.')
    since: Moment | None = Field(None, description="Said at or after.")
    until: Moment | None = Field(None, description="Said before.")
    session_id: str | None = None
    limit: int = Field(50, ge=1)
    cursor: str | None = Field(None, description="next_cursor of the page before.")


@router.post("", operation_id="write_memories", summary="Write memories", responses=failures(409, 413, 415, 507))
async def write(
    body: WriteRequest,
    caller: Writer,
    service: ServiceDep,
    response: Response,
    idempotency_key: IdempotencyKey = None,
) -> WriteReply:
    """One text, a list of chat messages, or a batch of memories: one commit, durable when this returns.

    A rejected item does not undo the others; see `status` and `reason` of each result. Same id and content again is
    `unchanged`; same id with other content is a 409.
    """
    reply = await service.write(
        service.engine.write, caller.tenant, body, idempotency_key=idempotency_key, author=caller.name
    )
    if reply.replayed:
        response.headers["idempotent-replayed"] = "true"
    return reply


@router.get("", operation_id="list_memories", summary="List memories", responses=failures())
async def list_memories(params: Annotated[ListParams, Query()], caller: Reader, service: ServiceDep) -> MemoryPage:
    """The memories of a namespace, page by page."""
    return await service.read(
        service.engine.list,
        caller.tenant,
        params.namespace,
        filters=_parse_filters(params.filters),
        since=params.since,
        until=params.until,
        session_id=params.session_id,
        limit=params.limit,
        cursor=params.cursor,
    )


@router.get("/{memory_id}", operation_id="get_memory", summary="Read a memory", responses=failures(404))
async def get(
    memory_id: str, caller: Reader, service: ServiceDep, response: Response, namespace: Namespace = None
) -> MemoryView:
    """One memory. Its ETag is its version: send it back as If-Match to edit what you have seen."""
    view = await service.read(service.engine.get, caller.tenant, memory_id, namespace)
    response.headers["etag"] = f'"{view.version}"'
    return view


@router.patch(
    "/{memory_id}",
    operation_id="update_memory",
    summary="Edit a memory",
    responses=failures(404, 409, 412, 413, 415, 507),
)
async def update(
    memory_id: str,
    body: UpdateRequest,
    caller: Writer,
    service: ServiceDep,
    response: Response,
    namespace: Namespace = None,
    if_match: IfMatch = None,
    idempotency_key: IdempotencyKey = None,
) -> MemoryView:
    """Changes the fields given. The state before stays in the history."""
    view = await service.write(
        service.engine.update,
        caller.tenant,
        memory_id,
        body,
        namespace=namespace,
        if_match=_version(if_match),
        idempotency_key=idempotency_key,
        author=caller.name,
    )
    response.headers["etag"] = f'"{view.version}"'
    return view


@router.delete("/{memory_id}", operation_id="delete_memory", summary="Erase a memory", responses=failures(404))
async def delete(memory_id: str, caller: Writer, service: ServiceDep, namespace: Namespace = None) -> DeleteReply:
    """Erases a memory with its evidence, history and vectors."""
    return await service.write(service.engine.delete, caller.tenant, memory_id, namespace=namespace)


@router.get("/{memory_id}/history", operation_id="get_history", summary="Read its versions", responses=failures(404))
async def history(memory_id: str, caller: Reader, service: ServiceDep, namespace: Namespace = None) -> HistoryReply:
    """Every state the memory has had, oldest first."""
    return await service.read(service.engine.history, caller.tenant, memory_id, namespace)


@router.get("/{memory_id}/evidence", operation_id="get_evidence", summary="Read its original", responses=failures(404))
async def evidence(memory_id: str, caller: Reader, service: ServiceDep, namespace: Namespace = None) -> EvidenceReply:
    """The text as it was written; the memory is `original[start:end]`."""
    return await service.read(service.engine.evidence, caller.tenant, memory_id, namespace)


def _parse_filters(text: str | None) -> dict[str, Any] | None:
    if text is None:
        return None
    try:
        parsed = json.loads(text)
    except (ValueError, RecursionError):
        raise InvalidInputError("filters is not JSON.", field="filters") from None
    if not isinstance(parsed, dict):
        raise InvalidInputError('filters must be a JSON object: {"speaker": {"eq": "Ada"}}.', field="filters")
    return parsed


def _version(if_match: str | None) -> int | None:
    """'"3"' → 3. '*' asks for any version, which is what no header asks for too."""
    if if_match is None or if_match.strip() == "*":
        return None
    found = _ETAG.fullmatch(if_match.strip())
    if found is None:
        raise InvalidInputError('If-Match must be the ETag of one version: "3".', field="If-Match")
    return int(found[1])
