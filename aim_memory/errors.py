"""Everything that can go wrong, in one tree.

    AIMMemoryError
    ├── InvalidInputError          the caller's request cannot be served as it stands
    │   ├── LimitExceededError     something is larger than a configured limit
    │   └── UnknownReferenceError  a cursor, session or version that does not exist
    ├── AuthenticationError        no credential, or not a valid one
    ├── PermissionDeniedError      a valid credential that may not do this
    ├── NotFoundError              no such memory, session or namespace for this credential
    ├── ConflictError              the write contradicts what is stored
    │   ├── IdempotencyError       an Idempotency-Key was used before with another payload
    │   └── StaleVersionError      If-Match names an older version
    ├── StorageError               the store could not do it
    │   ├── StorageBusyError       another writer holds the store; try again
    │   └── StorageFullError       no space left; reads go on
    ├── EmbedderError              the embedder failed or is not installed
    ├── GeneratorError             the generator failed, hung or answered nonsense
    │   └── GeneratorRefusedError  the generator is well and will not serve this request
    ├── OverloadedError            too much at once; try again later
    │   └── QueueFullError         every place is taken and the queue is full
    ├── DeadlineExceededError      it took longer than the configured timeout
    ├── ConfigurationError         a setting is wrong or a part is missing
    │   └── MissingExtraError      an optional dependency is not installed
    └── ConnectionFailedError      (client) the server could not be reached

A class's docstring is its default message. No HTTP here: ``api.problems`` maps classes to statuses.
"""

from __future__ import annotations

from typing import ClassVar


class AIMMemoryError(Exception):
    """Something went wrong in AIM-Memory."""

    code: ClassVar[str] = "internal"
    """Stable, machine-readable name."""
    retryable: ClassVar[bool] = False
    """True when the same call may succeed later without being changed."""

    def __init__(self, message: str | None = None, *, request_id: str | None = None) -> None:
        super().__init__(message or (type(self).__doc__ or "").strip())
        self.request_id = request_id

    @property
    def message(self) -> str:
        return str(self.args[0])


class InvalidInputError(AIMMemoryError):
    """The request is not valid."""

    code = "invalid_input"

    def __init__(self, message: str | None = None, *, field: str | None = None, request_id: str | None = None) -> None:
        super().__init__(message, request_id=request_id)
        self.field = field


class LimitExceededError(InvalidInputError):
    """The request is larger than a configured limit."""

    code = "limit_exceeded"


class UnknownReferenceError(InvalidInputError):
    """The request refers to something that does not exist."""

    code = "unknown_reference"


class AuthenticationError(AIMMemoryError):
    """A valid API key is needed: send 'Authorization: Bearer <key>'."""

    code = "unauthenticated"


class PermissionDeniedError(AIMMemoryError):
    """This API key may not do that."""

    code = "permission_denied"


class NotFoundError(AIMMemoryError):
    """There is no such thing here."""

    code = "not_found"


class ConflictError(AIMMemoryError):
    """The write contradicts what is stored."""

    code = "conflict"


class IdempotencyError(ConflictError):
    """This Idempotency-Key was used before with another payload; use a new key for a new request."""

    code = "idempotency_mismatch"


class StaleVersionError(ConflictError):
    """The memory was changed since the version named by If-Match; read it again, then edit."""

    code = "stale_version"


class StorageError(AIMMemoryError):
    """The store could not complete the operation."""

    code = "storage"


class StorageBusyError(StorageError):
    """The store is held by another writer; try again."""

    code = "storage_busy"
    retryable = True


class StorageFullError(StorageError):
    """No space is left for writes; reads and deletes go on. Free some disk space."""

    code = "storage_full"
    retryable = True


class EmbedderError(AIMMemoryError):
    """The embedder could not embed the text."""

    code = "embedder"
    retryable = True


class GeneratorError(AIMMemoryError):
    """The generator could not answer."""

    code = "generator"
    retryable = True

    def __init__(
        self,
        message: str | None = None,
        *,
        again: bool = False,
        retry_after_s: float | None = None,
        request_id: str | None = None,
    ) -> None:
        super().__init__(message, request_id=request_id)
        self.again = again
        """Whether the same server may well answer when it is asked once more, at once or after a moment."""
        self.retry_after_s = retry_after_s


class GeneratorRefusedError(GeneratorError):
    """The generator refused the request as it stands."""

    code = "generator_refused"
    retryable = False

    def __init__(
        self, message: str | None = None, *, status: int = 400, field: str | None = None, request_id: str | None = None
    ) -> None:
        super().__init__(message, request_id=request_id)
        self.status = status
        """What the generator's own server answered: 400, 404, 413 or 422."""
        self.field = field


class OverloadedError(AIMMemoryError):
    """Too many requests at once; try again later."""

    code = "overloaded"
    retryable = True

    def __init__(
        self, message: str | None = None, *, retry_after_s: float = 1.0, request_id: str | None = None
    ) -> None:
        super().__init__(message, request_id=request_id)
        self.retry_after_s = retry_after_s


class QueueFullError(OverloadedError):
    """As many answers as are allowed are being made and waited for; try again later."""

    code = "queue_full"


class DeadlineExceededError(AIMMemoryError):
    """It took too long. A write may still have happened; repeat it with the same Idempotency-Key."""

    code = "timeout"
    retryable = True


class ConfigurationError(AIMMemoryError):
    """A setting is wrong."""

    code = "configuration"


class MissingExtraError(ConfigurationError):
    """An optional dependency is not installed."""

    code = "missing_extra"

    def __init__(self, extra: str, package: str) -> None:
        super().__init__(f"'{package}' is not installed. Install it with: pip install 'aim-memory[{extra}]'")
        self.extra = extra
        self.package = package


class ConnectionFailedError(AIMMemoryError):
    """The server could not be reached."""

    code = "connection"
    retryable = True
