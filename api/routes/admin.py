"""/v1/admin: what administrators need of a running server. An ``admin`` key works on its tenant, an ``operator`` key
also on the whole service; what is done is noted in the audit log."""

from __future__ import annotations

import io
from collections.abc import Iterator
from dataclasses import asdict
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Annotated, cast

from anyio.to_thread import run_sync
from fastapi import APIRouter, Depends, Query, Request
from pydantic import Field
from starlette.responses import StreamingResponse

from aim_memory import assemble
from aim_memory.api.archive import MEDIA_TYPE as TAR
from aim_memory.api.archive import archive, size_of
from aim_memory.api.audit import audited
from aim_memory.api.auth import Admin, Auditor, Caller, Known, Operator
from aim_memory.api.lines import Incoming
from aim_memory.api.openapi import NDJSON, failures
from aim_memory.api.service import Service, ServiceDep
from aim_memory.api.stream import while_there
from aim_memory.api.workers import deadline
from aim_memory.bodies import (
    AuditPage,
    AuditView,
    Body,
    EmbedderOutlook,
    ExtractPreview,
    ExtractPreviewRequest,
    ExtractRequest,
    ImportProblem,
    ImportReply,
    IssuedKeyView,
    JobPage,
    JobView,
    KeyPage,
    KeyRequest,
    KeyView,
    MemoryItem,
    ReindexRequest,
    RollbackRequest,
    StatsReply,
    VerifyReply,
    WriteReply,
    WriteRequest,
)
from aim_memory.engine.receipts import namespace_digest
from aim_memory.engine.reindexing import named
from aim_memory.errors import InvalidInputError, NotFoundError
from aim_memory.ingest.limits import check_namespace
from aim_memory.keys import Role, includes
from aim_memory.transfer import export_lines, import_entries, read_entries
from aim_memory.types import Job, Space

router = APIRouter(prefix="/v1/admin", tags=["administration"])

_PAGE = 200
_LAST_ENTRY = 2**63 - 1
"""Entries of the audit log are numbered, and no database counts further."""


async def _one_namespace(
    namespace: Annotated[str | None, Query(description="One namespace; all of the key's tenant if left out.")] = None,
) -> str | None:
    """Checked here, as a reply that has begun to stream can no longer refuse."""
    if namespace is not None:
        check_namespace(namespace)
    return namespace


OneNamespace = Annotated[str | None, Depends(_one_namespace)]


class PageParams(Body):
    limit: int = Field(50, ge=1, le=_PAGE)
    before: str | None = Field(None, description="The last id of the page before.")


class AuditParams(Body):
    limit: int = Field(50, ge=1, le=_PAGE)
    before: int | None = Field(None, ge=0, le=_LAST_ENTRY, description="`next_before` of the page before.")


@router.get("/stats", operation_id="admin_stats", summary="Count what is there", responses=failures())
async def stats(caller: Auditor, service: ServiceDep, namespace: OneNamespace) -> StatsReply:
    """Rows by kind: of the key's tenant, or of one of its namespaces."""
    found = dict(await service.read(service.engine.store.amounts, caller.tenant, namespace))
    return StatsReply(tenant=caller.tenant, namespace=namespace, namespaces=found.pop("namespaces"), rows=found)


# --- the whole service ---------------------------------------------------------------------------------------------


@router.post(
    "/backup",
    operation_id="admin_backup",
    summary="Back up the service",
    response_class=StreamingResponse,
    responses={200: {"content": {TAR: {"schema": {"type": "string", "format": "binary"}}}}, **failures(507)},
)
async def backup(caller: Known, service: ServiceDep) -> StreamingResponse:
    """All rows of all tenants as of one moment: a tar archive of `aim.db` and `manifest.json`. Takes an operator's key.

    The archive begins when the rows are copied and counted, which takes seconds per million rows.
    """
    async with audited(service, caller, "backup", role="operator"):
        with service.chores.passing():
            place = TemporaryDirectory(prefix="aim-backup-")
            folder = Path(place.name, "backup")
            await run_sync(assemble.open_vault(service.settings).backup, folder, _quiet)
    files = [folder / name for name in ("aim.db", "manifest.json")]
    return StreamingResponse(_sent(place, files), media_type=TAR, headers={"content-length": str(size_of(files))})


