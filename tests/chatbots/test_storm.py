"""Many people at once, every event twice and in any order: one memory each, with its last wording, and no leak."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Awaitable
from pathlib import Path

import pytest

from aim_memory.chatbots.chatbot import Chatbot
from aim_memory.chatbots.messages import Message
from tests.chatbots.doubles import memory_in, origin, said

PEOPLE = [f"p{number}" for number in range(8)]
ROOMS = ["dm", "general", "other"]


def storm(count: int, chance: random.Random) -> tuple[list[tuple[str, Message]], dict[str, set[str]]]:
    """Events (say, edit, delete) of so many messages, each delivered up to three times in any order, and what each
    person's memory must hold in the end."""
    events: list[tuple[str, Message]] = []
    wanted: dict[str, set[str]] = {person: set() for person in PEOPLE}
    for number in range(count):
        person, room = chance.choice(PEOPLE), chance.choice(ROOMS)
        where = origin(person, f"{room}-{person}" if room == "dm" else room, private=room == "dm")
        words = [f"{person} keeps number {10_000 + number}, wording {wording}." for wording in range(3)]
        fate = chance.random()
        events.append(("say", said(words[0], str(number), where, addressed=False)))
        if fate < 0.3:
            events += [("edit", said(words[wording], str(number), where, edited=wording)) for wording in (1, 2)]
        if 0.2 < fate < 0.4:
            events.append(("delete", said("", str(number), where)))
        else:
            wanted[person].add(words[2] if fate < 0.3 else words[0])
    events += chance.choices(events, k=len(events))
    chance.shuffle(events)
    return events, wanted


def act(bot: Chatbot, kind: str, message: Message) -> Awaitable[object]:
    match kind:
        case "say":
            return bot.hear(message)
        case "edit":
            return bot.change(message)
    return bot.remove(message.id, message.origin.namespace)


@pytest.mark.anyio
@pytest.mark.parametrize("anyio_backend", ["asyncio"])
@pytest.mark.parametrize("count", [60, pytest.param(1000, marks=pytest.mark.deep)])
async def test_every_message_is_one_memory_and_nobody_is_shown_another_s(count: int, tmp_path: Path) -> None:
    events, wanted = storm(count, random.Random(count))
    with memory_in(tmp_path) as memory:
        bot = Chatbot(memory, "test")
        for person in PEOPLE:
            await bot.command("agree", said("", "agree", origin(person)))
        for start in range(0, len(events), 50):
            await asyncio.gather(*(act(bot, *event) for event in events[start : start + 50]))
        for person in PEOPLE:
            views = [view for view in memory.iterate(namespace=f"test/{person}") if view.source != "consent"]
            assert sorted(view.text for view in views) == sorted(wanted[person])
            for number in (0, count // 2, count - 1):
                reply = await bot.command("ask", said(f"Who keeps number {10_000 + number}?", "ask", origin(person)))
                assert not any(f"{other} keeps" in reply.text for other in PEOPLE if other != person)
