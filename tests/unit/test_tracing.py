"""Spans by the conventions' names, one within the other, and nothing in them that anybody said."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import AsyncGenerator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from opentelemetry import context as contexts
from opentelemetry import trace

from aim_memory import tracing
from aim_memory.api.workers import Workers
from aim_memory.clock import SystemClock
from aim_memory.engine.observing import Watch
from aim_memory.errors import StorageBusyError

ROOT = Path(__file__).resolve().parents[2]
NOW = datetime(2026, 3, 2, 9, tzinfo=UTC)


class FixedClock(SystemClock):
    def now(self) -> datetime:
        return NOW


@dataclass
class RecordedSpan(trace.NonRecordingSpan):
    """A span that keeps what it is told."""

    name: str
    parent: str | None
    began: int
    attributes: dict[str, Any] = field(default_factory=dict)
    ended: int | None = None
    failed: bool = False

    def set_attribute(self, key: str, value: Any) -> None:
        self.attributes[key] = value

    def set_status(self, status: Any, description: str | None = None) -> None:
        self.failed = True

    def get_span_context(self) -> trace.SpanContext:
        return trace.INVALID_SPAN_CONTEXT

    def is_recording(self) -> bool:
        return True

    def end(self, end_time: int | None = None) -> None:
        self.ended = end_time


class RecordingTracer(trace.NoOpTracer):
    def __init__(self) -> None:
        self.spans: list[RecordedSpan] = []

    def start_span(self, name: str, context: Any = None, *args: Any, **kwargs: Any) -> trace.Span:
        around = trace.get_current_span(context or contexts.get_current())
        parent = around.name if isinstance(around, RecordedSpan) else None
        span = RecordedSpan(name, parent, kwargs["start_time"], dict(kwargs.get("attributes") or {}))
        self.spans.append(span)
        return span


@pytest.fixture
def tracer() -> RecordingTracer:
    return RecordingTracer()


@pytest.fixture
def watch(tracer: RecordingTracer) -> Watch:
    watch = Watch()
    watch.add(tracing.Spans(tracer, FixedClock()))
    return watch


def test_without_the_sdk_nobody_watches_and_nothing_is_imported() -> None:
    """In a process of its own: what is imported is asked."""
    look = (
        "import sys; from aim_memory import tracing; from aim_memory.clock import SystemClock; "
        "found = tracing.observer(SystemClock(), '1.0'); tracing.caller({}).__enter__(); "
        "print(found, [name for name in sys.modules if name.startswith('opentelemetry')])"
    )
    seen = subprocess.run([sys.executable, "-c", look], cwd=ROOT, check=True, capture_output=True, text=True)
    assert seen.stdout.strip() == "None []"


def test_a_query_is_a_search_of_memory_with_its_steps(watch: Watch, tracer: RecordingTracer) -> None:
    counts, steps = {"records": 3, "scanned": 40}, {"embed": 2.0, "rank": 1.5}
    assert watch.over("query", lambda: "found", lambda _: (counts, steps)) == "found"
    search, embed, rank = tracer.spans
    assert (search.name, search.parent) == ("search_memory", None)
    assert search.attributes == {
        "gen_ai.operation.name": "search_memory",
        "gen_ai.provider.name": "aim_memory",
        "gen_ai.memory.record.count": 3,
        "aim_memory.scanned": 40,
    }
    assert (embed.name, embed.parent, embed.attributes) == (
        "embed",
        "search_memory",
        {"gen_ai.operation.name": "embeddings"},
    )
    assert (rank.parent, rank.began, rank.ended) == ("search_memory", embed.ended, search.ended)
    assert embed.ended is not None
    assert search.ended is not None
    assert (embed.ended - embed.began, search.ended - embed.ended) == (2_000_000, 1_500_000)
    assert search.ended > search.began == int(NOW.timestamp()) * 10**9


def test_what_fails_is_marked_with_its_code(watch: Watch, tracer: RecordingTracer) -> None:
    def busy() -> None:
        raise StorageBusyError("a secret")

    with pytest.raises(StorageBusyError):
        watch.over("write", busy)
    (span,) = tracer.spans
    assert (span.name, span.failed, span.attributes["error.type"]) == ("create_memory", True, "storage_busy")
    assert "secret" not in str(span)


@pytest.mark.anyio
async def test_a_stream_has_its_search_within_and_leaves_its_reader_outside(
    watch: Watch, tracer: RecordingTracer
) -> None:
    async def events() -> AsyncGenerator[int, None]:
        watch.over("query", lambda: None)
        for number in range(3):
            yield number

    async for _ in watch.streamed("chat", events(), lambda number: ({"degraded": 0}, {}) if number == 2 else None):
        assert trace.get_current_span() is trace.INVALID_SPAN
    chat, search = tracer.spans
    assert (chat.name, search.name, search.parent) == ("chat", "search_memory", "chat")
    assert (chat.failed, chat.attributes["aim_memory.degraded"]) == (False, 0)


@pytest.mark.anyio
async def test_a_stream_that_is_left_is_cancelled_unless_it_had_said_all(watch: Watch, tracer: RecordingTracer) -> None:
    async def events() -> AsyncGenerator[str, None]:
        yield "begun"
        yield "done"

    for last in ("begun", "done"):
        stream = watch.streamed("chat", events(), lambda event: ({"degraded": 0}, {}) if event == "done" else None)
        async for event in stream:
            if event == last:
                break
        await stream.aclose()
    cut, whole = tracer.spans
    assert cut.attributes["error.type"] == "cancelled"
    assert "error.type" not in whole.attributes


@pytest.mark.anyio
async def test_an_answer_that_is_awaited_is_seen_once(watch: Watch, tracer: RecordingTracer) -> None:
    async def answer() -> int:
        return 42

    assert await watch.awaited("answer", answer(), lambda _: ({"abstained": 1}, {"generate": 5.0})) == 42
    assert [(span.name, span.parent) for span in tracer.spans] == [("answer", None), ("generate", "answer")]


@pytest.mark.anyio
async def test_what_a_request_has_done_in_the_pool_belongs_to_its_trace(watch: Watch, tracer: RecordingTracer) -> None:
    workers = Workers(1, 0)
    with trace.use_span(tracer.start_span("request", start_time=0)):
        await workers.run(5.0, watch.over, "query", lambda: None)
    workers.close()
    assert [(span.name, span.parent) for span in tracer.spans] == [("request", None), ("search_memory", "request")]


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


def test_without_anybody_watching_calls_go_straight_through() -> None:
    async def events() -> AsyncGenerator[int, None]:
        yield 1

    watch, stream = Watch(), events()
    assert watch.streamed("chat", stream, lambda _: None) is stream
    assert watch.over("query", lambda: 7) == 7