def _sent(place: TemporaryDirectory[str], files: list[Path]) -> Iterator[bytes]:
    with place:
        yield from archive(files)


def _quiet(step: str, done: int, total: int) -> None:
    """Nobody sees the progress of one request."""


@router.post("/verify", operation_id="admin_verify", summary="Look for damage", responses=failures())
async def verify(caller: Known, service: ServiceDep) -> VerifyReply:
    """Reads every row of every tenant and names what must not be, and what to do about it. Takes an operator's key."""
    async with audited(service, caller, "verify", role="operator"):
        with service.chores.passing():
            return await run_sync(assemble.open_vault(service.settings).verify, _quiet)


@router.post("/reindex", operation_id="admin_reindex", summary="Embed anew", responses=failures(413, 415))
async def reindex(body: ReindexRequest, caller: Known, service: ServiceDep) -> JobView:
    """Begins a job that embeds what has no vectors of the embedder in use, or of another one, which is put in use when
    they are all there; or one that drops the vectors of all others. Takes an operator's key."""
    engine = service.engine
    async with audited(service, caller, "prune" if body.prune else "reindex", body.to, role="operator"):
        if not body.prune:
            target = None if body.to is None else named(body.to)
            return _job(await service.write(engine.jobs.submit, "reindex", {"to": target}))
        if body.to is not None:
            raise InvalidInputError("to and prune are two things to do; ask for one.", field="prune")
        outlook = await service.read(engine.reindexing.outlook)
        return _job(await service.write(engine.jobs.submit, "prune", {"generation": outlook["generation"]}))


@router.get("/reindex", operation_id="admin_outlook", summary="Look at an embedder", responses=failures())
async def outlook(
    caller: Operator,
    service: ServiceDep,
    to: Annotated[str | None, Query(description="Another embedder, which is loaded for it; the one in use.")] = None,
) -> EmbedderOutlook:
    """How many memories a reindexing would embed, and how many have vectors to prune. Takes an operator's key."""
    target = None if to is None else named(to)
    with service.chores.passing():
        return EmbedderOutlook.model_validate(await run_sync(service.engine.reindexing.outlook, target))


@router.post(
    "/reindex/rollback",
    operation_id="admin_rollback",
    summary="Go back to the embedder before",
    responses=failures(404, 413, 415),
)
async def rollback(body: RollbackRequest, caller: Known, service: ServiceDep) -> EmbedderOutlook:
    """Takes the last move to another embedder back; its vectors were kept. Servers take that up at their next start.
    Takes an operator's key."""
    async with audited(service, caller, "rollback", "dry_run" if body.dry_run else None, role="operator"):
        with service.chores.passing():
            back = partial(service.engine.reindexing.rollback, dry_run=body.dry_run)
            return EmbedderOutlook.model_validate(await run_sync(back))


@router.post("/extract", operation_id="admin_extract", summary="Have memories read", responses=failures(413, 415))
async def extract(body: ExtractRequest, caller: Known, service: ServiceDep) -> JobView:
    """Begins a job in which a language model reads memories of a namespace and writes down facts, summaries of
    conversations or a profile. They are checked against what they were made of and go with it; the originals stay as
    they are."""
    async with audited(service, caller, "extract", _target(caller, body.namespace)):
        return _job(await service.write(service.engine.extract, caller.tenant, body))


