"""``aimem demo``: the real service on example conversations, asked a few questions over HTTP, in about a minute."""

from __future__ import annotations

import signal
import sys
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, NoReturn

import typer

from aim_memory.cli import output
from aim_memory.cli.command import Place, command
from aim_memory.cli.transferring import import_into, progress
from aim_memory.errors import AIMMemoryError, ConfigurationError

if TYPE_CHECKING:
    from aim_memory.bodies import AnswerReply
    from aim_memory.cli.local_server import LocalServer
    from aim_memory.client import Client
    from aim_memory.examples import Question
    from aim_memory.transfer import Report

app = typer.Typer()

TOUR = (
    ("An exact figure, asked for in other words", "q-ada-17"),
    ("A fact that changed since", "q-ada-01"),
    ("In Chinese", "q-lin-08"),
    ("A follow-up: “there” is the holiday asked for before", "q-ada-08"),
    ("Something that memory does not hold", "q-ada-10"),
)
"""What each question shows, and which of ``examples/questions.jsonl`` it is."""


@dataclass(frozen=True, slots=True)
class Stop:
    """One question of the tour, asked."""

    title: str
    question: Question
    reply: AnswerReply
    right: bool
    whole_tokens: int
    """What the whole conversation would cost as context."""


@command(app, example="aimem demo --once")
def demo(
    place: Place,
    examples: Annotated[Path | None, typer.Option(help="Folder of the example conversations.")] = None,
    once: Annotated[bool, typer.Option("--once", help="Stop the service after the questions.")] = False,
    port: Annotated[int, typer.Option(min=0, max=65535, help="Where to serve; 0 finds a free port.")] = 0,
) -> None:
    """Start the service, import example conversations, and ask a few questions over HTTP.

    The service stays up until Ctrl-C, unless --once is given or nobody is watching. The exit code is 1 if an answer
    is wrong.
    """
    from aim_memory.cli.local_server import LocalServer
    from aim_memory.examples import find_examples

    folder = find_examples(examples)
    home = place.local("aimem demo").home / "demo"
    with _leaving_in_order(), LocalServer(home, port) as server, _pointing_at(server.log):
        with output.err().status("Starting the service …"):
            server.wait_until_ready()
        with server.client() as client:
            report = _import(client, folder / "conversations.jsonl")
            stops = list(_tour(place, client, folder))
        stays = not once and not place.as_json and sys.stdout.isatty()
        _tell(place, server, report, stops, stays)
        if stays:
            _stay(server)
    if not all(stop.right for stop in stops):
        raise typer.Exit(output.Exit.FAILURE)


def _tour(place: Place, client: Client, folder: Path) -> Iterator[Stop]:
    """The questions, each shown as soon as it is answered."""
    from aim_memory.cli import demo_views
    from aim_memory.examples import read_questions

    questions = read_questions(folder / "questions.jsonl")
    whole = _tokens(folder / "conversations.jsonl")
    for title, name in TOUR:
        question = questions[name]
        stop = _ask(client, title, question, whole[question.namespace])
        if not place.as_json:
            output.draw(demo_views.stop(stop))
        yield stop


def _import(client: Client, file: Path) -> Report:
    from aim_memory.transfer import read_entries

    with file.open("rb") as lines, progress("Importing conversations", file.stat().st_size) as advance:
        report = import_into(client, read_entries(lines), lambda done: advance(lines.tell(), done))
    if report.problems:
        first = report.problems[0]
        raise ConfigurationError(f"{file}, line {first.line}: {first.reason}. Fetch the examples again.")
    return report


def _tokens(file: Path) -> Counter[str]:
    """What each conversation would cost as context, by namespace."""
    from aim_memory.evidence.tokens import count_tokens
    from aim_memory.transfer import Entry, read_entries

    counts: Counter[str] = Counter()
    with file.open("rb") as lines:
        for entry in read_entries(lines):
            if isinstance(entry, Entry):
                counts[entry.namespace] += count_tokens(f"{entry.item.speaker}: {entry.item.text}\n")
    return counts


def _ask(client: Client, title: str, question: Question, whole_tokens: int) -> Stop:
    """Asks and judges. What the question leans on is asked first, in the same session."""
    session = f"demo-{question.id}"
    client.reset_session(session, namespace=question.namespace)
    for earlier in question.history:
        client.answer(earlier, namespace=question.namespace, session_id=session)
    reply = client.answer(question.question, namespace=question.namespace, session_id=session, explain=True)
    right = question.is_answered_by(reply.answer, abstained=reply.abstained)
    return Stop(title, question, reply, right, whole_tokens)


def _tell(place: Place, server: LocalServer, report: Report, stops: list[Stop], stays: bool) -> None:
    """What it came to, and where to go from here."""
    from aim_memory.cli import demo_views

    if not place.as_json:
        output.draw(demo_views.end(server.url, server.home, report, stops, stays=stays))
        return
    answers = [{"id": stop.question.id, "right": stop.right, **stop.reply.model_dump(mode="json")} for stop in stops]
    output.print_json({"url": server.url, "home": str(server.home), "imported": report.counts, "answers": answers})


@contextmanager
def _pointing_at(log: Path) -> Iterator[None]:
    """Says where the server wrote down its side of a failure."""
    try:
        yield
    except AIMMemoryError:
        output.say(f"The service's own words are in {log}")
        raise


@contextmanager
def _leaving_in_order() -> Iterator[None]:
    """Makes SIGTERM an exception, so that the server is stopped on the way out."""
    before = signal.signal(signal.SIGTERM, _leave)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


def _leave(number: int, _: object) -> NoReturn:
    raise SystemExit(128 + number)


def _stay(server: LocalServer) -> None:
    output.say("The service is running. Ctrl-C stops it; what it remembers stays.")
    try:
        server.wait()
    except KeyboardInterrupt:
        output.say("Stopping.")
