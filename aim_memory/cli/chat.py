"""``aimem chat``: a conversation with a memory in the terminal."""

from __future__ import annotations

import sys
from collections.abc import Callable, Coroutine, Iterator
from contextlib import closing, suppress
from secrets import token_hex
from typing import TYPE_CHECKING, Annotated, Any, TypeVar, cast

import typer

from aim_memory.cli import output
from aim_memory.cli.arguments import DEFAULT_NAMESPACE, Namespace
from aim_memory.cli.command import Place, command

if TYPE_CHECKING:
    from aim_memory.bodies import AnswerReply
    from aim_memory.chatbots.messages import Message, Reply
    from aim_memory.cli.command import Memory

T = TypeVar("T")
app = typer.Typer()
MOST_SHOWN = 20
PROMPT = "› "
HELP = (
    "Say something and it is kept; ask something and it is answered from what you said.\n"
    "/remember TEXT · /ask QUESTION · /used shows the memories behind the last answer · "
    "/forget WORDS, #NAME or everything · /mydata · /quit. Ctrl-C stops an answer."
)


@command(app, example="aimem chat -n user/ada")
def chat(
    place: Place,
    namespace: Namespace = DEFAULT_NAMESPACE,
    session: Annotated[str | None, typer.Option("--session", "-s", help="The conversation; a new one.")] = None,
    generator: Annotated[str | None, typer.Option(help="Which generator answers.")] = None,
) -> None:
    """Talk to a memory: what you say is kept, what you ask is answered with quotes. With --json, a reply a line.

    Keys, passwords and card numbers are taken out before anything is kept. Lines may also come from a pipe.
    """
    with place.memory() as memory:
        talk = Conversation(memory, namespace, session or f"chat-{token_hex(4)}", generator, as_json=place.as_json)
        if not place.as_json:
            output.say(f"This is {namespace}. {HELP}")
        for line in _lines():
            if line in {"/quit", "/exit"}:
                return
            talk.hear(line)


