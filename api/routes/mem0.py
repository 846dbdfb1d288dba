"""/mem0: the paths of mem0's hosted service (v1, v2 and v3) and of its self-hosted server."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from typing import Annotated, Any, TypeVar

from fastapi import APIRouter, Depends, Query, Request

from aim_memory.api.audit import audited
from aim_memory.api.auth import Caller, Reader, Writer
from aim_memory.api.mem0 import shapes
from aim_memory.api.mem0.scope import KINDS, Scope, entities_of, home_of
from aim_memory.api.mem0.verbs import Mem0
from aim_memory.api.service import Service, ServiceDep
from aim_memory.engine.receipts import namespace_digest
from aim_memory.errors import NotFoundError
from aim_memory.keys import includes
from aim_memory.types import Space

T = TypeVar("T")
Reply = dict[str, Any]
# The paths are mem0's, and so is their description.
router = APIRouter(prefix="/mem0", include_in_schema=False)


class Door:
    """mem0's verbs for the caller of a request, in the thread pool."""

    def __init__(self, service: Service, caller: Caller) -> None:
        self._service = service
        self._verbs = Mem0(service.engine, caller)

    async def read(self, verb: Callable[[Mem0], T]) -> T:
        return await self._service.read(verb, self._verbs)

    async def write(self, verb: Callable[[Mem0], T]) -> T:
        return await self._service.write(verb, self._verbs)

    async def erase(self, scope: Scope) -> None:
        """Erases a whole namespace, which is noted and takes the role that it takes elsewhere. Raises NotFoundError."""
        service, caller = self._service, self._verbs.caller
        async with audited(service, caller, "erase", namespace_digest(Space(caller.tenant, scope.namespace))):
            await service.write(service.engine.erase, caller.tenant, scope.namespace, by=caller.name)


async def _reading(service: ServiceDep, caller: Reader) -> Door:
    return Door(service, caller)


async def _writing(service: ServiceDep, caller: Writer) -> Door:
    return Door(service, caller)


Reads = Annotated[Door, Depends(_reading)]
Writes = Annotated[Door, Depends(_writing)]
Paged = Annotated[shapes.PageBody, Query()]


@router.get("/v1/ping/")
async def ping(caller: Reader) -> Reply:
    """Who the key is. mem0's client asks before anything else, and wants an organisation and a project in the reply."""
    return {"status": "ok", "org_id": caller.tenant, "project_id": "aim-memory", "user_email": None}


@router.post("/v3/memories/add/")
@router.post("/v1/memories/")
@router.post("/memories")
async def add(body: shapes.AddBody, door: Writes) -> Reply:
    return await door.write(lambda verbs: verbs.add(body))


@router.post("/v3/memories/search/")
@router.post("/search")
async def search(body: shapes.SearchBody, door: Reads) -> Reply:
    return await door.read(lambda verbs: verbs.search(body))


@router.post("/v2/memories/search/")
@router.post("/v1/memories/search/")
async def search_as_list(body: shapes.SearchBody, door: Reads) -> list[Reply]:
    found = await door.read(lambda verbs: verbs.search(body))
    results: list[Reply] = found["results"]
    return results


@router.post("/v3/memories/")
async def page(body: shapes.PageBody, paged: Paged, request: Request, door: Reads) -> Reply:
    asked = body.model_copy(update=paged.model_dump(include={"page", "page_size"}, exclude_none=True))
    return await door.read(lambda verbs: verbs.page(asked, request.url.path))


@router.post("/v2/memories/")
async def page_as_list(body: shapes.PageBody, paged: Paged, request: Request, door: Reads) -> list[Reply] | Reply:
    """A page where pages are asked for, else all."""
    asked = body.model_copy(update=paged.model_dump(include={"page", "page_size"}, exclude_none=True))
    if asked.page is None:
        return await door.read(lambda verbs: verbs.all_of(asked))
    return await door.read(lambda verbs: verbs.page(asked, request.url.path))


@router.get("/v1/memories/")
async def list_all(paged: Paged, door: Reads) -> list[Reply]:
    return await door.read(lambda verbs: verbs.all_of(paged))


@router.get("/memories")
async def list_all_self_hosted(paged: Paged, door: Reads) -> Reply:
    return {"results": await door.read(lambda verbs: verbs.all_of(paged))}


@router.delete("/v1/memories/")
@router.delete("/memories")
async def delete_all(request: Request, caller: Writer, door: Writes) -> Reply:
    """Of one of them alone, its namespace, for those who may erase one; else memory by memory."""
    entities = entities_of(dict(request.query_params))
    scope = home_of(entities)
    if len(entities) == 1 and includes(caller.role, "admin"):
        with suppress(NotFoundError):
            await door.erase(scope)
    else:
        await door.write(lambda verbs: verbs.delete_each(entities))
    return {"message": "Memories deleted successfully!"}


@router.get("/v1/memories/{memory_id}/")
@router.get("/memories/{memory_id}")
async def get(memory_id: str, door: Reads) -> Reply:
    return await door.read(lambda verbs: verbs.get(memory_id))


@router.put("/v1/memories/{memory_id}/")
@router.put("/memories/{memory_id}")
async def update(memory_id: str, body: shapes.UpdateBody, door: Writes) -> Reply:
    return await door.write(lambda verbs: verbs.update(memory_id, body))


@router.delete("/v1/memories/{memory_id}/")
@router.delete("/memories/{memory_id}")
async def delete(memory_id: str, door: Writes, delete_linked: bool = False) -> Reply:
    return await door.write(lambda verbs: verbs.delete(memory_id, delete_linked))


@router.get("/v1/memories/{memory_id}/history/")
@router.get("/memories/{memory_id}/history")
async def history(memory_id: str, door: Reads) -> list[Reply]:
    return await door.read(lambda verbs: verbs.history(memory_id))


@router.put("/v1/batch/")
async def update_many(body: shapes.BatchBody, door: Writes) -> Reply:
    return await door.write(lambda verbs: verbs.update_many(body))


@router.delete("/v1/batch/")
async def delete_many(body: shapes.BatchBody, door: Writes) -> Reply:
    return await door.write(lambda verbs: verbs.delete_many(body))


@router.get("/v1/entities/")
async def entities(door: Reads) -> Reply:
    return await door.read(lambda verbs: verbs.entities())


@router.delete("/v2/entities/{kind}/{name}/")
@router.delete("/v1/entities/{kind}/{name}/")
async def delete_entity(kind: str, name: str, door: Writes) -> Reply:
    if kind not in KINDS:
        raise NotFoundError(f"there are no entities of the kind {kind!r}; kinds: {', '.join(KINDS)}.")
    await door.erase(Scope(kind, name))
    return {"message": "Entity deleted successfully!"}


@router.post("/v1/feedback/")
async def feedback(body: shapes.FeedbackBody, door: Writes) -> Reply:
    return await door.write(lambda verbs: verbs.rate(body))
