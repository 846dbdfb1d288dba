"""Telegram's own library takes recorded updates to the bot; its Bot API is a double below its own HTTP seam."""

from __future__ import annotations

import asyncio
import json
import random
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("telegram", reason="pip install 'aim-memory[telegram]'")
from telegram import Update
from telegram.request import BaseRequest, RequestData

from aim_memory import AIMMemory
from aim_memory.chatbots import phrases
from aim_memory.chatbots.chatbot import Chatbot
from aim_memory.chatbots.telegram import application_of, run
from aim_memory.errors import ConfigurationError, ConnectionFailedError
from tests.chatbots import telegram_updates as telegram
from tests.chatbots.doubles import memory_in

pytestmark = pytest.mark.anyio


class BotApi(BaseRequest):
    """As much of the Bot API as the bot calls, and what it was told."""

    def __init__(self) -> None:
        self.calls: list[tuple[str, dict[str, Any]]] = []
        self.refusal = 0
        self.waiting: list[dict[str, Any]] = []
        self.polled = asyncio.Event()

    @property
    def read_timeout(self) -> float | None:
        return None

    async def initialize(self) -> None:
        pass

    async def shutdown(self) -> None:
        pass

    async def do_request(
        self, url: str, method: str, request_data: RequestData | None = None, *_: Any, **__: Any
    ) -> tuple[int, bytes]:
        name = url.rpartition("/")[2]
        fields = dict(request_data.parameters) if request_data else {}
        if request_data and request_data.multipart_data:
            fields["files"] = request_data.multipart_data
        self.calls.append((name, fields))
        if self.refusal:
            return self.refusal, json.dumps({"ok": False, "error_code": self.refusal, "description": "no"}).encode()
        if name == "getUpdates":
            return 200, json.dumps({"ok": True, "result": await self._updates(fields)}).encode()
        if name == "deleteWebhook":
            return 200, b'{"ok": true, "result": true}'
        answer = telegram.BOT if name == "getMe" else telegram.message("sent", 5000, telegram.BOT, telegram.GROUP)
        return 200, json.dumps({"ok": True, "result": answer}).encode()

    async def _updates(self, fields: dict[str, Any]) -> list[dict[str, Any]]:
        """What waits from the offset on; without any the poll stays open."""
        left = [update for update in self.waiting if update["update_id"] >= int(fields.get("offset", 0))]
        if not left and fields.get("timeout"):
            self.polled.set()
            await asyncio.Event().wait()
        return left

    def said(self, name: str = "sendMessage") -> list[dict[str, Any]]:
        return [fields for called, fields in self.calls if called == name]


class Chats:
    def __init__(self, memory: AIMMemory) -> None:
        self.memory, self.api = memory, BotApi()
        self.application = application_of(Chatbot(memory, "telegram"), "7000000001:test", request=self.api)
        self._number = 0

    async def deliver(self, payload: dict[str, Any]) -> None:
        await self.application.process_update(Update.de_json(payload, self.application.bot))

    async def say(self, said: dict[str, Any]) -> str | None:
        """Delivers a message; what the bot says to it."""
        before = len(self.api.said())
        self._number += 1
        await self.deliver(telegram.update(self._number, said))
        replies = self.api.said()[before:]
        return str(replies[0]["text"]) if replies else None

    def kept(self, person: int = 1001) -> list[str]:
        views = self.memory.iterate(namespace=f"telegram/{person}")
        return [view.text for view in views if view.source != "consent"]


@pytest.fixture
async def chats(tmp_path: Path) -> AsyncIterator[Chats]:
    with memory_in(tmp_path) as memory:
        chats = Chats(memory)
        async with chats.application:
            yield chats


async def test_from_the_first_word_to_the_last(chats: Chats) -> None:
    assert await chats.say(telegram.message("/start", 1)) == phrases.NOTICE
    assert await chats.say(telegram.message("My dentist is Dr. Okafor.", 2)) == phrases.NOTICE
    assert await chats.say(telegram.message("/agree", 3)) == phrases.AGREED
    assert await chats.say(telegram.message("My dentist is Dr. Okafor.", 4)) == phrases.NOTED
    answer = await chats.say(telegram.message("Who is my dentist?", 5))
    assert "Okafor" in str(answer)
    assert "2026-03-02" in str(answer)
    assert "Okafor" in str(await chats.say(telegram.message("/ask Who is my dentist?", 6)))
    assert await chats.say(telegram.message("/mydata", 7)) == phrases.my_data(3)
    (sent,) = chats.api.said("sendDocument")
    assert "Okafor" in str(sent["files"])
    assert str(await chats.say(telegram.message("/forget everything", 8))).startswith("Erased")
    assert chats.memory.namespaces().items == []


async def test_an_update_that_comes_again_is_one_memory(chats: Chats) -> None:
    await chats.say(telegram.message("/agree", 1))
    said = telegram.message("My dentist is Dr. Okafor.", 2)
    replies = [await chats.say(said) for _ in range(3)]
    assert replies == [phrases.NOTED, None, None]
    assert chats.kept() == ["My dentist is Dr. Okafor."]


async def test_edits_reach_the_memory_in_any_order(chats: Chats) -> None:
    await chats.say(telegram.message("/agree", 1))
    said = telegram.message("The launch is on 1 May.", 2)
    await chats.deliver(telegram.edited(10, said, "The launch is on 3 May.", after=90))
    await chats.deliver(telegram.edited(11, said, "The launch is on 2 May.", after=60))
    await chats.say(said)
    assert chats.kept() == ["The launch is on 3 May."]


