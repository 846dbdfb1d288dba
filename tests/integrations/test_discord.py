"""Discord's own library parses and dispatches recorded events to the bot; its HTTP API is a server on loopback."""

from __future__ import annotations

import asyncio
import json
import random
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("discord", reason="pip install 'aim-memory[discord]'")
from aiohttp import web
from aiohttp.test_utils import TestServer
from discord.http import Route

from aim_memory import AIMMemory
from aim_memory.chatbots import phrases
from aim_memory.chatbots.chatbot import Chatbot
from aim_memory.chatbots.discord import COMMANDS, DiscordBot, run
from aim_memory.errors import ConfigurationError
from tests.chatbots import discord_events as discord
from tests.chatbots.doubles import memory_in

pytestmark = pytest.mark.anyio


class DiscordApi:
    """As much of Discord's HTTP API as the bot calls, and what it was told."""

    def __init__(self) -> None:
        self.calls: list[tuple[str, str, dict[str, Any], bytes]] = []
        self.refused = False

    def app(self) -> web.Application:
        app = web.Application()
        app.router.add_route("*", "/{path:.*}", self._call)
        return app

    def said(self, ending: str = "/messages") -> list[dict[str, Any]]:
        return [fields for _, path, fields, _ in self.calls if path.endswith(ending)]

    async def _call(self, request: web.Request) -> web.Response:
        fields, file = await self._body(request)
        self.calls.append((request.method, request.path, fields, file))
        body = json.dumps(self._answer(request.path)).encode()
        status = 401 if self.refused else 200
        return web.Response(body=body, status=status, headers={"Content-Type": "application/json"})

    @staticmethod
    async def _body(request: web.Request) -> tuple[dict[str, Any], bytes]:
        if request.content_type == "application/json":
            found = await request.json()
            return found if isinstance(found, dict) else {"all": found}, b""
        if not request.content_type.startswith("multipart/"):
            return {}, b""
        parts = await request.post()
        files = [part.file.read() for part in parts.values() if isinstance(part, web.FileField)]
        return json.loads(str(parts["payload_json"])), b"".join(files)

    @staticmethod
    def _answer(path: str) -> Any:
        if path.endswith("/users/@me"):
            return discord.AIM
        if path.endswith("/oauth2/applications/@me"):
            return discord.APPLICATION
        if path.endswith("/commands"):
            return []
        if path.endswith("/callback"):
            reply = {"id": "1", "type": 2, "response_message_loading": True, "response_message_ephemeral": True}
            return {"interaction": reply, "resource": {"type": 5, "message": discord.message("", 1, discord.AIM)}}
        return discord.message("sent", 1, discord.AIM, discord.GENERAL)


class Guild:
    """A server of Discord's that sends events to the bot as its gateway would, after decoding."""

    def __init__(self, memory: AIMMemory, api: DiscordApi) -> None:
        self.memory, self.api = memory, api
        self.bot = DiscordBot(Chatbot(memory, "discord"))
        self._minute = 10_000

    async def start(self) -> None:
        await self.bot.login("token")
        self.bot._connection.user = self.bot.user  # as READY would
        await self.deliver("GUILD_CREATE", discord.guild())

    async def deliver(self, event: str, payload: dict[str, Any]) -> None:
        before = asyncio.all_tasks()
        self.bot._connection.parsers[event](payload)
        await asyncio.gather(*(asyncio.all_tasks() - before))

    async def say(self, said: dict[str, Any]) -> str | None:
        before = len(self.api.said())
        await self.deliver("MESSAGE_CREATE", said)
        replies = self.api.said()[before:]
        return str(replies[0]["content"]) if replies else None

    async def type(self, name: str, text: str | None = None, person: dict[str, Any] = discord.ADA) -> str:
        self._minute += 1
        await self.deliver("INTERACTION_CREATE", discord.slash(name, text, self._minute, person))
        assert self.api.said("/callback")[-1]["data"]["flags"] == 64  # ephemeral
        answer = self.api.said(f"/interaction-token-{self._minute}")[-1]
        assert answer["flags"] == 64
        return str(answer["content"])

    def kept(self, person: str = "1001") -> list[str]:
        views = self.memory.iterate(namespace=f"discord/{person}")
        return [view.text for view in views if view.source != "consent"]


@pytest.fixture
async def guild(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Guild]:
    api = DiscordApi()
    async with TestServer(api.app()) as server:
        monkeypatch.setattr(Route, "BASE", str(server.make_url("/api")))
        with memory_in(tmp_path) as memory:
            found = Guild(memory, api)
            async with found.bot:
                await found.start()
                yield found


async def test_from_the_first_word_to_the_last(guild: Guild) -> None:
    (registered,) = [found["all"] for found in guild.api.said("/commands")]
    assert {one["name"] for one in registered} == set(COMMANDS)
    assert await guild.say(discord.message("My dentist is Dr. Okafor.", 1)) == phrases.NOTICE
    assert await guild.type("agree") == phrases.AGREED
    assert await guild.say(discord.message("My dentist is Dr. Okafor.", 2)) == phrases.NOTED
    answer = await guild.say(discord.message("Who is my dentist?", 3))
    assert "Okafor" in str(answer)
    assert "2026-03-02" in str(answer)
    assert await guild.type("remember", "The launch is on 14 May.") == phrases.NOTED
    assert "14 May" in await guild.type("ask", "When is the launch?")
    assert "Okafor" in await guild.type("forget", "dentist")
    assert await guild.type("mydata") == phrases.my_data(4)
    assert any(b"Okafor" in file for *_, file in guild.api.calls)
    assert (await guild.type("forget", "everything")).startswith("Erased")
    assert guild.memory.namespaces().items == []


