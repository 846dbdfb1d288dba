"""Administration over HTTP: ``client.admin``."""

from __future__ import annotations

import io
import os
import shutil
import tarfile
from collections.abc import Callable, Coroutine, Iterator
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, Concatenate

import httpx2

from aim_memory.client import admin_calls as calls
from aim_memory.client.calls import Call, R
from aim_memory.client.options import P, like
from aim_memory.client.replies import opened, read, unreachable
from aim_memory.errors import AIMMemoryError, ConflictError

if TYPE_CHECKING:
    from aim_memory.client.aio import AsyncClient
    from aim_memory.client.sync import Client

LONG_S = 3600.0
"""For what reads a whole store before it answers."""
_HELD = {"aim.db", "manifest.json"}
_PIECE = 1 << 20


def _sent(build: Callable[P, Call[R]], *, long: bool = False) -> Callable[Concatenate[Admin, P], R]:
    @like(build)
    def verb(admin: Admin, /, *args: P.args, **kwargs: P.kwargs) -> R:
        call = build(*args, **kwargs)
        return read(call, admin._patient(long)._send(call))

    return verb


class Admin:
    """What an ``admin`` key may do to its tenant, and an ``operator`` key to the whole service."""

    def __init__(self, client: Client) -> None:
        self._client = client

    stats = _sent(calls.stats)
    verify = _sent(calls.verify, long=True)
    reindex = _sent(calls.reindex)
    outlook = _sent(calls.outlook, long=True)
    rollback = _sent(calls.rollback, long=True)
    extract = _sent(calls.extract)
    preview_extraction = _sent(calls.preview_extraction, long=True)
    jobs = _sent(calls.jobs)
    job = _sent(calls.job)
    cancel_job = _sent(calls.cancel_job)
    keys = _sent(calls.keys)
    create_key = _sent(calls.create_key)
    revoke_key = _sent(calls.revoke_key)
    audit = _sent(calls.audit)

    def export(self, *, namespace: str | None = None) -> Iterator[str]:
        """Memories, one a line, as they come; of one namespace or of all."""
        response = opened(self._patient(True)._send(calls.export(namespace=namespace), stream=True))
        try:
            pieces = io.BufferedReader(_Pieces(response.iter_bytes()))
            yield from (line.decode() for line in pieces)  # by "\n" alone: texts hold other ends of lines
        except httpx2.RequestError as failure:
            raise unreachable(failure) from failure
        finally:
            response.close()

    def backup(self, folder: str | Path, advance: Callable[[int], None] | None = None) -> None:
        """Fetches a backup of the whole service into a new folder, which is there when it is whole.

        ``advance`` hears how many more bytes came. Prove it with ``aimem backup verify``.
        Raises ConflictError if the folder is there.
        """
        target = Path(folder).absolute()
        if target.exists():
            raise ConflictError(f"{target} is there already. Name a new folder: backups are never written over.")
        part = target.with_name(f"{target.name}.part")
        shutil.rmtree(part, ignore_errors=True)  # of a backup that was interrupted
        response = opened(self._patient(True)._send(calls.backup(), stream=True))
        try:
            part.mkdir(mode=0o700, parents=True)
            _unpack(io.BufferedReader(_Pieces(response.iter_bytes(_PIECE), advance)), part)
            part.rename(target)
        except httpx2.RequestError as failure:
            raise unreachable(failure) from failure
        except tarfile.TarError as failure:
            raise AIMMemoryError(f"The backup did not arrive whole ({failure}). Fetch it again.") from failure
        finally:
            response.close()
            shutil.rmtree(part, ignore_errors=True)

    def _patient(self, long: bool) -> Client:
        return self._client.with_options(timeout=LONG_S, max_retries=0) if long else self._client


def _awaited(
    build: Callable[P, Call[R]], *, long: bool = False
) -> Callable[Concatenate[AsyncAdmin, P], Coroutine[Any, Any, R]]:
    @like(build)
    async def verb(admin: AsyncAdmin, /, *args: P.args, **kwargs: P.kwargs) -> R:
        call = build(*args, **kwargs)
        client = admin._client.with_options(timeout=LONG_S, max_retries=0) if long else admin._client
        return read(call, await client._send(call))

    return verb


class AsyncAdmin:
    """The same for async code, but for what is written to files: backups and exports are the blocking client's."""

    def __init__(self, client: AsyncClient) -> None:
        self._client = client

    stats = _awaited(calls.stats)
    verify = _awaited(calls.verify, long=True)
    reindex = _awaited(calls.reindex)
    outlook = _awaited(calls.outlook, long=True)
    rollback = _awaited(calls.rollback, long=True)
    extract = _awaited(calls.extract)
    preview_extraction = _awaited(calls.preview_extraction, long=True)
    jobs = _awaited(calls.jobs)
    job = _awaited(calls.job)
    cancel_job = _awaited(calls.cancel_job)
    keys = _awaited(calls.keys)
    create_key = _awaited(calls.create_key)
    revoke_key = _awaited(calls.revoke_key)
    audit = _awaited(calls.audit)


class _Pieces(io.RawIOBase):
    """What arrives, as a file that is read from first to last."""

    def __init__(self, pieces: Iterator[bytes], advance: Callable[[int], None] | None = None) -> None:
        self._pieces = pieces
        self._advance = advance
        self._rest = memoryview(b"")

    def readable(self) -> bool:
        return True

    def readinto(self, place: Any) -> int:
        if not self._rest:
            self._rest = memoryview(next(filter(None, self._pieces), b""))
            if self._advance is not None:
                self._advance(len(self._rest))
        size = min(len(place), len(self._rest))
        place[:size], self._rest = self._rest[:size], self._rest[size:]
        return size


def _unpack(pieces: IO[bytes], folder: Path) -> None:
    """The two files of a backup, synced; nothing else is taken from an archive."""
    with tarfile.open(fileobj=pieces, mode="r|") as archive:
        found = set()
        for entry in archive:
            body = archive.extractfile(entry)
            if entry.name not in _HELD or body is None:
                raise tarfile.TarError(f"unexpected {entry.name}")
            with (folder / entry.name).open("xb") as file:
                shutil.copyfileobj(body, file, _PIECE)
                file.flush()
                os.fsync(file.fileno())
            found.add(entry.name)
    if found != _HELD:
        raise tarfile.ReadError("it ends too early")
