"""``aimem doctor``: is everything there, and if not, what to do."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict
from typing import TYPE_CHECKING

import typer

from aim_memory.cli import output
from aim_memory.cli.command import Place, command
from aim_memory.errors import ConfigurationError

if TYPE_CHECKING:
    from aim_memory.cli.checks import Finding

app = typer.Typer()
MARKS = {"ok": "[green]✓[/]", "warning": "[yellow]![/]", "failed": "[red]✗[/]"}


@command(app, example="aimem doctor")
def doctor(place: Place) -> None:
    """Check this installation, or with --url the way to a server, and say how to mend what is broken."""
    findings = []
    with output.err().status("Looking …"):
        for finding in _findings(place):
            findings.append(finding)
            if not place.as_json:
                _tell(finding)
    healthy = all(finding.state != "failed" for finding in findings)
    if place.as_json:
        output.print_json({"healthy": healthy, "findings": [asdict(finding) for finding in findings]})
    if not healthy:
        raise typer.Exit(output.Exit.FAILURE)


def _findings(place: Place) -> Iterator[Finding]:
    from aim_memory.cli.checks import Finding, run_checks

    try:
        settings = place.settings
    except ConfigurationError as failure:
        yield Finding("settings", "failed", failure.message, "Correct or unset it, then: aimem config show")
        return
    yield from run_checks(settings)


def _tell(finding: Finding) -> None:
    from rich.text import Text

    line = Text.assemble(Text.from_markup(MARKS[finding.state]), f" {finding.name:<12} ", (finding.found, "dim"))
    if finding.fix:
        line.append(f"\n  → {finding.fix}", style="yellow")
    output.draw(line)
