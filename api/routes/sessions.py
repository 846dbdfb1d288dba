"""/v1/sessions: where a conversation is heading, and how to set it at rest."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query
from pydantic import Field

from aim_memory.api.auth import Reader, Writer
from aim_memory.api.openapi import failures
from aim_memory.api.service import ServiceDep
from aim_memory.bodies import Body, ResetReply, SessionPage, SessionView

router = APIRouter(prefix="/v1/sessions", tags=["sessions"])

Namespace = Annotated[str, Query(description="The namespace that the session belongs to.")]


class ListParams(Body):
    namespace: str
    limit: int = Field(50, ge=1)


@router.get("", operation_id="list_sessions", summary="List sessions", responses=failures())
async def list_sessions(params: Annotated[ListParams, Query()], caller: Reader, service: ServiceDep) -> SessionPage:
    """The sessions of a namespace, latest first."""
    return await service.read(service.engine.sessions, caller.tenant, params.namespace, params.limit)


@router.get("/{session_id}", operation_id="get_session", summary="Read a session", responses=failures(404))
async def get(session_id: str, namespace: Namespace, caller: Reader, service: ServiceDep) -> SessionView:
    """How many turns it has had, the last questions, and how steady its course is."""
    return await service.read(service.engine.session, caller.tenant, namespace, session_id)


@router.delete("/{session_id}", operation_id="reset_session", summary="Reset a session", responses=failures())
async def reset(session_id: str, namespace: Namespace, caller: Writer, service: ServiceDep) -> ResetReply:
    """Sets a session at rest: its next question is the first. No memory is touched."""
    return ResetReply(reset=await service.write(service.engine.reset_session, caller.tenant, namespace, session_id))
