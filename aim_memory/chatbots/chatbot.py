"""The chatbot behind every platform: it asks for consent, keeps what is said, answers, and obeys five commands.

Every message comes with the id that the platform gives it. However often and in whatever order it is delivered, it is
one memory; what was edited has its last wording, what was deleted stays away.
"""

from __future__ import annotations

import asyncio
import logging
import re
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import replace
from typing import cast
from weakref import WeakValueDictionary

from aim_memory.chatbots import phrases
from aim_memory.chatbots.messages import Attachment, Message, Origin, Reply
from aim_memory.chatbots.personal import ChatMemory, Kept, PersonalMemory, handle
from aim_memory.errors import AIMMemoryError
from aim_memory.integrations.memory import AsyncMemory, Memory, awaited
from aim_memory.text.questions import is_question
from aim_memory.transfer import export_line

log = logging.getLogger(__name__)
QUESTION_BYTES = 4 * 1024
"""What is longer is no question to a memory."""
RECENT = 10_000
_COMMAND = re.compile(r"\s*/(?P<name>[a-z]+)(?!\S)\s*(?P<words>.*)", re.DOTALL)
EVERYTHING = frozenset({"everything", "all", "全部", "一切"})


class Recent:
    """The last so many names."""

    def __init__(self, most: int = RECENT) -> None:
        self._names: OrderedDict[str, None] = OrderedDict()
        self._most = most

    def add(self, name: str) -> bool:
        """Whether it is new."""
        new = name not in self._names
        self._names[name] = None
        self._names.move_to_end(name)
        if len(self._names) > self._most:
            self._names.popitem(last=False)
        return new

    def __contains__(self, name: str) -> bool:
        return name in self._names


