"""What ``aimem doctor`` looks at: a file for each part, one function per question, each with what to do when the answer
is no. Nothing is changed by looking, but that a folder and a store are made where there were none."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from aim_memory.cli.checks.findings import Check, Finding

if TYPE_CHECKING:
    from aim_memory.settings import Settings

__all__ = ["Finding", "run_checks"]


def run_checks(settings: Settings) -> Iterator[Finding]:
    """All findings, one by one, cheap ones first. With a server set, only the way to it is looked at."""
    from aim_memory.cli.checks.machine import machine_findings

    yield from machine_findings(settings)
    for check in _way() if settings.url else _here(settings):
        yield from check(settings)


def _way() -> Iterator[Check]:
    from aim_memory.cli.checks.way import way_findings

    yield way_findings


def _here(settings: Settings) -> Iterator[Check]:
    from aim_memory.cli.checks.folder import folder_findings
    from aim_memory.cli.checks.models import embedder_findings, generator_findings
    from aim_memory.cli.checks.service import service_findings
    from aim_memory.cli.checks.store import store_findings

    yield from (folder_findings, store_findings, embedder_findings, service_findings, generator_findings)
    if settings.generator.kind == "vllm":
        from aim_memory.cli.checks.model_server import model_server_findings

        yield model_server_findings
