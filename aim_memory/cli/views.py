"""Replies as people read them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import TYPE_CHECKING

from rich import box
from rich.console import Group, RenderableType
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

if TYPE_CHECKING:
    from aim_memory.bodies import (
        AnswerReply,
        EraseReceipt,
        EvidenceReply,
        ExtractPreview,
        HistoryReply,
        Hit,
        MemoryPage,
        MemoryView,
        NamespacePage,
        QueryReply,
        SessionPage,
        SessionView,
        Tokens,
        VerifyReply,
        WriteReply,
    )
    from aim_memory.transfer import Report

ACCENT = "cyan"
OUTCOMES = ("valid", "created", "unchanged", "rejected")
MARKS = {"created": "[green]✓ created[/]", "unchanged": "[dim]= unchanged[/]", "rejected": "[red]✗ rejected[/]"}


def table(*columns: str, title: str | None = None) -> Table:
    made = Table(title=title, box=box.SIMPLE_HEAD, title_justify="left", header_style="bold", pad_edge=False)
    for column in columns:
        made.add_column(column, overflow="fold")
    return made


def pairs(rows: Mapping[str, object]) -> Table:
    """Names and values, one pair a line; values that are None are left out."""
    made = Table.grid(padding=(0, 2))
    made.add_column(style="dim", no_wrap=True)
    made.add_column(overflow="fold")
    for name, value in rows.items():
        if value is not None:
            made.add_row(name, value if isinstance(value, Text) else Text(str(value)))
    return made


def day(moment: datetime) -> str:
    return f"{moment:%Y-%m-%d %H:%M}"


def who(speaker: str | None, role: str | None) -> str:
    return speaker or role or "–"


def written(reply: WriteReply) -> RenderableType:
    rows = table("", "id", "notes")
    for result in reply.results:
        notes = [result.reason, *result.warnings, *(f"supersedes {old}" for old in result.supersedes)]
        rows.add_row(MARKS[result.status], Text(result.id), Text("; ".join(filter(None, notes))))
    return rows


# --- memories ------------------------------------------------------------------------------------------------------


def memories(page: MemoryPage) -> RenderableType:
    if not page.items:
        return Text("No memories here.", style="dim")
    rows = table("when", "who", "memory")
    for memory in page.items:
        rows.add_row(day(memory.timestamp), who(memory.speaker, memory.role), _told(memory.text, memory))
    if page.next_cursor is None:
        return rows
    return Group(rows, Text(f"More: --cursor {page.next_cursor}", style="dim"))


def _told(text: str, memory: MemoryView | Hit) -> Text:
    """The text, dimmed when something later replaced it, and the id below it."""
    told = Text(text, style="" if memory.current else "dim strike")
    if memory.superseded_by:
        told.append(f"\n→ replaced by {memory.superseded_by}", style="not strike yellow")
    return told.append(f"\n{memory.id}", style="not strike dim")


def memory(found: MemoryView) -> RenderableType:
    rows = pairs(
        {
            "id": found.id,
            "namespace": found.namespace,
            "session": found.session_id,
            "who": who(found.speaker, found.role),
            "when": day(found.timestamp),
            "version": found.version,
            "valid": _validity(found),
            "replaced by": found.superseded_by,
            "pinned": "yes" if found.pinned else None,
            "expires": day(found.expires_at) if found.expires_at else None,
            "source": found.source,
            "trust": found.trust,
            "metadata": found.metadata or None,
            "anchors": ", ".join(f"{anchor.text} ({anchor.kind})" for anchor in found.anchors) or None,
        }
    )
    return Group(Panel(Text(found.text), border_style=ACCENT), rows)


def _validity(found: MemoryView) -> str:
    until = f"until {day(found.valid_until)}" if found.valid_until else "to this day"
    return f"from {day(found.valid_from)} {until}"


# --- questions -----------------------------------------------------------------------------------------------------


def query(reply: QueryReply) -> RenderableType:
    if not reply.results:
        return Text("Nothing in memory bears on this.", style="dim")
    parts: list[RenderableType] = [hits(reply.results), Text(_work(reply), style="dim")]
    if reply.coverage.missing:
        parts.append(Text(f"Not found in memory: {', '.join(reply.coverage.missing)}", style="yellow"))
    return Group(*parts)


def hits(found: Sequence[Hit]) -> RenderableType:
    explained = any(hit.scores for hit in found)
    rows = table("score", "when", "who", "memory", *(["score parts"] if explained else []))
    for hit in found:
        parts = [scores(hit.scores or {})] if explained else []
        rows.add_row(f"{hit.score:.3f}", day(hit.timestamp), who(hit.speaker, hit.role), _told(hit.text, hit), *parts)
    return rows


def scores(parts: Mapping[str, float]) -> Text:
    """The parts that count, largest first."""
    ordered = sorted(parts.items(), key=lambda part: -abs(part[1]))
    return Text("\n".join(f"{name} {value:+.3f}" for name, value in ordered if abs(value) >= 0.0005), style="dim")


def tokens(count: Tokens) -> str:
    """What the context costs, and what it saves against the whole texts of the results."""
    if count.context >= count.full_text:
        return f"{count.context:,} tokens"
    return f"{count.context:,} of {count.full_text:,} tokens ({1 - count.context / count.full_text:.0%} saved)"


def milliseconds(timings: Mapping[str, float]) -> float:
    return timings.get("total", sum(timings.values()))


def _work(reply: QueryReply) -> str:
    scanned = f"{reply.work.scanned:,} of {reply.work.stored:,} vectors scanned"
    return f"{reply.mode} mode · {tokens(reply.tokens)} · {scanned} · {milliseconds(reply.timings_ms):.0f} ms"


def answer(reply: AnswerReply) -> RenderableType:
    style = "yellow" if reply.abstained else "green"
    notes = [reply.generator, f"{reply.mode} mode", tokens(reply.tokens)]
    parts: list[RenderableType] = [
        Panel(Text(reply.answer), border_style=style, subtitle=Text(" · ".join(notes), style="dim"))
    ]
    if reply.citations:
        parts.append(citations(reply))
    if reply.verification.unsupported:
        parts.append(Text(f"Not supported by memory: {', '.join(reply.verification.unsupported)}", style="yellow"))
    if reply.degraded:
        parts.append(Text("The generator did not answer; these are quotes from memory.", style="yellow"))
    return Group(*parts)


def citations(reply: AnswerReply) -> RenderableType:
    by_id = {hit.id: hit for hit in reply.results}
    rows = table("", "quote", "who", "when", "memory")
    for number, citation in enumerate(reply.citations, 1):
        hit = by_id.get(citation.memory_id)
        said = (who(hit.speaker, hit.role), day(hit.timestamp)) if hit else ("", "")
        rows.add_row(f"[{ACCENT}]\\[{number}][/]", Text(f"“{citation.quote}”"), *said, Text(citation.memory_id, "dim"))
    return rows


# --- places --------------------------------------------------------------------------------------------------------


def namespaces(page: NamespacePage) -> RenderableType:
    rows = table("namespace", "memories", "changes")
    for space in page.items:
        rows.add_row(Text(space.namespace), f"{space.memories:,}", f"{space.seq:,}")
    return rows if page.items else Text("No namespaces yet. Write something: aimem write --help", style="dim")


def sessions(page: SessionPage) -> RenderableType:
    rows = table("session", "turns", "inertia", "last question")
    for found in page.items:
        rows.add_row(Text(found.id), str(found.turns), f"{found.inertia:.2f}", Text(_last(found.recent)))
    return rows if page.items else Text("No sessions with a direction here.", style="dim")


def session(found: SessionView) -> RenderableType:
    asked = "\n".join(found.recent) or None
    return pairs({"session": found.id, "turns": found.turns, "inertia": f"{found.inertia:.2f}", "asked": asked})


def _last(items: Sequence[str]) -> str:
    return items[-1] if items else ""


def receipt(erased: EraseReceipt) -> RenderableType:
    counts = ", ".join(f"{count} {kind}" for kind, count in erased.erased.items())
    told = {"erased": counts or "nothing", "at": day(erased.erased_at), "by": erased.by, "promise": erased.statement}
    copies = {f"{what} last": how_long for what, how_long in erased.retention.items()}
    rows = pairs({**told, **copies, "receipt": erased.sha256})
    return Panel(rows, title=Text(erased.namespace), title_align="left", border_style="green")


def imported(report: Report) -> RenderableType:
    counts = {name: f"{report.counts[name]:,}" for name in OUTCOMES if report.counts[name]}
    into = {f"in {namespace}": f"{count:,}" for namespace, count in report.namespaces.items()}
    apart = {f"not taken: {reason}": f"{count:,}" for reason, count in report.left_out.most_common()}
    if not report.problems:
        return pairs({**counts, **into, **apart})
    rows = table("where", "why it was rejected")
    for problem in report.problems:
        rows.add_row(Text(problem.place or str(problem.line)), Text(problem.reason))
    return Group(pairs({**counts, **into, **apart}), rows)


def history(reply: HistoryReply) -> RenderableType:
    rows = table("version", "what", "when", "by", "text")
    for version in reply.versions:
        rows.add_row(str(version.version), version.kind, day(version.at), version.by or "", Text(version.text))
    return rows


def evidence(reply: EvidenceReply) -> RenderableType:
    original = Text(reply.original)
    original.stylize(f"bold {ACCENT}", reply.start, reply.end)
    return Panel(original, title=Text(reply.id), title_align="left", border_style=ACCENT)


def records(items: Sequence[Mapping[str, object]], nothing: str) -> RenderableType:
    if not items:
        return Text(nothing, style="dim")
    rows = table(*items[0])
    for item in items:
        rows.add_row(*(Text("" if value is None else str(value)) for value in item.values()))
    return rows


def extraction(found: ExtractPreview) -> RenderableType:
    """What a preview of extraction found."""
    rows = table("", "sentence", "why not")
    for item in (*found.items, *found.refused):
        rows.add_row(Text("✗" if item.reason else "✓"), Text(item.text), Text(item.reason or ""))
    read = f"{found.read:,} memories read of {found.waiting:,} that wait. Nothing was written."
    trouble = [Text(f"An answer could not be read: {why}", style="yellow") for why in found.unreadable]
    return Group(rows, *trouble, Text(read, style="dim"))


def flaws(found: VerifyReply, well: str) -> RenderableType:
    checked = Text(f"{sum(found.checked.values()):,} rows looked at.", style="dim")
    if found.sound:
        return Group(Text(f"✓ {well}", style="green"), checked)
    rows = table("", "where", "what is wrong", "what to do")
    for flaw in found.flaws:
        told = (f"{flaw.table} {flaw.where}", flaw.found, flaw.remedy)
        rows.add_row(Text(flaw.code, style="red"), *map(Text, told))
    return Group(rows, checked)
