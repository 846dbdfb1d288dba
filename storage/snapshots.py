"""Frozen indexes on disk, so that they need not be built from SQL again after a restart.

A file holds the SHA-256 of all that follows it, a line of JSON that says what it is, and the frozen index. It is
followed like an index in memory: what changed after its ``seq`` is read from the log. What is damaged, of another
namespace, embedder, format or history is not used and removed; then the index is built from SQL, which is the truth.

The files hold words and vectors. So whoever erases memories removes the file of their namespace before he says so, who
saves one looks afterwards whether something was erased meanwhile, and who opens a store sweeps (``FollowingKeeper``).
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import asdict, dataclass, field
from pathlib import Path
from tempfile import NamedTemporaryFile
from typing import BinaryIO

from aim_memory.types import Head, Space

FORMAT = 2
"""Counted up when frozen indexes change, or when earlier ones may be wrong: in 1, cells could lack vectors."""
_DIGEST = 64
_LONGEST = 1 << 24
"""Bytes of a manifest; it names memories with use counts."""
_SUFFIX, _UNFINISHED = ".index", ".unfinished"


@dataclass(frozen=True)
class Manifest:
    """What a snapshot is of."""

    tenant: str
    namespace: str
    epoch: int
    seq: int
    ordinal: int
    generation: str | None
    """Of the embedder."""
    memories: int
    size: int
    """Bytes of the frozen index."""
    mark: str
    """Of the change with this ``seq``: another one under the same number means another history."""
    uses: Mapping[str, float] = field(default_factory=dict)
    """Use counts that are not zero; no ``seq`` tells when they change."""
    format: int = FORMAT

    @property
    def space(self) -> Space:
        return Space(self.tenant, self.namespace)

    @property
    def head(self) -> Head:
        return Head(self.epoch, self.seq, self.ordinal)


class Snapshots:
    """One file for each namespace, by its epoch. Any number of processes may use the folder."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def save(self, manifest: Manifest, body: bytes) -> bool:
        """Whether it could be written: a disk that is full or broken costs time, nothing else."""
        line = json.dumps(asdict(manifest), ensure_ascii=False).encode() + b"\n"
        digest = hashlib.sha256(line)
        digest.update(body)
        try:
            self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            with NamedTemporaryFile(dir=self._folder, suffix=_UNFINISHED, delete=False) as file:
                for part in (digest.hexdigest().encode(), b"\n", line, body):
                    file.write(part)
                file.flush()
                os.fsync(file.fileno())
            Path(file.name).replace(self._file(manifest.epoch))
        except OSError:
            return False
        return True

    def load(self, epoch: int) -> tuple[Manifest, bytes] | None:
        """What was saved, whole; None, and no file any more, if it is damaged or of another format."""
        try:
            with self._file(epoch).open("rb") as file:
                found = _manifest(file)
                file.seek(0)
                digest, _, rest = file.read().partition(b"\n")
        except OSError:
            return None
        if found is not None and digest.decode("latin-1") == hashlib.sha256(rest).hexdigest():
            body = memoryview(rest)[rest.index(b"\n") + 1 :]
            if len(body) == found.size and found.epoch == epoch:
                return found, bytes(body)
        self.remove(epoch)
        return None

    def remove(self, epoch: int) -> None:
        with suppress(FileNotFoundError):
            self._file(epoch).unlink()

    def manifests(self) -> Iterator[Manifest]:
        """Of all files, unchecked; what cannot be read or was never finished is removed."""
        for left in self._folder.glob(f"*{_UNFINISHED}"):
            left.unlink(missing_ok=True)
        for path in sorted(self._folder.glob(f"*{_SUFFIX}")):
            with suppress(OSError):
                with path.open("rb") as file:
                    found = _manifest(file)
                if found is None or self._file(found.epoch) != path:
                    path.unlink(missing_ok=True)
                else:
                    yield found

    def damaged(self) -> list[Path]:
        """Files that ``load`` would not use; they are left where they are."""
        return [path for path in sorted(self._folder.glob(f"*{_SUFFIX}")) if not _is_whole(path)]

    def _file(self, epoch: int) -> Path:
        return self._folder / f"{epoch}{_SUFFIX}"


def _is_whole(path: Path) -> bool:
    try:
        with path.open("rb") as file:
            digest = file.readline(_DIGEST + 1).strip().decode("latin-1")
            return digest == hashlib.file_digest(file, "sha256").hexdigest()
    except OSError:
        return False


def _manifest(file: BinaryIO) -> Manifest | None:
    """The manifest of an open file; None if this is none, or of another format."""
    file.seek(_DIGEST + 1)
    try:
        found = Manifest(**json.loads(file.readline(_LONGEST)))
    except (ValueError, TypeError):
        return None
    return found if found.format == FORMAT else None
