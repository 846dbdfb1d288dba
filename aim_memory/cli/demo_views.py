"""The demo as people read it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from rich.console import Group, RenderableType
from rich.panel import Panel
from rich.text import Text

from aim_memory.cli.views import ACCENT, citations, hits, milliseconds, pairs, tokens

if TYPE_CHECKING:
    from aim_memory.cli.demo import Stop
    from aim_memory.examples import Question
    from aim_memory.transfer import Report

SHOWN_HITS = 2


def stop(shown: Stop) -> RenderableType:
    """What was asked, answered and quoted, and how the best memories were found."""
    reply = shown.reply
    parts: list[RenderableType] = [
        *(Text(f"before: {earlier}", style="dim") for earlier in shown.question.history),
        Text(shown.question.question, style="bold"),
        Text(f"→ {reply.answer}\n", style="yellow" if reply.abstained else "green"),
    ]
    if reply.citations:
        parts.append(citations(reply))
    if reply.results and not reply.abstained:
        parts.append(hits(reply.results[:SHOWN_HITS]))
    parts.append(_verdict(shown))
    return Panel(Group(*parts), title=Text(shown.title, style="bold"), title_align="left", border_style=ACCENT)


def _verdict(shown: Stop) -> Text:
    reply = shown.reply
    verdict = ("✓ right", "green") if shown.right else (_wrong(shown.question), "red")
    cost = f"  {reply.mode} mode · {tokens(reply.tokens)} · {milliseconds(reply.timings_ms):.0f} ms"
    return Text.assemble(verdict, (cost, "dim"))


def _wrong(question: Question) -> str:
    alternatives = " or ".join(", ".join(parts) for parts in question.expect)
    return f"✗ wrong: expected {alternatives or 'no answer'}"


def end(url: str, home: Path, report: Report, stops: list[Stop]) -> RenderableType:
    """What it came to, and where to go from here."""
    right = sum(shown.right for shown in stops)
    there = report.counts["unchanged"]
    rows = pairs(
        {
            "answers": f"{right} of {len(stops)} right",
            "memories": f"{report.counts['created']:,} imported" + (f", {there:,} were there already" if there else ""),
            "tokens": _saved(stops),
            "open next": f"{url}/docs and {url}/status",
            "ask": f'aimem answer "Which vet looks after Biscuit?" -n demo/ada --url {url}',
            "data": f"{home} (delete the folder to start afresh)",
        }
    )
    style = "green" if right == len(stops) else "red"
    return Panel(rows, title=Text("AIM-Memory", style="bold"), title_align="left", border_style=style)


def _saved(stops: list[Stop]) -> str:
    context = sum(shown.reply.tokens.context for shown in stops)
    full = sum(shown.reply.tokens.full_text for shown in stops)
    return f"{context:,} in contexts instead of {full:,} ({1 - context / max(full, 1):.0%} saved)"