class Chatbot:
    """Hears messages and commands; each returns what to say, if anything.

    Args:
        memory: A ``Client``, an ``AsyncClient`` or an ``AIMMemory``.
        root: The namespace below which each person has one: ``slack``.
        consent: Whether a person has to agree before anything is kept.
    """

    def __init__(self, memory: Memory | AsyncMemory, root: str, *, consent: bool = True) -> None:
        self.root = root
        self._memory = cast(ChatMemory, awaited(memory))
        self._consent = consent
        self._gone = Recent()
        self._answered = Recent()
        self._locks: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()
        self._commands: Mapping[str, Callable[[Message], Awaitable[Reply]]] = {
            "agree": self._agree,
            "remember": self._remember,
            "ask": self._ask,
            "forget": self._forget,
            "mydata": self._my_data,
            "help": self._help,
            "start": self._help,
        }

    async def hear(self, message: Message) -> Reply | None:
        """Keeps what was said and answers it. A failing memory is told to who spoke to the bot."""
        try:
            return await (await self.take(message))
        except AIMMemoryError as failure:
            log.warning("A message could not be kept: %s", failure.code)
            return Reply(phrases.FAILED) if message.addressed else None

    async def take(self, message: Message) -> Awaitable[Reply | None]:
        """Keeps what was said, and returns what is left to do: the reply. For platforms that deliver again what was
        not taken. Raises what the memory raises."""
        if spelled := _COMMAND.match(message.text) if message.addressed else None:
            return self._obey(spelled["name"], replace(message, text=spelled["words"]))
        return self.respond(message, await self.keep(message))

    async def keep(self, message: Message) -> Kept:
        """Keeps what was said, if the person has agreed. Raises what the memory raises."""
        async with self._alone(message.origin):
            if not await self._may_keep(message.origin):
                return Kept("no consent")
            if self._name(message) in self._gone:
                return Kept("known")
            return await self._person(message.origin).keep(message)

    async def respond(self, message: Message, kept: Kept) -> Reply | None:
        """What to say to a message that was kept, or not kept, for the first time."""
        if not message.addressed or kept.status == "known" or not self._answered.add(self._name(message)):
            return None
        if kept.status == "no consent":
            return Reply(phrases.NOTICE)
        if kept.status == "refused" or not asks(kept.text):
            return Reply(phrases.noted(kept))
        try:
            reply = await self._person(message.origin).answer(kept.text, message.origin, apart_from=message.id)
        except AIMMemoryError as failure:
            log.warning("A question could not be answered: %s", failure.code)
            return Reply(phrases.ASK_FAILED)
        return Reply("\n".join(filter(None, (phrases.answered(reply), phrases.left_out(kept)))))

    async def change(self, message: Message) -> None:
        """A message got another wording. Raises what the memory raises."""
        async with self._alone(message.origin):
            if self._name(message) not in self._gone and await self._may_keep(message.origin):
                await self._person(message.origin).change(message)

    async def remove(self, message_id: str, namespace: str | None = None) -> None:
        """A message was deleted, whoever's it was where the platform does not say. Raises what the memory raises."""
        self._gone.add(f"{namespace or '*'} {message_id}")
        for owner in [namespace] if namespace else await self._people():
            async with self._alone_in(owner):
                await PersonalMemory(self._memory, owner).remove(message_id)

    async def command(self, name: str, message: Message) -> Reply:
        """Obeys a command; the message's text is what follows its name."""
        run = self._commands.get(name)
        if run is None:
            return Reply(phrases.UNKNOWN)
        try:
            return await run(message)
        except AIMMemoryError as failure:
            log.warning("The command %s failed: %s", name, failure.code)
            return Reply(phrases.FAILED if name == "remember" else phrases.ASK_FAILED)

    async def _obey(self, name: str, message: Message) -> Reply | None:
        """Obeys a command in a message, once: Slack delivers a message that mentions the bot twice."""
        return await self.command(name, message) if self._answered.add(self._name(message)) else None

    # --- the commands ----------------------------------------------------------------------------------------------

    async def _agree(self, message: Message) -> Reply:
        async with self._alone(message.origin):
            await self._person(message.origin).agree(phrases.TERMS, message.at)
        return Reply(phrases.AGREED)

    async def _remember(self, message: Message) -> Reply:
        if not message.text.strip():
            return Reply(phrases.NOTHING_TO_REMEMBER)
        kept = await self.keep(message)
        return Reply(phrases.NOTICE if kept.status == "no consent" else phrases.noted(kept))

    async def _ask(self, message: Message) -> Reply:
        if not message.text.strip():
            return Reply(phrases.NOTHING_TO_ASK)
        if not await self._may_keep(message.origin):
            return Reply(phrases.NOTICE)
        return Reply(phrases.answered(await self._person(message.origin).answer(message.text, message.origin)))

    async def _forget(self, message: Message) -> Reply:
        person, words = self._person(message.origin), message.text.strip()
        if not words:
            return Reply(phrases.NOTHING_TO_FORGET)
        if words.casefold() in EVERYTHING:
            async with self._alone(message.origin):
                return Reply(phrases.forgotten(await person.erase()))
        if words.startswith("#"):
            return Reply(await self._forget_named(person, words.removeprefix("#").strip().casefold()))
        hits = await person.matching(words, message.origin)
        return Reply(phrases.matches(hits) if hits else phrases.NOTHING_MATCHES)

    async def _forget_named(self, person: PersonalMemory, name: str) -> str:
        async for memory in person.everything():
            if handle(memory.id) == name:
                async with self._alone_in(person.namespace):
                    self._gone.add(f"{person.namespace} {_message_of(memory.metadata) or memory.id}")
                    await person.remove(memory.id)
                return f"Erased: #{name}."
        return phrases.NO_SUCH_NAME

    async def _my_data(self, message: Message) -> Reply:
        if not message.origin.private:
            return Reply(phrases.ONLY_IN_PRIVATE)
        lines = [export_line(memory) async for memory in self._person(message.origin).everything()]
        if not lines:
            return Reply(phrases.NOTHING_KEPT)
        return Reply(phrases.my_data(len(lines)), Attachment("mydata.jsonl", "".join(lines).encode()))

    async def _help(self, message: Message) -> Reply:
        return Reply(phrases.HELP if await self._may_keep(message.origin) else phrases.NOTICE)

    # --- parts -----------------------------------------------------------------------------------------------------

    def _person(self, origin: Origin) -> PersonalMemory:
        return PersonalMemory(self._memory, origin.namespace)

    async def _may_keep(self, origin: Origin) -> bool:
        return not self._consent or await self._person(origin).agreed()

    def _name(self, message: Message) -> str:
        anybodys = f"* {message.id}"
        return anybodys if anybodys in self._gone else f"{message.origin.namespace} {message.id}"

    def _alone(self, origin: Origin) -> asyncio.Lock:
        return self._alone_in(origin.namespace)

    def _alone_in(self, namespace: str) -> asyncio.Lock:
        """One thing at a time for each person, so that consent, edits and erasures come one after the other."""
        return self._locks.setdefault(namespace, asyncio.Lock())

    async def _people(self) -> list[str]:
        """The namespaces of everybody whom this bot knows."""
        found: list[str] = []
        cursor: str | None = None
        while True:
            page = await self._memory.namespaces(cursor=cursor, limit=200)
            found += [one.namespace for one in page.items if one.namespace.startswith(f"{self.root}/")]
            if (cursor := page.next_cursor) is None:
                return found


def asks(text: str) -> bool:
    """Whether a message wants an answer; a statement is only noted."""
    return len(text.encode()) <= QUESTION_BYTES and is_question(text)


def _message_of(metadata: Mapping[str, object]) -> str | None:
    said = metadata.get("chat")
    return str(said["message"]) if isinstance(said, dict) and "message" in said else None
