"""/v1/feedback: which results helped."""

from __future__ import annotations

from fastapi import APIRouter

from aim_memory.api.auth import Writer
from aim_memory.api.openapi import failures
from aim_memory.api.service import ServiceDep
from aim_memory.bodies import FeedbackReply, FeedbackRequest

router = APIRouter(prefix="/v1", tags=["query"])


@router.post("/feedback", operation_id="give_feedback", summary="Give feedback", responses=failures(413, 415))
async def feedback(body: FeedbackRequest, caller: Writer, service: ServiceDep) -> FeedbackReply:
    """Strengthens memories that helped (1) and weakens those that did not (-1)."""
    return await service.write(service.engine.feedback, caller.tenant, body)