async def test_a_message_that_comes_again_is_one_memory(guild: Guild) -> None:
    await guild.type("agree")
    said = discord.message("My dentist is Dr. Okafor.", 1)
    assert [await guild.say(said) for _ in range(3)] == [phrases.NOTED, None, None]
    assert guild.kept() == ["My dentist is Dr. Okafor."]


async def test_edits_and_deletions_reach_the_memory(guild: Guild) -> None:
    await guild.type("agree")
    first, second, third = (
        discord.message(f"The launch is on {day} May.", day, channel=discord.GENERAL) for day in (1, 2, 3)
    )
    await guild.deliver("MESSAGE_UPDATE", discord.edited(first, "The launch is on 9 May.", after=2))
    await guild.say(first)
    await guild.deliver("MESSAGE_UPDATE", discord.edited(first, "The launch is on 8 May.", after=1))
    await guild.say(second)
    await guild.deliver("MESSAGE_UPDATE", discord.with_preview(second))
    await guild.say(third)
    assert guild.kept() == ["The launch is on 9 May.", "The launch is on 2 May.", "The launch is on 3 May."]
    await guild.deliver("MESSAGE_DELETE", discord.deleted(first))
    await guild.say(first)
    assert guild.kept() == ["The launch is on 2 May.", "The launch is on 3 May."]
    await guild.deliver("MESSAGE_DELETE_BULK", discord.deleted_all(second, third))
    assert guild.kept() == []


async def test_a_deletion_of_a_message_from_before_a_restart_finds_it(guild: Guild) -> None:
    await guild.type("agree")
    said = discord.message("I was here.", 1)
    await guild.say(said)
    guild.bot._connection._messages.clear()
    await guild.deliver("MESSAGE_DELETE", discord.deleted(said))
    assert guild.kept() == []


async def test_in_a_channel_who_agreed_is_heard_and_only_who_asks_is_answered(guild: Guild) -> None:
    await guild.type("agree")
    await guild.say(discord.message("My salary is 91,000 euros.", 1))
    general = discord.GENERAL
    assert await guild.say(discord.message("The launch is on 14 May.", 2, channel=general)) is None
    assert await guild.say(discord.message("Mine too.", 3, discord.BO, general)) is None
    assert guild.kept("1002") == []
    mention = f"<@{discord.BOT}>"
    assert "14 May" in str(await guild.say(discord.message(f"{mention} When is the launch?", 4, channel=general)))
    assert "91,000" not in str(await guild.say(discord.message(f"{mention} What is my salary?", 5, channel=general)))
    assert await guild.say(discord.message(f"{mention} When is it?", 6, discord.BO, general)) == phrases.NOTICE


async def test_what_nobody_said_is_not_kept_and_mentions_are_names(guild: Guild) -> None:
    await guild.type("agree")
    for said in (
        discord.message("beep", 1, discord.user("1001", "Ada", bot=True), discord.GENERAL),
        discord.message("hook", 2, channel=discord.GENERAL, webhook_id="500000000000000001"),
        discord.message("", 3, channel=discord.GENERAL, type=7),
        discord.message("my own words", 4, discord.AIM, discord.GENERAL),
    ):
        assert await guild.say(said) is None
    await guild.say(discord.message("Ask <@1002> about it.", 5, channel=discord.GENERAL))
    assert guild.kept() == ["Ask @Bo about it."]


async def test_quoted_words_call_nobody(guild: Guild) -> None:
    await guild.type("agree")
    await guild.say(discord.message("The word of the day is @everyone.", 1))
    await guild.say(discord.message("What is the word of the day?", 2))
    assert guild.api.said()[-1]["allowed_mentions"]["parse"] == []


async def test_a_token_that_discord_does_not_take_is_told(guild: Guild) -> None:
    guild.api.refused = True
    with pytest.raises(ConfigurationError, match="token"):
        await run(Chatbot(guild.memory, "discord"), "token")


async def test_a_thousand_events_again_and_out_of_order_are_one_memory_each(guild: Guild) -> None:
    chance = random.Random(13)
    people = [discord.user(str(3000 + number), f"P{number}") for number in range(10)]
    for person in people:
        await guild.type("agree", person=person)
    said = [
        discord.message(
            f"P{index % 10} keeps number {10_000 + index}.",
            100 + index,
            people[index % 10],
            chance.choice([discord.GENERAL, discord.OTHER, None]),
        )
        for index in range(1000)
    ]
    deliveries = said + chance.choices(said, k=500)
    chance.shuffle(deliveries)
    for one in deliveries:
        await guild.deliver("MESSAGE_CREATE", one)
    for person in people:
        wanted = sorted(one["content"] for one in said if one["author"] == person)
        assert sorted(guild.kept(person["id"])) == wanted
