"""Is it alive, is it ready, and how is it: for orchestrators, load balancers and people."""

from __future__ import annotations

import asyncio
import time
from html import escape
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Header, Request, Response
from pydantic import BaseModel
from starlette.responses import HTMLResponse

from aim_memory.api.auth import Known
from aim_memory.api.metrics import PROMETHEUS
from aim_memory.api.openapi import failures
from aim_memory.api.service import ServiceDep
from aim_memory.api.version import VERSION
from aim_memory.errors import OverloadedError

router = APIRouter(tags=["service"])

Accept = Annotated[str, Header(description="text/html for a page; JSON otherwise.")]


class HealthReply(BaseModel):
    status: Literal["alive", "ready"]


class WelcomeReply(BaseModel):
    name: str
    version: str
    about: str
    links: dict[str, str]


WELCOME = WelcomeReply(
    name="AIM-Memory",
    version=VERSION,
    about="Long-term memory for agents and assistants: it remembers conversations, finds what matters and quotes its "
    "sources.",
    links={
        "console": "/console/",
        "docs": "/docs",
        "openapi": "/openapi.json",
        "status": "/status",
        "ready": "/health/ready",
    },
)


@router.get("/health/live", operation_id="live", summary="Is it alive?")
async def live() -> HealthReply:
    """200 as long as the process can answer at all. Open to everybody."""
    return HealthReply(status="alive")


@router.get("/health/ready", operation_id="ready", summary="Is it ready?", responses=failures(only=(503,)))
async def ready(service: ServiceDep) -> HealthReply:
    """200 while requests are welcome; 503 before the engine is up and from the first signal to stop. Open."""
    if service.draining or not await service.read(service.engine.ready):
        raise OverloadedError("Not ready: the server is starting or stopping.")
    return HealthReply(status="ready")


@router.get("/status", operation_id="status", summary="How is it?", response_model=dict[str, Any], responses=failures())
async def status(caller: Known, service: ServiceDep, accept: Accept = "") -> dict[str, Any] | Response:
    """Figures of the running engine, as JSON or as a page."""
    figures = {
        "version": VERSION,
        **await service.read(service.engine.status),
        "answers_now": service.answers.figures(),
    }
    return page("Status", _table(figures)) if "text/html" in accept else figures


@router.get(
    "/metrics",
    operation_id="metrics",
    summary="Figures for Prometheus",
    response_class=Response,
    responses={200: {"content": {PROMETHEUS: {"schema": {"type": "string"}}}}, **failures()},
)
async def metrics(caller: Known, request: Request, service: ServiceDep) -> Response:
    """Figures of this process in Prometheus' text format. They name routes, models and errors; never a tenant, a
    namespace, a key or a word."""
    figures = request.app.state.metrics
    figures.note_lag(await _lag())
    return Response(await service.read(figures.render), media_type=PROMETHEUS)


async def _lag() -> float:
    """Seconds until the event loop comes round to whoever let the others go first."""
    begun = time.monotonic()
    await asyncio.sleep(0)
    return time.monotonic() - begun


@router.get("/", operation_id="welcome", summary="What is this?", response_model=WelcomeReply, responses=failures())
async def welcome(caller: Known, accept: Accept = "") -> WelcomeReply | Response:
    """What this is and where to go next."""
    if "text/html" not in accept:
        return WELCOME
    links = "".join(f'<li><a href="{escape(path)}">{escape(name)}</a></li>' for name, path in WELCOME.links.items())
    return page("Memory for agents and assistants", f"<p>{escape(WELCOME.about)}</p><ul>{links}</ul>")


def page(title: str, body: str) -> HTMLResponse:
    """A small page without scripts. ``body`` is markup: escape what goes into it."""
    return HTMLResponse(
        '<!doctype html><html lang="en"><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width"><title>AIM-Memory</title>'
        "<style>body{font:16px/1.5 system-ui,sans-serif;max-width:44rem;margin:3rem auto;padding:0 1rem}"
        "th{text-align:left;font-weight:500;padding-right:2rem;vertical-align:top}"
        "table table th{color:#666}@media(prefers-color-scheme:dark){body{background:#111;color:#eee}a{color:#8cf}}"
        f"</style><h1>AIM-Memory</h1><h2>{escape(title)}</h2>{body}</html>",
        headers={"content-security-policy": "default-src 'none'; style-src 'unsafe-inline'"},
    )


def _table(figures: dict[str, Any]) -> str:
    rows = (f"<tr><th>{escape(str(name))}</th><td>{_cell(value)}</td></tr>" for name, value in figures.items())
    return f"<table>{''.join(rows)}</table>"


def _cell(value: Any) -> str:
    return _table(value) if isinstance(value, dict) else escape(str(value))
