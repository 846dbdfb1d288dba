"""/v1/namespaces: what there is, and erasing one whole."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query
from pydantic import Field

from aim_memory.api.audit import audited
from aim_memory.api.auth import Known, Reader
from aim_memory.api.openapi import failures
from aim_memory.api.service import ServiceDep
from aim_memory.bodies import Body, EraseReceipt, NamespacePage
from aim_memory.engine.receipts import namespace_digest
from aim_memory.types import Space

router = APIRouter(prefix="/v1/namespaces", tags=["namespaces"])


class ListParams(Body):
    limit: int = Field(50, ge=1)
    cursor: str | None = Field(None, description="next_cursor of the page before.")


@router.get("", operation_id="list_namespaces", summary="List namespaces", responses=failures())
async def list_namespaces(params: Annotated[ListParams, Query()], caller: Reader, service: ServiceDep) -> NamespacePage:
    """The namespaces of this key's tenant, by name."""
    return await service.read(service.engine.namespaces, caller.tenant, cursor=params.cursor, limit=params.limit)


@router.delete(
    "/{namespace:path}", operation_id="erase_namespace", summary="Erase a namespace", responses=failures(404)
)
async def erase(namespace: str, caller: Known, service: ServiceDep) -> EraseReceipt:
    """Erases everything in a namespace and returns a receipt of what went. There is no way back."""
    async with audited(service, caller, "erase", namespace_digest(Space(caller.tenant, namespace))):
        return await service.write(service.engine.erase, caller.tenant, namespace, by=caller.name)