async def test_in_a_group_who_agreed_is_heard_and_only_who_asks_is_answered(chats: Chats) -> None:
    await chats.say(telegram.message("/agree", 1))
    await chats.say(telegram.message("My salary is 91,000 euros.", 2))
    group = telegram.GROUP
    assert await chats.say(telegram.message("The launch is on 14 May.", 3, chat=group)) is None
    assert await chats.say(telegram.message("Mine too.", 4, telegram.BO, group)) is None
    assert chats.kept(1002) == []
    assert "14 May" in str(await chats.say(telegram.message("@aim_bot When is the launch?", 5, chat=group)))
    assert "91,000" not in str(await chats.say(telegram.message("@aim_bot What is my salary?", 6, chat=group)))
    assert await chats.say(telegram.message("@aim_bot When is the launch?", 7, telegram.BO, group)) == phrases.NOTICE
    assert await chats.say(telegram.message("/mydata@aim_bot", 8, chat=group)) == phrases.ONLY_IN_PRIVATE
    assert (
        await chats.say(telegram.message("/remember@aim_bot\nThe door code is new.", 19, chat=group)) == phrases.NOTED
    )
    assert await chats.say(telegram.message("@AIM_bot Thanks.", 20, chat=group)) == phrases.NOTED
    assert await chats.say(telegram.message("@aim_bot2 Thanks.", 21, chat=group)) is None
    assert await chats.say(telegram.message("/agree@other_bot", 9, telegram.BO, group)) is None
    to_the_bot = telegram.message("sent", 5000, telegram.BOT, group)
    asked = telegram.message("When is the launch?", 10, chat=group, reply_to_message=to_the_bot)
    assert "14 May" in str(await chats.say(asked))


async def test_a_topic_is_a_session_of_its_own(chats: Chats) -> None:
    await chats.say(telegram.message("/agree", 1))
    for number, topic in enumerate((7, 7, 8), 2):
        place = {"message_thread_id": topic, "is_topic_message": True}
        await chats.say(telegram.message(f"Number {number}.", number, chat=telegram.GROUP, **place))
    views = list(chats.memory.iterate(namespace="telegram/1001", filters={"source": {"eq": "chat"}}))
    assert [view.session_id == views[0].session_id for view in views] == [True, True, False]


async def test_only_a_person_s_own_words_are_kept(chats: Chats) -> None:
    await chats.say(telegram.message("/agree", 1))
    await chats.say(telegram.photo("My new kitchen.", 2))
    for said in (
        telegram.forwarded("Bo's secret plan.", 3),
        telegram.by_a_bot("beep", 4),
        telegram.anonymous("an announcement", 5),
        telegram.joined(6),
    ):
        assert await chats.say(said) is None
    await chats.deliver(telegram.channel_post(7, "News"))
    assert chats.kept() == ["My new kitchen."]
    assert [found.namespace for found in chats.memory.namespaces().items] == ["telegram/1001"]


async def test_it_polls_answers_and_stops(tmp_path: Path) -> None:
    api = BotApi()
    lines = ["/agree", "My dentist is Dr. Okafor.", "Who is my dentist?"]
    api.waiting = [telegram.update(number, telegram.message(line, number)) for number, line in enumerate(lines, 1)]
    with memory_in(tmp_path) as memory:
        serving = asyncio.ensure_future(run(Chatbot(memory, "telegram"), "7000000001:test", request=api))
        await asyncio.wait_for(api.polled.wait(), 30)
        serving.cancel()
        with pytest.raises(asyncio.CancelledError):
            await serving
        kept = [view.text for view in memory.iterate(namespace="telegram/1001")]
    assert kept == [phrases.TERMS, *lines[1:]]
    assert "Okafor" in api.said()[-1]["text"]
    assert next(call["allowed_updates"] for call in api.said("getUpdates")) == ["message", "edited_message"]


@pytest.mark.parametrize(("status", "kind"), [(401, ConfigurationError), (502, ConnectionFailedError)])
async def test_a_token_that_is_not_taken_and_a_service_that_is_away_are_told(
    status: int, kind: type[Exception], tmp_path: Path
) -> None:
    api = BotApi()
    api.refusal = status
    with memory_in(tmp_path) as memory, pytest.raises(kind, match="Telegram"):
        await run(Chatbot(memory, "telegram"), "7000000001:test", request=api)


async def test_a_thousand_updates_again_and_out_of_order_are_one_memory_each(chats: Chats) -> None:
    chance = random.Random(11)
    people = [telegram.user(2000 + number, f"P{number}") for number in range(10)]
    for number, person in enumerate(people):
        await chats.say(telegram.message("/agree", number + 1, person))
    said = [
        telegram.message(
            f"P{index % 10} keeps number {10_000 + index}.",
            100 + index,
            people[index % 10],
            chance.choice([telegram.GROUP, telegram.private(people[index % 10])]),
        )
        for index in range(1000)
    ]
    deliveries = said + chance.choices(said, k=500)
    chance.shuffle(deliveries)
    for one in deliveries:
        await chats.say(one)
    for person in people:
        wanted = sorted(one["text"] for one in said if one["from"] == person)
        assert sorted(chats.kept(person["id"])) == wanted
