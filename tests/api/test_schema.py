"""Whatever the OpenAPI document allows, and whatever it forbids, is answered as the document says, and never by a 5xx.

Requests are made from the document itself: half as it allows them, half with something it forbids. That the document
allows a request is no promise that it is granted: that a year is too far off, or that a chat names nobody's memory, is
said by a 422.
"""

from __future__ import annotations

import shutil
import warnings
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from itertools import count
from pathlib import Path
from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given
from hypothesis import settings as sized
from hypothesis import strategies as st
from schemathesis import Case, GenerationMode, Response
from schemathesis.python import asgi
from schemathesis.specs.openapi.checks import positive_data_acceptance

from aim_memory import assemble
from aim_memory.api import service
from aim_memory.api.app import create_app
from aim_memory.api.examples import EXAMPLES
from aim_memory.api.openapi import NDJSON
from aim_memory.engine import MemoryEngine
from aim_memory.engine.reindexing import Reindexing
from aim_memory.errors import ConfigurationError
from aim_memory.keys import Keyring
from aim_memory.ports import Embedder
from aim_memory.settings import ServerSettings, Settings
from tests.api.conftest import settings_in
from tests.figures import figure

PROMISE = "what the API replies is what its document says"
PATIENT = ServerSettings(jobs_interval_s=3600, query_timeout_s=60, write_timeout_s=60, answer_timeout_s=60)
"""No job is begun: a name that was made up would be looked for as a model."""


@schemathesis.serializer(NDJSON)
def as_lines(context: Any, value: Any) -> bytes:
    return value if isinstance(value, bytes) else str(value).encode(errors="replace")


@dataclass
class Served:
    """The app, in this process, and an operator who calls it."""

    schema: Any
    headers: dict[str, str]
    replies: Counter[int] = field(default_factory=Counter)

    def operation(self, operation_id: str) -> Any:
        return self.schema.find_operation_by_id(operation_id)

    def send(self, case: Case) -> Response:
        reply = case.call(headers=self.headers)
        self.check(case, reply)
        return reply

    def move_to(self, settings: Settings) -> MemoryEngine:
        """Serves another store from here on."""
        engine, keyring = opened(settings)
        self.schema.app.state.service = service.build(settings, engine, keyring)
        self.headers = operators(keyring)
        return engine

    def check(self, case: Case, reply: Response) -> None:
        self.replies[reply.status_code] += 1
        case.validate_response(reply, headers=self.headers, excluded_checks=[positive_data_acceptance])


@pytest.fixture
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    settings = settings_in(tmp_path_factory.mktemp("schema"), server=PATIENT)
    engine, keyring = opened(settings)
    app = create_app(settings, engine, keyring)
    # That nothing opens without a key is for tests/api/test_auth.py: here all requests bring one.
    schema = schemathesis.openapi.from_dict({**app.openapi(), "security": []})
    schema.app = app
    yield Served(schema, operators(keyring))
    asgi.shutdown_lifespans()


def opened(settings: Settings) -> tuple[MemoryEngine, Keyring]:
    engine = assemble.open_engine(settings)
    engine.reindexing = Reindexing(replace(engine.reindexing._parts, open_embedder=_unknown))
    return engine, assemble.open_keyring(settings, engine)


def operators(keyring: Keyring) -> dict[str, str]:
    return {"authorization": f"Bearer {keyring.create('acme', 'tester', 'operator').token}"}


def _unknown(named: Mapping[str, Any]) -> Embedder:
    """Names that were made up are not looked for on any hub."""
    raise ConfigurationError(f"The embedder {named} could not be loaded.")


def thorough(examples: int, **more: Any) -> Any:
    return sized(
        max_examples=examples,
        deadline=None,
        derandomize=True,
        database=None,
        suppress_health_check=list(HealthCheck),
        phases=[Phase.generate],
        **more,
    )


def attempt(served: Served, operation_id: str, mode: GenerationMode, examples: int) -> None:
    """Sends so many requests to one operation."""
    example = EXAMPLES[operation_id].request

    @thorough(examples)
    @given(case=served.operation(operation_id).as_strategy(generation_mode=mode), sensible=st.booleans())
    def replies_are_as_described(case: Case, sensible: bool) -> None:
        if sensible and mode.is_positive:
            case.body = mended(case.body, example)
        served.send(case)

    replies_are_as_described()


@pytest.mark.parametrize("examples", [10, pytest.param(200, marks=pytest.mark.deep)])
def test_every_operation_replies_as_described(served: Served, examples: int) -> None:
    for operation_id in EXAMPLES:
        for mode in (GenerationMode.POSITIVE, GenerationMode.NEGATIVE):
            if mode.is_positive or forbids(served.operation(operation_id)):
                attempt(served, operation_id, mode, examples // 2)
    assert not [status for status in served.replies if status >= 500]
    granted = sum(number for status, number in served.replies.items() if status < 300)
    figure(
        PROMISE,
        f"{len(EXAMPLES)} operations, {examples} requests each: {sum(served.replies.values())}",
        f"0 × 5xx, 0 breaches of the schema; {granted} granted",
    )


def mended(body: Any, example: Any) -> Any:
    """With what the document shows as an example, so that it gets as far as the engine."""
    if isinstance(body, dict) and isinstance(example, dict):
        return {**body, **example}
    return f"{example}{body}" if isinstance(body, str) else body


def forbids(operation: Any) -> bool:
    """Whether there is anything that a request to it must not be."""
    if any(body.media_type == NDJSON for body in operation.body):
        return False  # lines of text: whatever is sent is that
    named = any("pattern" in parameter.definition["schema"] for parameter in operation.path_parameters)
    return bool(operation.body or operation.query or named)


@pytest.mark.parametrize(("walks", "steps"), [(4, 8), pytest.param(400, 20, marks=pytest.mark.deep)])
def test_operations_that_follow_from_each_other_reply_as_described(
    served: Served, walks: int, steps: int, tmp_path: Path
) -> None:
    """Every walk begins in a store of its own: what can follow may not hang on the walks before."""
    served.operation("live").Case().call()  # which starts the app
    empty, numbers = tmp_path / "empty", count()
    assemble.open_store(settings_in(empty)).close()

    class Walk(served.schema.as_state_machine()):  # type: ignore[misc]
        def setup(self) -> None:
            home = tmp_path / f"walk-{next(numbers)}"
            shutil.copytree(empty, home)
            self.engine = served.move_to(settings_in(home, server=PATIENT))

        def teardown(self) -> None:
            self.engine.close()

        def call(self, case: Case, **_: Any) -> Response:
            return case.call(headers=served.headers)

        def validate_response(self, response: Response, case: Case, **_: Any) -> None:
            served.check(case, response)

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        Walk.run(settings=thorough(walks, stateful_step_count=steps))
    assert not [status for status in served.replies if status >= 500]
    assert served.replies[200]
    figure(PROMISE, f"{walks} walks along its links, {sum(served.replies.values())} requests", "0 × 5xx, 0 breaches")
