"""The demo as people read it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from rich.console import Group, RenderableType
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

from aim_memory.cli.views import ACCENT, milliseconds, pairs, who

if TYPE_CHECKING:
    from aim_memory.bodies import AnswerReply
    from aim_memory.cli.demo import Stop
    from aim_memory.examples import Question
    from aim_memory.transfer import Report

LOCAL_URL = "http://127.0.0.1:8765"
SHOWN_HITS = 2


def stop(shown: Stop) -> RenderableType:
    """What was asked, answered and quoted, and how the best memories were found."""
    reply = shown.reply
    parts: list[RenderableType] = [
        *(Text(f"before: {earlier}", style="dim") for earlier in shown.question.history),
        Text(shown.question.question, style="bold"),
        Text(f"→ {reply.answer}", style="yellow" if reply.abstained else "green"),
    ]
    if not reply.abstained:
        parts += [
            Text("\nquoted from", style=ACCENT),
            _sources(reply),
            Text("\nbest memories", style=ACCENT),
            _best(reply),
        ]
    parts.append(_verdict(shown))
    return Panel(Group(*parts), title=Text(shown.title, style="bold"), title_align="left", border_style=ACCENT)


def _sources(reply: AnswerReply) -> RenderableType:
    """Where each quote comes from, a line each."""
    by_id = {hit.id: hit for hit in reply.results}
    rows = _lines()
    for citation in reply.citations:
        hit = by_id.get(citation.memory_id)
        said = f"{who(hit.speaker, hit.role)}, {hit.timestamp:%-d %b %Y}  " if hit else ""
        rows.add_row(Text(f"“{citation.quote}”"), Text(f"{said}{citation.memory_id}", "dim"))
    return rows


def _best(reply: AnswerReply) -> RenderableType:
    """The best memories, and below each the parts of its score."""
    rows = _lines()
    for hit in reply.results[:SHOWN_HITS]:
        parts = sorted((hit.scores or {}).items(), key=lambda part: -abs(part[1]))
        told = " ".join(f"{name} {value:+.2f}" for name, value in parts if abs(value) >= 0.005)
        rows.add_row(Text(hit.text, "" if hit.current else "strike"), Text(hit.id, "dim"))
        rows.add_row(Text(f"  {hit.score:.2f} = {told}", "dim"))
    return rows


def _lines() -> Table:
    """Two columns without rules; where space is short, the first gives way."""
    rows = Table.grid(padding=(0, 2), expand=True)
    rows.add_column(no_wrap=True, overflow="ellipsis", ratio=1)
    rows.add_column(no_wrap=True)
    return rows


def _verdict(shown: Stop) -> Text:
    reply = shown.reply
    verdict = ("✓ right", "green") if shown.right else (_wrong(shown.question), "red")
    cost = f"  {reply.mode} mode · {_saved([shown])} · {milliseconds(reply.timings_ms):.0f} ms"
    return Text.assemble("\n", verdict, (cost, "dim"))


def _wrong(question: Question) -> str:
    alternatives = " or ".join(", ".join(parts) for parts in question.expect)
    return f"✗ wrong: expected {alternatives or 'no answer'}"


def end(url: str, home: Path, report: Report, stops: list[Stop], *, stays: bool) -> RenderableType:
    """What it came to, and where to go from here. ``stays``: the service is still there to be asked."""
    right = sum(shown.right for shown in stops)
    there = report.counts["unchanged"]
    came_to = {
        "answers": f"{right} of {len(stops)} right",
        "memories": f"{report.counts['created']:,} imported" + (f", {there:,} were there already" if there else ""),
        "tokens": _saved(stops),
    }
    ask = 'aimem answer "Which vet looks after Biscuit?" -n demo/ada'
    while_it_runs = {"open next": f"{url}/docs and {url}/status", "ask": f"{ask} --url {url}", "stop": "Ctrl-C"}
    afterwards = {"ask": f"{ask} --home {home}", "serve": f"aimem serve --home {home}, then open {LOCAL_URL}/docs"}
    where = {"data": f"{home} (delete the folder to start afresh)"}
    style = "green" if right == len(stops) else "red"
    rows = pairs({**came_to, **(while_it_runs if stays else afterwards), **where})
    return Panel(rows, title=Text("AIM-Memory", style="bold"), title_align="left", border_style=style)


def _saved(stops: list[Stop]) -> str:
    """Tokens of context against those of the whole conversation."""
    context = sum(shown.reply.tokens.context for shown in stops)
    whole = sum(shown.whole_tokens for shown in stops)
    return f"{context:,} tokens of context, not {whole:,} ({1 - context / whole:.0%} saved)"
