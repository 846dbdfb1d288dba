"""OpenTelemetry spans of the engine's verbs, named by its conventions for generative AI, without what was said.

The names are those of the conventions' memory spans, which are still in development: our own constants hold them.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager, nullcontext
from datetime import datetime
from typing import TYPE_CHECKING

from aim_memory.ports import Clock, Course, Observer
from aim_memory.types import Operation, Verb

if TYPE_CHECKING:
    from opentelemetry.trace import Span, Tracer

NAMES: Mapping[Verb, str] = {
    "write": "create_memory",
    "update": "update_memory",
    "delete": "delete_memory",
    "erase": "delete_memory_store",
    "query": "search_memory",
    "answer": "answer",
    "chat": "chat",
}
"""The conventions' name of each operation; they have none for an answer."""
STEPS = {"embed": "embeddings", "generate": "chat"}
"""The conventions' names of those steps that have one."""
_COUNTS = {
    "records": "gen_ai.memory.record.count",
    "prompt_tokens": "gen_ai.usage.input_tokens",
    "completion_tokens": "gen_ai.usage.output_tokens",
}


def observer(clock: Clock, version: str) -> Observer | None:
    """Makes spans where OpenTelemetry's SDK was set up in this process, as ``opentelemetry-instrument`` does from its
    variables (OTEL_*); otherwise None, and nothing is imported."""
    if "opentelemetry.sdk.trace" not in sys.modules:
        return None
    from opentelemetry import trace

    return Spans(trace.get_tracer("aim_memory", version), clock)


def caller(headers: Mapping[str, str]) -> AbstractContextManager[None]:
    """Around a request: what is traced within it belongs to the trace that its headers name (``traceparent``), unless
    somebody here has begun a span for the request already."""
    if "opentelemetry.sdk.trace" not in sys.modules:
        return nullcontext()
    return _continued(headers)


@contextmanager
def _continued(headers: Mapping[str, str]) -> Iterator[None]:
    from opentelemetry import context, propagate, trace

    if trace.get_current_span().get_span_context().is_valid:
        yield
        return
    token = context.attach(propagate.extract(headers))
    try:
        yield
    finally:
        context.detach(token)


class Spans(Observer):
    """A span per verb, and within it one per step."""

    def __init__(self, tracer: Tracer, clock: Clock) -> None:
        self._tracer = tracer
        self._clock = clock

    def began(self, verb: Verb) -> Course:
        began = self._clock.now()
        attributes = {"gen_ai.operation.name": NAMES[verb], "gen_ai.provider.name": "aim_memory"}
        span = self._tracer.start_span(NAMES[verb], attributes=attributes, start_time=_nanoseconds(began))
        return _Spanned(self._tracer, span, began)


class _Spanned(Course):
    def __init__(self, tracer: Tracer, span: Span, began: datetime) -> None:
        self._tracer = tracer
        self._span = span
        self._began = _nanoseconds(began)

    @contextmanager
    def inside(self) -> Iterator[None]:
        from opentelemetry import trace

        with trace.use_span(self._span, end_on_exit=False, record_exception=False, set_status_on_exception=False):
            yield

    def ended(self, operation: Operation) -> None:
        end = self._began + round(operation.took_s * 1e9)
        self._add_steps(operation.steps_ms, end)
        for name, count in operation.counts.items():
            self._span.set_attribute(_COUNTS.get(name, f"aim_memory.{name}"), count)
        if operation.error is not None:
            self._fail(operation.error)
        self._span.end(end)

    def _add_steps(self, steps_ms: Mapping[str, float], end: int) -> None:
        """As spans one after the other, the last to the end: how long each took is known, when it began is not."""
        from opentelemetry import trace

        within, at = trace.set_span_in_context(self._span), end - round(sum(steps_ms.values()) * 1e6)
        for name, took_ms in steps_ms.items():
            attributes = {"gen_ai.operation.name": STEPS[name]} if name in STEPS else None
            step = self._tracer.start_span(name, within, attributes=attributes, start_time=at)
            at += round(took_ms * 1e6)
            step.end(at)

    def _fail(self, code: str) -> None:
        from opentelemetry.trace import StatusCode

        self._span.set_attribute("error.type", code)
        self._span.set_status(StatusCode.ERROR)


def _nanoseconds(moment: datetime) -> int:
    return round(moment.timestamp() * 1e6) * 1000
