"""What this process has done and how it is, for Prometheus.

No label holds anything a caller can choose: routes by their templates, methods and errors from fixed lists, models by
the names that the settings give them. So figures tell nothing of anybody, and there are never more of them.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import Any, get_args

from prometheus_client import (
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    PlatformCollector,
    ProcessCollector,
    disable_created_metrics,
    generate_latest,
)
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from aim_memory.api.admission import Admission
from aim_memory.engine import MemoryEngine
from aim_memory.errors import AIMMemoryError
from aim_memory.ports import Course, Observer
from aim_memory.types import JobState, Operation, Verb

PROMETHEUS = "text/plain; version=0.0.4; charset=utf-8"
PREFIX = "aim_memory"
_BUCKETS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60)
"""Seconds: from a small query to a long answer."""
_METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
_JOBS: tuple[JobState, ...] = get_args(JobState)
disable_created_metrics()  # type: ignore[no-untyped-call]  # a line more per figure, for who restarts counters without restarting the process


class Metrics(Observer):
    """The figures of one app, in a registry of its own. Thread-safe."""

    def __init__(self) -> None:
        self._registry = CollectorRegistry()
        ProcessCollector(registry=self._registry)
        PlatformCollector(registry=self._registry)
        self._requests = self._histogram(
            "http_request_duration_seconds", "Requests, to the end of a stream.", ["route", "method", "status"]
        )
        self._operations = self._histogram(
            "operation_duration_seconds",
            "Verbs of the engine. A query is every retrieval, those within answers and chats too.",
            ["op", "outcome"],
        )
        self._rejected = self._counter("rejected", "Requests refused, by the code of the problem.", ["reason"])
        self._written = self._counter("written_memories", "Items of writes.", ["status"])
        self._scanned = self._counter("scanned_memories", "Memories that questions were compared with.")
        self._context = self._counter("context_tokens", "Tokens of the contexts that were made.")
        self._saved = self._counter("saved_tokens", "Tokens that whole texts in their place would have cost more.")
        self._degraded = self._counter("degraded_answers", "Replies without all that was wanted.", ["op"])
        self._abstained = self._counter("abstentions", "Answers that say they do not know.")
        lag = f"{PREFIX}_event_loop_lag_seconds"
        self._lag = Gauge(lag, "Of the event loop, when it was asked.", registry=self._registry)
        self._state: _State | None = None

    def _histogram(self, name: str, about: str, labels: list[str]) -> Histogram:
        return Histogram(f"{PREFIX}_{name}", about, labels, registry=self._registry, buckets=_BUCKETS)

    def _counter(self, name: str, about: str, labels: list[str] | None = None) -> Counter:
        return Counter(f"{PREFIX}_{name}", about, labels or [], registry=self._registry)

    def follow(self, engine: MemoryEngine, answers: Admission, file: Path | None = None) -> None:
        """Shows how an engine is, too, whenever it is asked; in the place of the one before.

        ``file``: the engine's store, where that is a file of ours.
        """
        if self._state is not None:
            self._registry.unregister(self._state)
        self._state = _State(engine, answers, file)
        self._registry.register(self._state)

    def note_lag(self, seconds: float) -> None:
        self._lag.set(seconds)

    def render(self) -> bytes:
        """All of it, in the text format; reads the store."""
        return generate_latest(self._registry)

    def count_request(self, route: str, method: str, status: int, code: str | None, took_s: float) -> None:
        named = method if method in _METHODS else "other"
        self._requests.labels(route, named, str(status)).observe(took_s)
        if code is not None:
            self._rejected.labels(code).inc()

    def began(self, verb: Verb) -> Course:
        return _Counted(self)

    def count(self, operation: Operation) -> None:
        counts = operation.counts
        self._operations.labels(operation.verb, operation.error or "ok").observe(operation.took_s)
        if operation.verb == "write":
            for status in ("created", "unchanged", "rejected"):
                self._written.labels(status).inc(counts.get(status, 0))
        elif operation.verb == "query":
            self._scanned.inc(counts.get("scanned", 0))
            self._context.inc(counts.get("context_tokens", 0))
            self._saved.inc(counts.get("saved_tokens", 0))
        self._abstained.inc(counts.get("abstained", 0))
        if counts.get("degraded"):
            self._degraded.labels(operation.verb).inc()


class _Counted(Course):
    def __init__(self, metrics: Metrics) -> None:
        self._metrics = metrics

    def inside(self) -> AbstractContextManager[None]:
        return nullcontext()

    def ended(self, operation: Operation) -> None:
        self._metrics.count(operation)


class _State(Collector):
    """How an engine is at the moment it is asked."""

    def __init__(self, engine: MemoryEngine, answers: Admission, file: Path | None) -> None:
        self._engine = engine
        self._answers = answers
        self._file = file

    def describe(self) -> Iterator[Metric]:
        """Nothing: registering must not ask the engine."""
        return iter(())

    def collect(self) -> Iterator[Metric]:
        try:
            figures = self._engine.figures()
        except AIMMemoryError:
            yield _gauge("store_up", "Whether the store answers.", 0)
            return
        yield _gauge("store_up", "Whether the store answers.", 1)
        store, indexes, waiting = figures["store"], figures["indexes"], self._answers.figures()
        yield _gauge("memories", "Memories stored, of all tenants.", store["memories"])
        yield _gauge("namespaces", "Namespaces, of all tenants.", store["namespaces"])
        yield _gauge("pending_vectors", "Memories that wait for vectors.", figures["pending"])
        yield _gauge("pending_oldest_seconds", "How long the oldest of them has waited.", figures["longest_wait_s"])
        yield _gauge("embedder_up", "Whether the embedder answered when last asked.", figures["embedder_up"])
        yield from _on_disk(self._file)
        yield _labelled(
            "jobs", "Jobs of the store.", "state", {state: figures["jobs"].get(state, 0) for state in _JOBS}
        )
        if indexes:
            residency = {state: indexes[state] for state in ("hot", "warm")}
            yield _labelled("indexes", "Indexes of namespaces in memory.", "state", residency)
            yield _gauge("index_bytes", "Bytes of the indexes in memory, about.", indexes["nbytes"])
            yield _gauge("index_drift", "Memories by which an index differed from its store; 0.", indexes["drift"])
        yield _gauge("answers_inside", "Answers being made.", waiting["inside"])
        yield _gauge("answers_waiting", "Answers waiting for their turn.", waiting["waiting"])
        yield _gauge("chats_waiting", "Turns of chats to be remembered.", figures["chats"]["waiting"])
        if "commits" in store:
            yield _total("commits", "Commits of the store.", store["commits"])
            yield _total("committed_units", "Writes in them; over commits, the size of a group.", store["units"])
        yield from _targets(figures["targets"])


def _on_disk(file: Path | None) -> Iterator[Metric]:
    if file is None:
        return
    log = file.with_name(f"{file.name}-wal")
    yield _gauge("disk_free_bytes", "Free where the store lies.", shutil.disk_usage(file.parent).free)
    yield _gauge("wal_bytes", "Of the store's write-ahead log.", log.stat().st_size if log.exists() else 0)


def _targets(targets: dict[str, Any]) -> Iterator[Metric]:
    """Of the language models."""
    up = GaugeMetricFamily(f"{PREFIX}_generator_up", "Whether a model is asked: its breaker.", labels=["target"])
    calls = CounterMetricFamily(f"{PREFIX}_generator_calls", "Calls of a model.", labels=["target", "outcome"])
    tokens = CounterMetricFamily(f"{PREFIX}_generator_tokens", "As the model counts them.", labels=["target", "kind"])
    for name, own in targets.items():
        failures, cancelled = int(own["failures"]), int(own["cancelled"])
        up.add_metric([name], float(own["breaker"] != "open"))
        calls.add_metric([name, "ok"], int(own["calls"]) - failures - cancelled)
        calls.add_metric([name, "failed"], failures)
        calls.add_metric([name, "cancelled"], cancelled)
        tokens.add_metric([name, "prompt"], int(own["prompt_tokens"]))
        tokens.add_metric([name, "completion"], int(own["completion_tokens"]))
    yield from (up, calls, tokens)


def _gauge(name: str, about: str, value: float) -> Metric:
    return GaugeMetricFamily(f"{PREFIX}_{name}", about, value)


def _total(name: str, about: str, value: float) -> Metric:
    return CounterMetricFamily(f"{PREFIX}_{name}", about, value)


def _labelled(name: str, about: str, label: str, values: Mapping[str, float]) -> Metric:
    family = GaugeMetricFamily(f"{PREFIX}_{name}", about, labels=[label])
    for value, amount in values.items():
        family.add_metric([value], amount)
    return family