@router.post(
    "/extract/preview",
    operation_id="admin_extract_preview",
    summary="Preview extraction",
    responses=failures(413, 415, 429, 502),
)
async def preview_extraction(
    body: ExtractPreviewRequest, request: Request, caller: Known, service: ServiceDep
) -> ExtractPreview:
    """What extraction would keep, and what it would refuse and why. The language model is asked, and nothing is
    written."""
    async with audited(service, caller, "extract.preview", _target(caller, body.namespace)):
        asked = ExtractRequest.model_validate(body.model_dump(exclude={"limit"}))
        async with service.answers.place(), deadline(service.settings.server.answer_timeout_s):
            work = service.engine.preview_extraction(caller.tenant, asked, body.limit)
            return await while_there(request, work)


@router.get("/jobs", operation_id="admin_jobs", summary="List jobs", responses=failures())
async def jobs(params: Annotated[PageParams, Query()], caller: Auditor, service: ServiceDep) -> JobPage:
    """The newest first: the tenant's; all, for an operator."""
    found = await service.read(service.engine.jobs.list, _whose(caller), before=params.before, limit=params.limit)
    return JobPage(items=[_job(job) for job in found])


@router.get("/jobs/{job_id}", operation_id="admin_job", summary="Read a job", responses=failures(404))
async def job(job_id: str, caller: Auditor, service: ServiceDep) -> JobView:
    """How far it is, what came out, or why it failed."""
    return _job(await service.read(service.engine.jobs.get, job_id, _whose(caller)))


@router.delete("/jobs/{job_id}", operation_id="admin_cancel_job", summary="Cancel a job", responses=failures(404, 409))
async def cancel(job_id: str, caller: Known, service: ServiceDep) -> JobView:
    """Ends it after its present step. What it has done stays."""
    async with audited(service, caller, "jobs.cancel", job_id):
        return _job(await service.write(service.engine.jobs.cancel, job_id, _whose(caller)))


def _whose(caller: Caller) -> str | None:
    """The tenant that a caller sees; None for all."""
    return None if includes(caller.role, "operator") else caller.tenant


def _job(found: Job) -> JobView:
    return JobView.model_validate({name: getattr(found, name) for name in JobView.model_fields})


# --- memories in and out -------------------------------------------------------------------------------------------


@router.get(
    "/export",
    operation_id="admin_export",
    summary="Export memories",
    response_class=StreamingResponse,
    responses={200: {"content": {NDJSON: {"schema": {"type": "string"}}}}, **failures()},
)
async def export(caller: Known, service: ServiceDep, namespace: OneNamespace) -> StreamingResponse:
    """One memory a line, in the order they were written; `import` reads it back to the same memories."""
    async with audited(service, caller, "export", _target(caller, namespace)):
        names = [namespace] if namespace else await run_sync(lambda: list(_namespaces(service, caller.tenant)))
    return StreamingResponse(_lines(service, caller.tenant, names), media_type=NDJSON)


def _target(caller: Caller, namespace: str | None) -> str | None:
    return namespace and namespace_digest(Space(caller.tenant, namespace))


def _namespaces(service: Service, tenant: str) -> Iterator[str]:
    cursor: str | None = None
    while True:
        page = service.engine.namespaces(tenant, cursor=cursor, limit=service.settings.limits.page_items)
        yield from (found.namespace for found in page.items)
        if (cursor := page.next_cursor) is None:
            return


def _lines(service: Service, tenant: str, names: list[str]) -> Iterator[str]:
    for namespace in names:
        cursor: str | None = None
        while True:
            most = service.settings.limits.page_items
            page = service.engine.list(tenant, namespace, cursor=cursor, limit=most)
            yield "".join(export_lines(page.items))
            if (cursor := page.next_cursor) is None:
                break


_IMPORTED = {
    "requestBody": {"required": True, "content": {NDJSON: {"schema": {"type": "string"}}}},
}


