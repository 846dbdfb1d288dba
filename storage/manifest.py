"""The manifest of a backup: written so that a change of any byte of it is noticed."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path

from pydantic import ValidationError

from aim_memory.bodies import BackedUpFile, BackupManifest
from aim_memory.errors import InvalidInputError, StorageError

NAME = "manifest.json"
_PIECE = 1 << 20


def write(manifest: BackupManifest, folder: Path) -> BackupManifest:
    """Seals a manifest and writes it, synced."""
    sealed = manifest.model_copy(update={"sha256": _seal(manifest)})
    with (folder / NAME).open("xb") as file:
        file.write(_spelled(sealed))
        file.flush()
        os.fsync(file.fileno())
    return sealed


def read(folder: Path) -> BackupManifest:
    """Raises InvalidInputError where there is no backup, StorageError if the manifest is not as it was written."""
    path = folder / NAME
    if not path.is_file():
        raise InvalidInputError(f"There is no backup in {folder}: it has no {NAME}.", field="PATH")
    spelled = path.read_bytes()
    try:
        manifest = BackupManifest.model_validate_json(spelled)
    except ValidationError as failure:
        raise damaged(f"{NAME} is not a manifest that this version reads") from failure
    if _spelled(manifest) != spelled or _seal(manifest) != manifest.sha256:
        raise damaged(f"{NAME} is not as it was written")
    return manifest


def damaged(what: str) -> StorageError:
    return StorageError(f"This backup is damaged: {what}. Take an older one, and look at the disk that it lay on.")


def copied(source: Path, target: Path, expected: BackedUpFile) -> None:
    """Copies a file and compares it with the manifest on the way. Raises StorageError."""
    digest, size = hashlib.sha256(), 0
    with source.open("rb") as old, target.open("xb") as new:
        while piece := old.read(_PIECE):
            digest.update(piece)
            size += len(piece)
            new.write(piece)
    if (size, digest.hexdigest()) != (expected.bytes, expected.sha256):
        raise damaged(f"{source.name} is not as it was written")


def entry(path: Path) -> BackedUpFile:
    with path.open("rb") as file:
        return BackedUpFile(bytes=path.stat().st_size, sha256=hashlib.file_digest(file, "sha256").hexdigest())


def _seal(manifest: BackupManifest) -> str:
    return hashlib.sha256(_spelled(manifest.model_copy(update={"sha256": ""}))).hexdigest()


def _spelled(manifest: BackupManifest) -> bytes:
    return manifest.model_dump_json(indent=1).encode() + b"\n"
