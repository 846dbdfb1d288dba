"""Long-term memory for agents and assistants: it remembers conversations, finds what matters and quotes its sources.

    from aim_memory import AIMMemory                 # in this process, a folder on disk
    from aim_memory import Client, AsyncClient       # a server, over HTTP

Names are loaded when first used, so the HTTP SDK needs none of what embedded use needs.
"""

from importlib import import_module
from typing import TYPE_CHECKING

from aim_memory.errors import (
    AIMMemoryError,
    AuthenticationError,
    ConfigurationError,
    ConflictError,
    ConnectionFailedError,
    DeadlineExceededError,
    EmbedderError,
    GeneratorError,
    GeneratorRefusedError,
    IdempotencyError,
    InvalidInputError,
    LimitExceededError,
    MissingExtraError,
    NotFoundError,
    OverloadedError,
    PermissionDeniedError,
    QueueFullError,
    StaleVersionError,
    StorageBusyError,
    StorageError,
    StorageFullError,
    UnknownReferenceError,
)
from aim_memory.extras import needs

if TYPE_CHECKING:
    from aim_memory.client.aio import AsyncClient as AsyncClient
    from aim_memory.client.sync import Client as Client
    from aim_memory.config import AIMConfig as AIMConfig
    from aim_memory.described import create_aim_memory as create_aim_memory
    from aim_memory.embedded import AIMMemory as AIMMemory

    __version__: str

__all__ = [
    "AIMConfig",
    "AIMMemory",
    "AIMMemoryError",
    "AsyncClient",
    "AuthenticationError",
    "Client",
    "ConfigurationError",
    "ConflictError",
    "ConnectionFailedError",
    "DeadlineExceededError",
    "EmbedderError",
    "GeneratorError",
    "GeneratorRefusedError",
    "IdempotencyError",
    "InvalidInputError",
    "LimitExceededError",
    "MissingExtraError",
    "NotFoundError",
    "OverloadedError",
    "PermissionDeniedError",
    "QueueFullError",
    "StaleVersionError",
    "StorageBusyError",
    "StorageError",
    "StorageFullError",
    "UnknownReferenceError",
    "__version__",
    "create_aim_memory",
]

_HOMES = {
    "AIMConfig": "aim_memory.config",
    "AIMMemory": "aim_memory.embedded",
    "AsyncClient": "aim_memory.client.aio",
    "Client": "aim_memory.client.sync",
    "create_aim_memory": "aim_memory.described",
}


def __getattr__(name: str) -> object:
    if name == "__version__":
        from importlib.metadata import version

        return version("aim-memory")
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    with needs("embedded"):
        value = getattr(import_module(_HOMES[name]), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
