"""Commands that ask: query, answer."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, Any

import typer

from aim_memory.cli.arguments import DEFAULT_NAMESPACE, Filters, Namespace, Session, json_object
from aim_memory.cli.command import Place, command

app = typer.Typer()


class ModeName(StrEnum):
    AUTO = "auto"
    FAST = "fast"
    STRICT = "strict"


Question = Annotated[str, typer.Argument(help="The question.")]
TopK = Annotated[int, typer.Option("--top-k", "-k", help="How many memories.")]
HowStrict = Annotated[ModeName, typer.Option("--mode", help="strict: numbers, dates and names have the last word.")]
AsOf = Annotated[str | None, typer.Option(help="What was true then, ISO 8601.")]
KnownAt = Annotated[str | None, typer.Option(help="What had been told by then, ISO 8601.")]
Today = Annotated[str | None, typer.Option("--reference-date", help="What today means in the question, ISO 8601.")]
Budget = Annotated[int | None, typer.Option("--max-tokens", help="Budget of the context.")]
Explain = Annotated[bool, typer.Option("--explain", help="Show the parts of the scores.")]


@command(app, example='aimem query "Who is my dentist?" -n user/ada --explain')
def query(
    place: Place,
    question: Question,
    namespace: Namespace = DEFAULT_NAMESPACE,
    session: Session = None,
    top_k: TopK = 10,
    mode: HowStrict = ModeName.AUTO,
    filters: Filters = None,
    as_of: AsOf = None,
    known_at: KnownAt = None,
    reference_date: Today = None,
    max_tokens: Budget = None,
    explain: Explain = False,
) -> None:
    """Find the memories that bear on a question, best first."""
    from aim_memory.cli import views

    asked = _asked(session, top_k, mode, filters, as_of, known_at, reference_date, max_tokens, explain)
    with place.memory() as memory:
        reply = memory.query(question, namespace=namespace, **asked)
    place.show(reply, lambda: views.query(reply))


@command(app, example='aimem answer "Who is my dentist?" -n user/ada')
def answer(
    place: Place,
    question: Question,
    namespace: Namespace = DEFAULT_NAMESPACE,
    session: Session = None,
    top_k: TopK = 10,
    mode: HowStrict = ModeName.AUTO,
    filters: Filters = None,
    as_of: AsOf = None,
    known_at: KnownAt = None,
    reference_date: Today = None,
    max_tokens: Budget = None,
    explain: Explain = False,
    remember: Annotated[bool, typer.Option("--remember", help="Remember question and answer.")] = False,
    generator: Annotated[str | None, typer.Option(help="Which generator answers.")] = None,
) -> None:
    """Answer a question from memory, with quotes, or say that memory holds no answer."""
    from aim_memory.cli import views

    asked = _asked(session, top_k, mode, filters, as_of, known_at, reference_date, max_tokens, explain)
    with place.memory() as memory:
        reply = memory.answer(question, namespace=namespace, remember=remember, generator=generator, **asked)
    place.show(reply, lambda: views.answer(reply))


def _asked(
    session: str | None,
    top_k: int,
    mode: ModeName,
    filters: str | None,
    as_of: str | None,
    known_at: str | None,
    reference_date: str | None,
    max_tokens: int | None,
    explain: bool,
) -> dict[str, Any]:
    return {
        "session_id": session,
        "top_k": top_k,
        "mode": mode.value,
        "filters": json_object(filters, "--filter"),
        "as_of": as_of,
        "known_at": known_at,
        "reference_date": reference_date,
        "max_tokens": max_tokens,
        "explain": explain,
    }