class Conversation:
    """One conversation: each line is kept, answered, or obeyed."""

    def __init__(
        self, memory: Memory, namespace: str, session: str, generator: str | None, *, as_json: bool = False
    ) -> None:
        from aim_memory.chatbots.chatbot import Chatbot
        from aim_memory.chatbots.messages import Origin

        self._memory = memory
        self._generator = generator
        self._as_json = as_json
        self._origin = Origin(namespace, "terminal", session, private=True)
        self._bot = Chatbot(memory, namespace, consent=False)
        self._last: AnswerReply | None = None

    def hear(self, line: str) -> None:
        """Does what a line asks for; what goes wrong is told, and the conversation goes on."""
        from aim_memory.errors import AIMMemoryError

        name, _, words = line.partition(" ")
        try:
            if name == "/used":
                self._show_used()
            elif name == "/ask" and words.strip():
                self._answer(words, None)
            elif name.startswith("/"):
                self._obey(name.removeprefix("/"), words)
            else:
                self._keep(line)
        except AIMMemoryError as failure:
            output.say(f"✗ {failure.message}")

    def _keep(self, line: str) -> None:
        from aim_memory.chatbots import phrases
        from aim_memory.chatbots.chatbot import asks

        message = self._message(line)
        kept = _awaited(self._bot.keep(message))
        if kept.status == "new" and asks(kept.text):
            self._answer(kept.text, message.id)
            self._say(phrases.left_out(kept))
        else:
            self._say(phrases.noted(kept))

    def _obey(self, name: str, words: str) -> None:
        from aim_memory.chatbots import phrases

        reply = _awaited(self._bot.command(name, self._message(words)))
        if name in {"help", "start"} or reply.text == phrases.UNKNOWN:
            self._say(HELP)
            return
        self._say(reply.text)
        self._show_attachment(reply)

    def _answer(self, question: str, apart_from: str | None) -> None:
        """Shows the answer while it is made; Ctrl-C stops it."""
        from aim_memory.chatbots.personal import readable
        from aim_memory.chatbots.redaction import redact

        asked: dict[str, Any] = {"generator": self._generator} if self._generator else {}
        events = self._memory.stream_answer(
            redact(question).text,
            namespace=self._origin.namespace,
            session_id=self._origin.session,
            filters=readable(self._origin, apart_from),
            **asked,
        )
        shown = ""
        with closing(cast(Any, events)):  # which cancels what is not finished
            try:
                for event in events:
                    if event.event == "delta":
                        shown += str(event.body["text"])
                        self._write(str(event.body["text"]))
                    elif event.event == "done":
                        self._finish(event.body, shown)
            except KeyboardInterrupt:
                self._write("\n")
                output.say("Stopped.")

    def _finish(self, body: dict[str, Any], shown: str) -> None:
        from aim_memory.bodies import AnswerReply

        reply = self._last = AnswerReply.model_validate(body)
        if self._as_json:
            _print_line(body)
            return
        self._write("\n")
        if reply.answer != shown:  # checked against the memories, it was marked, replaced by quotes, or withdrawn
            output.out().print(reply.answer, markup=False)
        for line in _footnotes(reply):
            output.out().print(line, markup=False, style="cyan")
        if reply.verification.unsupported:
            output.say(f"Not supported by memory: {', '.join(reply.verification.unsupported)}")
        if reply.degraded:
            output.say("The generator did not answer; these are quotes from memory.")
        used = len({citation.memory_id for citation in reply.citations})
        output.say(f"{used} of {len(reply.results)} memories found are quoted ({reply.generator}); /used shows them.")

    def _show_used(self) -> None:
        from aim_memory.cli import views

        if self._last is None:
            output.say("Nothing was asked yet.")
        elif self._as_json:
            _print_line({"results": [hit.model_dump(mode="json") for hit in self._last.results]})
        else:
            output.draw(views.hits(self._last.results))

    def _show_attachment(self, reply: Reply) -> None:
        if reply.attachment is None:
            return
        lines = reply.attachment.content.decode().splitlines()
        for line in lines if self._as_json else lines[:MOST_SHOWN]:
            self._write(f"{line}\n", always=True)
        if len(lines) > MOST_SHOWN and not self._as_json:
            output.say(f"… {len(lines) - MOST_SHOWN:,} more: aimem export all.jsonl -n {self._origin.namespace}")

    def _message(self, text: str) -> Message:
        from aim_memory.chatbots.messages import Message

        return Message(f"chat:{token_hex(12)}", self._origin, text.strip())

    def _say(self, text: str) -> None:
        if text and self._as_json:
            _print_line({"said": text})
        elif text:
            output.out().print(text, markup=False, style="dim")

    def _write(self, text: str, *, always: bool = False) -> None:
        """As it comes, without the wrapping that would wait for the end of a line."""
        if always or not self._as_json:
            sys.stdout.write(text)
            sys.stdout.flush()


def _footnotes(reply: AnswerReply) -> Iterator[str]:
    """What the answer rests on: when it was said, its words, and its name for /forget."""
    from aim_memory.chatbots.personal import handle
    from aim_memory.cli import views

    times = {hit.id: views.day(hit.timestamp) for hit in reply.results}
    for number, cited in enumerate(reply.citations, 1):
        yield f"[{number}] {times.get(cited.memory_id, '')} “{cited.quote}” #{handle(cited.memory_id)}"


def _lines() -> Iterator[str]:
    """What is typed, a line at a time, until its end; empty lines are passed over."""
    ask: Callable[[], str] = _prompted() if sys.stdin.isatty() else lambda: input()
    while True:
        try:
            line = ask().strip()
        except EOFError:
            return
        except KeyboardInterrupt:
            output.say("(Ctrl-D or /quit leaves.)")
            continue
        if line:
            yield line


def _prompted() -> Callable[[], str]:
    """Input with a line that can be edited and a history, where the system has readline."""
    with suppress(ImportError):
        import readline  # noqa: F401  input() uses it once it is there
    return lambda: input(PROMPT)


def _print_line(value: Any) -> None:
    import json

    sys.stdout.write(json.dumps(value, ensure_ascii=False, default=str) + "\n")
    sys.stdout.flush()


def _awaited(work: Coroutine[Any, Any, T]) -> T:
    import asyncio  # not by whoever lists the commands

    return asyncio.run(work)