@router.post(
    "/import",
    operation_id="admin_import",
    summary="Import memories",
    responses=failures(413, 415),
    openapi_extra=_IMPORTED,
)
async def import_(request: Request, caller: Known, service: ServiceDep, namespace: OneNamespace) -> ImportReply:
    """One memory a line, of any number of lines: they are written while they arrive. Sent again, what is there stays as
    it is; a line that cannot be written harms no other."""
    async with audited(service, caller, "import", _target(caller, namespace)):
        incoming = Incoming(request.stream(), service.settings.server.write_timeout_s)
        with service.chores.passing():
            return await run_sync(_import, incoming, namespace, _Writer(service, caller))


class _Writer:
    """The engine, for one caller, as an import needs it."""

    def __init__(self, service: Service, caller: Caller) -> None:
        self._service = service
        self._caller = caller

    def write(self, *, namespace: str, memories: list[MemoryItem]) -> WriteReply:
        request = WriteRequest(namespace=namespace, memories=memories)
        return self._service.engine.write(self._caller.tenant, request, author=self._caller.name)


def _import(incoming: Incoming, namespace: str | None, writer: _Writer) -> ImportReply:
    report = import_entries(read_entries(io.BufferedReader(incoming), namespace), writer)
    problems = [ImportProblem(line=problem.line, reason=problem.reason) for problem in report.problems]
    counts = {name: report.counts[name] for name in ("created", "unchanged", "rejected")}
    return ImportReply(**counts, problems=problems)


# --- keys and the audit log ----------------------------------------------------------------------------------------


@router.get("/keys", operation_id="admin_keys", summary="List keys", responses=failures())
async def keys(caller: Admin, service: ServiceDep) -> KeyPage:
    """The tenant's keys, revoked ones included; all, for an operator. Secrets are not known here."""
    found = await service.read(service.keyring.list, _whose(caller))
    return KeyPage(items=[KeyView.model_validate(asdict(key)) for key in found])


@router.post("/keys", operation_id="admin_create_key", summary="Make a key", responses=failures(413, 415))
async def create_key(body: KeyRequest, caller: Known, service: ServiceDep) -> IssuedKeyView:
    """Its secret is in this reply and nowhere else. A key makes none that may more than itself."""
    tenant = body.tenant or caller.tenant
    needed: Role = "admin" if tenant == caller.tenant and body.role != "operator" else "operator"
    async with audited(service, caller, "keys.create", f"{tenant} {body.role}", role=needed):
        issued = await service.write(service.keyring.create, tenant, body.name, body.role, body.expires_at)
    return IssuedKeyView.model_validate({**asdict(issued.key), "key": issued.token})


@router.delete("/keys/{key_id}", operation_id="admin_revoke_key", summary="Revoke a key", responses=failures(404))
async def revoke_key(key_id: str, caller: Known, service: ServiceDep) -> KeyView:
    """Whoever uses it is locked out at once."""
    async with audited(service, caller, "keys.revoke", key_id):
        own = await service.read(service.keyring.list, _whose(caller))
        # A key that may more than the caller's is not there for him.
        mine = [key for key in own if key.id == key_id and includes(caller.role, cast(Role, key.role))]
        if not mine or not await service.write(service.keyring.revoke, key_id):
            raise NotFoundError(f"There is no valid key {key_id!r} here.")
        after = await service.read(service.keyring.list, _whose(caller))
    return KeyView.model_validate(asdict(next(key for key in after if key.id == key_id)))


@router.get("/audit", operation_id="admin_audit", summary="Read the audit log", responses=failures())
async def audit(params: Annotated[AuditParams, Query()], caller: Auditor, service: ServiceDep) -> AuditPage:
    """What administrators did or tried, the newest first: in the tenant; everywhere, for an operator.

    Namespaces are named by a digest, as their receipts do: names are erased too.
    """
    found = await service.read(service.engine.store.noted, _whose(caller), params.before, params.limit)
    items = [AuditView.model_validate(asdict(entry)) for entry in found]
    return AuditPage(items=items, next_before=items[-1].id if len(items) == params.limit else None)
