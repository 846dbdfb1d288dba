"""/v1/query: what memory knows about a question."""

from __future__ import annotations

from fastapi import APIRouter

from aim_memory.api.auth import Reader
from aim_memory.api.openapi import failures
from aim_memory.api.service import ServiceDep
from aim_memory.bodies import QueryReply, QueryRequest

router = APIRouter(prefix="/v1", tags=["query"])


@router.post("/query", operation_id="query", summary="Query memory", responses=failures(413, 415))
async def query(body: QueryRequest, caller: Reader, service: ServiceDep) -> QueryReply:
    """The memories that matter for a question, best first, and a context of them that fits a token budget."""
    return await service.read(service.engine.query, caller.tenant, body)
