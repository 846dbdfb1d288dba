"""The vault of a SQLite file or of a PostgreSQL database."""

from __future__ import annotations

import shutil
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from pathlib import Path

from sqlalchemy.engine import make_url

from aim_memory.bodies import BackupManifest, VerifyReply
from aim_memory.errors import ConflictError, NotFoundError
from aim_memory.ports import Clock, Progress, Vault
from aim_memory.storage import backup, manifest, replacing, schema
from aim_memory.storage.checking import look_through
from aim_memory.storage.database import Database
from aim_memory.storage.files import sync
from aim_memory.storage.holdings import counted
from aim_memory.storage.wall import EVERY_TENANT


class SqlVault(Vault):
    def __init__(
        self,
        url: str,
        clock: Clock,
        version: str,
        *,
        busy_timeout_s: float = 10.0,
        partitions: int = schema.PARTITIONS,
    ) -> None:
        """``version``: of this software, for manifests; the rest as for a store."""
        self._url = url
        self._clock = clock
        self._version = version
        self._busy_timeout_s = busy_timeout_s
        self._partitions = partitions
        address = make_url(url)
        is_file = address.get_backend_name() == "sqlite"
        self._file = Path(str(address.database)).absolute() if is_file else None

    def backup(self, folder: Path, progress: Progress) -> BackupManifest:
        folder = folder.absolute()
        if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
            raise ConflictError(f"{folder} is there already. Name a new folder: backups are never written over.")
        part = folder.with_name(f"{folder.name}.part")
        shutil.rmtree(part, ignore_errors=True)  # of a backup that was interrupted
        with self._open() as database:
            part.mkdir(mode=0o700, parents=True)
            try:
                now = self._clock.now()
                told = backup.copy_out(database, part, progress)
                made = manifest.write(BackupManifest(made_by=self._version, created_at=now, **told), part)
                sync(part)
                part.rename(folder)
                sync(folder.parent)
            finally:
                shutil.rmtree(part, ignore_errors=True)
        return made

    def prove(self, folder: Path, progress: Progress) -> VerifyReply:
        return backup.prove(folder, progress)

    def restore(self, folder: Path, progress: Progress, *, replace: bool = False) -> BackupManifest:
        told = manifest.read(folder)
        if self._file is not None:
            self._file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            replacing.replace_file(self._file, folder, told, progress, replace=replace)
        else:
            self.migrate()
            with closing(self._database()) as database:
                replacing.replace_rows(database, folder, told, progress, replace=replace)
        return told

    def holdings(self) -> Mapping[str, int]:
        if self._file is not None and not self._file.exists():
            return {}
        with closing(self._database()) as database, database.reading(EVERY_TENANT) as connection:
            return counted(connection)

    def verify(self, progress: Progress) -> VerifyReply:
        with self._open() as database, database.reading(EVERY_TENANT) as connection:
            return look_through(connection, progress)

    def revisions(self) -> tuple[str | None, str]:
        if self._file is not None and not self._file.exists():
            return None, schema.HEAD
        with closing(self._database()) as database, database.reading() as connection:
            return schema.revision(connection), schema.HEAD

    def migrate(self) -> None:
        if self._file is not None:
            self._file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        with closing(self._database()) as database:
            schema.ensure(database, self._partitions)

    def _database(self) -> Database:
        return Database(self._url, self._busy_timeout_s)

    @contextmanager
    def _open(self) -> Iterator[Database]:
        """The store, at this version's schema. Raises NotFoundError where there is none."""
        if self._file is not None and not self._file.exists():
            raise NotFoundError(f"There is no store at {self._file}. Name its folder with --home, or AIM_HOME.")
        with closing(self._database()) as database:
            schema.ensure(database, self._partitions)
            yield database
