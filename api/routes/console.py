"""/console: one page to talk to a memory and to look into it. Static files; everything else it does over /v1."""

from __future__ import annotations

from importlib.resources import files

from fastapi import APIRouter, Response
from starlette.exceptions import HTTPException
from starlette.responses import RedirectResponse

router = APIRouter(prefix="/console", include_in_schema=False)

_TYPES = {"html": "text/html", "css": "text/css", "js": "text/javascript", "svg": "image/svg+xml"}
_HEADERS = {
    "cache-control": "no-cache",
    "content-security-policy": "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; "
    "connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
    "cross-origin-opener-policy": "same-origin",
    "referrer-policy": "no-referrer",
    "x-content-type-options": "nosniff",
}
_PAGE = "index.html"


def _read() -> dict[str, Response]:
    """Every file of the page as the response that it is."""
    found = {}
    for file in files("aim_memory.api").joinpath("console").iterdir():
        kind = _TYPES.get(file.name.rpartition(".")[2])
        if kind is not None:
            found[file.name] = Response(file.read_bytes(), headers=_HEADERS, media_type=kind)
    return found


_FILES = _read()
PATHS = frozenset({"/console", "/console/", *(f"/console/{name}" for name in _FILES)})
"""Open without a key: there is nothing in them but the page itself."""


@router.get("")
async def enter() -> Response:
    return RedirectResponse("/console/", 308)


@router.get("/")
async def page() -> Response:
    return _FILES[_PAGE]


@router.get("/{name}")
async def file(name: str) -> Response:
    if name not in _FILES:
        raise HTTPException(404)
    return _FILES[name]
