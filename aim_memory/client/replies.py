"""From what came back to a typed reply, or to the error of its cause."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import httpx2
from pydantic import TypeAdapter, ValidationError

from aim_memory import errors
from aim_memory.bodies import AnswerEvent
from aim_memory.client.calls import Call, R
from aim_memory.client.retry import Outcome

BY_STATUS: dict[int, type[errors.AIMMemoryError]] = {
    400: errors.InvalidInputError,
    401: errors.AuthenticationError,
    403: errors.PermissionDeniedError,
    404: errors.NotFoundError,
    408: errors.DeadlineExceededError,
    409: errors.ConflictError,
    412: errors.StaleVersionError,
    413: errors.LimitExceededError,
    422: errors.InvalidInputError,
    429: errors.OverloadedError,
    502: errors.ConnectionFailedError,
    503: errors.OverloadedError,
    504: errors.DeadlineExceededError,
    507: errors.StorageFullError,
}
"""For replies that name no code, e.g. those of a proxy in between."""


def read(call: Call[R], outcome: Outcome) -> R:
    """The reply. Raises the error that the server names, or ConnectionFailedError."""
    return parsed(call.reply, opened(outcome))


def parsed(reply: type[R], response: httpx2.Response) -> R:
    """What a success says. Raises AIMMemoryError if it is not what this service says."""
    try:
        return TypeAdapter(reply).validate_json(response.content)
    except ValidationError as failure:
        raise _foreign(response) from failure


def opened(outcome: Outcome) -> httpx2.Response:
    """The response, if it is a success; its body may still be on the way."""
    if isinstance(outcome, httpx2.RequestError):
        raise unreachable(outcome) from outcome
    if outcome.is_success:
        return outcome
    raise _failure(outcome)


def settled(call: Call[R], outcome: Outcome, begun: bool) -> Outcome:
    """The outcome of all attempts; ``begun``: whether one before the last may have happened."""
    if begun and call.gone is not None and isinstance(outcome, httpx2.Response) and outcome.status_code == 404:
        return httpx2.Response(200, content=call.gone.model_dump_json(), request=outcome.request)
    return outcome


def unreachable(failure: httpx2.RequestError) -> errors.ConnectionFailedError:
    """Says which server, and what to look at."""
    origin = f"{failure.request.url.scheme}://{failure.request.url.netloc.decode()}"
    if isinstance(failure, httpx2.TimeoutException) and not isinstance(failure, httpx2.ConnectTimeout):
        return errors.ConnectionFailedError(f"No answer from {origin} in time. Try again, or raise the timeout.")
    return errors.ConnectionFailedError(
        f"Could not reach {origin}: {str(failure) or type(failure).__name__}. Is it running? Start it with: aimem serve"
    )


def event(message: httpx2.ServerSentEvent) -> AnswerEvent:
    """One event of a streamed answer. An error event is raised as the error that it names."""
    body = _members(message.data)
    if message.event == "error":
        raise _named(body, status=500, request_id=body.get("request_id"))
    try:
        return AnswerEvent.model_validate({"event": message.event, "body": body})
    except ValidationError as failure:
        raise errors.AIMMemoryError(f"The server sent an event unknown to this client: {message.event}.") from failure


def _failure(response: httpx2.Response) -> errors.AIMMemoryError:
    problem = _members(response.text)
    if "code" not in problem and response.status_code not in BY_STATUS:
        return _foreign(response)
    failure = _named(problem, response.status_code, response.headers.get("x-request-id"))
    after = response.headers.get("retry-after", "")
    if isinstance(failure, errors.OverloadedError) and after.isdecimal():
        failure.retry_after_s = float(after)
    return failure


def _named(problem: dict[str, Any], status: int, request_id: str | None) -> errors.AIMMemoryError:
    """The error with the problem's code, or the one that the status stands for."""
    kind = BY_CODE.get(problem.get("code", "")) or BY_STATUS.get(status, errors.AIMMemoryError)
    message = problem.get("detail") or problem.get("title")
    if issubclass(kind, errors.InvalidInputError):
        return kind(message, field=problem.get("field"), request_id=request_id)
    return kind(message, request_id=request_id)


def _members(text: str) -> dict[str, Any]:
    """The members of a JSON object; none if the text is no such thing."""
    try:
        found = json.loads(text)
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}


def _foreign(response: httpx2.Response) -> errors.AIMMemoryError:
    return errors.AIMMemoryError(
        f"{response.request.url.copy_with(query=None)} answered {response.status_code}, but not as AIM-Memory does. "
        "Check the address.",
        request_id=response.headers.get("x-request-id"),
    )


def _tree(root: type[errors.AIMMemoryError]) -> Iterator[type[errors.AIMMemoryError]]:
    yield root
    for branch in root.__subclasses__():
        yield from _tree(branch)


BY_CODE = {kind.code: kind for kind in _tree(errors.AIMMemoryError)}
# A part that the server lacks is a wrong setting seen from here: nothing is to be installed on this side.
BY_CODE[errors.MissingExtraError.code] = errors.ConfigurationError
