"""Slack's own library dispatches recorded requests to the bot; its Web API is a server on loopback."""

from __future__ import annotations

import asyncio
import json
import random
import time
from collections.abc import AsyncIterator, Mapping
from pathlib import Path
from typing import Any, cast
from urllib.parse import urlencode

import pytest

pytest.importorskip("slack_bolt", reason="pip install 'aim-memory[slack]'")
from aiohttp import web
from aiohttp.test_utils import TestServer
from slack_bolt.request.async_request import AsyncBoltRequest
from slack_sdk.signature import SignatureVerifier
from slack_sdk.web.async_client import AsyncWebClient

from aim_memory import AIMMemory
from aim_memory.chatbots import phrases
from aim_memory.chatbots.chatbot import Chatbot
from aim_memory.chatbots.slack import SlackBot, run
from aim_memory.errors import ConfigurationError
from tests.chatbots import slack_events as slack
from tests.chatbots.doubles import Away, memory_in

pytestmark = pytest.mark.anyio
SECRET = "signing-secret"


class SlackApi:
    """As much of Slack's Web API as the bot calls, and what it was told."""

    def __init__(self) -> None:
        self.calls: list[tuple[str, dict[str, Any]]] = []
        self.url = ""
        self.refusal: str | None = None
        self.envelopes: list[dict[str, Any]] = []
        self.acknowledged: asyncio.Queue[dict[str, Any]] = asyncio.Queue()

    def app(self) -> web.Application:
        app = web.Application()
        app.router.add_post("/api/{method}", self._call)
        app.router.add_post("/upload", self._take)
        app.router.add_post("/response", self._take)
        app.router.add_get("/socket", self._socket)
        return app

    def said(self, method: str = "chat.postMessage") -> list[dict[str, Any]]:
        return [fields for name, fields in self.calls if name == method]

    async def _call(self, request: web.Request) -> web.Response:
        method = request.match_info["method"]
        fields = await request.json() if "json" in request.content_type else dict(await request.post())
        self.calls.append((method, {**request.query, **fields}))
        if self.refusal:
            return web.json_response({"ok": False, "error": self.refusal})
        return web.json_response({"ok": True, **self._answer(method)})

    def _answer(self, method: str) -> Mapping[str, Any]:
        match method:
            case "auth.test":
                return {
                    "team_id": slack.TEAM,
                    "user_id": slack.BOT_USER,
                    "bot_id": slack.BOT,
                    "user": "aim",
                    "team": "t",
                }
            case "apps.connections.open":
                return {"url": f"{self.url.replace('http', 'ws')}socket"}
            case "conversations.open":
                return {"channel": {"id": "D0OPENED"}}
            case "files.getUploadURLExternal":
                return {"upload_url": f"{self.url}upload", "file_id": "F1"}
            case "files.completeUploadExternal":
                return {"files": [{"id": "F1"}]}
        return {"ts": "1.2", "channel": "C"}

    async def _socket(self, request: web.Request) -> web.WebSocketResponse:
        """Socket Mode: envelopes go out, acknowledgements come back."""
        socket = web.WebSocketResponse()
        await socket.prepare(request)
        for envelope in self.envelopes:
            await socket.send_json(envelope)
        async for message in socket:
            self.acknowledged.put_nowait(message.json())
        return socket

    async def _take(self, request: web.Request) -> web.Response:
        body = await request.read()
        self.calls.append((request.path, {"body": body}))
        return web.Response(text="ok")


class Workspace:
    """A Slack workspace that delivers events to the bot, signed, as HTTP requests."""

    def __init__(self, memory: AIMMemory, api: SlackApi, url: str) -> None:
        self.memory, self.api, self.url = memory, api, url
        self.bot = SlackBot(
            Chatbot(memory, "slack"),
            signing_secret=SECRET,
            client=AsyncWebClient(token="xoxb-test", base_url=f"{url}api/"),
        )
        self._number = 0

    async def deliver(self, event: dict[str, Any], *, retry: int = 0, again: str | None = None) -> int:
        """Returns the status that Slack sees. ``again`` is the id of an event that was delivered before."""
        self._number += 1
        body = json.dumps(slack.envelope(event, again or f"Ev{self._number:08}"))
        headers = {"content-type": "application/json"}
        if retry:
            headers |= {"x-slack-retry-num": str(retry), "x-slack-retry-reason": "http_timeout"}
        return await self._post(body, headers)

    async def type(self, name: str, text: str = "", user: str = "U0ADA") -> str:
        """A slash command; what is said only to the person who typed it."""
        self._number += 1
        fields = slack.slash(name, text, f"{self.url}response", user=user, number=self._number)
        await self._post(urlencode(fields), {"content-type": "application/x-www-form-urlencoded"})
        answer = json.loads(self.api.said("/response")[-1]["body"])
        assert answer["response_type"] == "ephemeral"
        return str(answer["text"])

    def kept(self, user: str = "U0ADA") -> list[str]:
        views = self.memory.iterate(namespace=f"slack/{slack.TEAM}/{user}")
        return [view.text for view in views if view.source != "consent"]

    async def _post(self, body: str, headers: dict[str, str]) -> int:
        stamp = str(int(time.time()))
        signed = SignatureVerifier(SECRET).generate_signature(timestamp=stamp, body=body)
        signs = {"x-slack-signature": str(signed), "x-slack-request-timestamp": stamp}
        response = await self.bot.app.async_dispatch(AsyncBoltRequest(body=body, headers=headers | signs))
        await self.bot.settled()
        return int(response.status)


@pytest.fixture
async def workspace(tmp_path: Path) -> AsyncIterator[Workspace]:
    api = SlackApi()
    async with TestServer(api.app()) as server:
        api.url = str(server.make_url("/"))
        with memory_in(tmp_path) as memory:
            yield Workspace(memory, api, api.url)


async def test_from_the_first_word_to_the_last(workspace: Workspace) -> None:
    assert await workspace.deliver(slack.message("My dentist is Dr. Okafor.", "1772442000.000100")) == 200
    assert workspace.api.said()[-1]["text"] == phrases.NOTICE
    assert await workspace.type("agree") == phrases.AGREED
    await workspace.deliver(slack.message("My dentist is Dr. Okafor.", "1772442060.000100"))
    noted = workspace.api.said()[-1]
    assert (noted["channel"], noted["text"], "thread_ts" in noted) == ("D0ADA", phrases.NOTED, False)
    await workspace.deliver(slack.message("Who is my dentist?", "1772442120.000100"))
    assert "Okafor" in workspace.api.said()[-1]["text"]
    assert "2026-03-02" in workspace.api.said()[-1]["text"]
    assert await workspace.type("remember", "The launch is on 14 May.") == phrases.NOTED
    assert "14 May" in await workspace.type("ask", "When is the launch?")
    assert "2026-03-02" in await workspace.type("forget", "dentist")
    assert await workspace.type("mydata") == phrases.my_data(4)
    assert workspace.api.said("conversations.open") == [{"users": "U0ADA", "team_id": slack.TEAM}]
    assert b"Okafor" in workspace.api.said("/upload")[0]["body"]
    assert (await workspace.type("forget", "everything")).startswith("Erased")
    assert workspace.memory.namespaces().items == []


async def test_a_mention_is_one_memory_though_slack_sends_two_events(workspace: Workspace) -> None:
    await workspace.type("agree")
    said = slack.message(f"<@{slack.BOT_USER}> the launch is on 14 May.", "1772442000.000200", channel="C0GENERAL")
    await workspace.deliver(said)
    await workspace.deliver(slack.mention(said))
    assert workspace.kept() == ["the launch is on 14 May."]
    (reply,) = workspace.api.said()
    assert (reply["channel"], reply["thread_ts"]) == ("C0GENERAL", said["ts"])


async def test_a_retry_is_neither_kept_nor_answered_again(workspace: Workspace) -> None:
    await workspace.type("agree")
    said = slack.message("My dentist is Dr. Okafor.", "1772442000.000100")
    for retry in range(4):
        assert await workspace.deliver(said, retry=retry, again="Ev00000099") == 200
    assert workspace.kept() == ["My dentist is Dr. Okafor."]
    assert len(workspace.api.said()) == 1


async def test_an_event_that_could_not_be_kept_is_not_acknowledged(workspace: Workspace) -> None:
    await workspace.type("agree")
    said = slack.message("My dentist is Dr. Okafor.", "1772442000.000100")
    away = Workspace(cast(AIMMemory, Away()), workspace.api, workspace.url)
    assert await away.deliver(said) == 500
    assert await workspace.deliver(said, retry=1) == 200
    assert workspace.kept() == ["My dentist is Dr. Okafor."]


async def test_edits_and_deletions_reach_the_memory(workspace: Workspace) -> None:
    await workspace.type("agree")
    first = slack.message("The launch is on 1 May.", "1772442000.000100", channel="C0GENERAL")
    second = slack.message("see https://example.org", "1772442001.000100", channel="C0GENERAL")
    await workspace.deliver(first)
    await workspace.deliver(slack.changed(first, "The launch is on 2 May.", "1772442090.000100"))
    await workspace.deliver(second)
    await workspace.deliver(slack.changed(second, "see it", "1772442091.000100", edited=False))
    assert workspace.kept() == ["The launch is on 2 May.", "see https://example.org"]
    await workspace.deliver(slack.deleted(first, "1772442100.000100"))
    await workspace.deliver(first, retry=2)
    tombstone = slack.changed(second, "This message was deleted.", "1772442110.000100", edited=False)
    tombstone["message"] |= {"subtype": "tombstone", "user": "USLACKBOT", "hidden": True}
    await workspace.deliver(tombstone)
    assert workspace.kept() == []


async def test_a_thread_is_a_session_of_its_own(workspace: Workspace) -> None:
    await workspace.type("agree")
    root = slack.message(f"<@{slack.BOT_USER}> we plan the launch.", "1772442000.000100", channel="C0GENERAL")
    reply = slack.message("it costs 900 euros", "1772442010.000100", channel="C0GENERAL", thread_ts=root["ts"])
    shown = slack.message(
        "to all: it is done", "1772442020.000100", channel="C0GENERAL", thread_ts=root["ts"], subtype="thread_broadcast"
    )
    other = slack.message("lunch?", "1772442030.000100", channel="C0GENERAL")
    for event in (root, reply, shown, other):
        await workspace.deliver(event)
    views = list(workspace.memory.iterate(namespace=f"slack/{slack.TEAM}/U0ADA", filters={"source": {"eq": "chat"}}))
    assert len({view.session_id for view in views[:3]}) == 1
    assert views[3].session_id != views[0].session_id


async def test_what_nobody_said_is_not_kept(workspace: Workspace) -> None:
    for user in ("U0ADA", "U0OTHERBOT"):
        await workspace.type("agree", user=user)
    for event in (
        slack.by_an_app("deployed", "1772442000.000100"),
        slack.by_a_modern_app("deployed", "1772442001.000100"),
        slack.joined("1772442002.000100"),
        slack.message("", "1772442003.000100"),
        slack.message("my own words", "1772442004.000100", user=slack.BOT_USER),
    ):
        assert await workspace.deliver(event) == 200
    assert workspace.kept() == workspace.kept("U0OTHERBOT") == []
    assert workspace.api.said() == []


async def test_quoted_words_call_nobody_and_marks_are_read_as_people_read_them(workspace: Workspace) -> None:
    await workspace.type("agree")
    text = "Ask <!channel> about R&amp;D at <https://example.org/a|the plan>, <@U0BO> &lt;urgent&gt;"
    await workspace.deliver(slack.message(text, "1772442000.000100"))
    assert workspace.kept() == ["Ask @channel about R&D at the plan (https://example.org/a), @U0BO <urgent>"]
    await workspace.type("remember", "The word of the day is &lt;!everyone&gt;.")
    assert "&lt;!everyone&gt;" in await workspace.type("ask", "What is the word of the day?")


async def test_a_forged_request_is_refused(workspace: Workspace) -> None:
    await workspace.type("agree")
    body = json.dumps(slack.envelope(slack.message("forged", "1772442000.000100"), "Ev1"))
    headers = {"x-slack-signature": "v0=00", "x-slack-request-timestamp": str(int(time.time()))}
    response = await workspace.bot.app.async_dispatch(AsyncBoltRequest(body=body, headers=headers))
    assert response.status == 401
    assert workspace.kept() == []


async def test_it_hears_over_socket_mode_acknowledges_what_is_kept_and_stops(workspace: Workspace) -> None:
    await workspace.type("agree")
    api = workspace.api
    said = slack.message("My dentist is Dr. Okafor.", "1772442000.000100")
    api.envelopes = [
        {"type": "hello", "num_connections": 1, "connection_info": {"app_id": slack.APP}},
        {
            "type": "events_api", "envelope_id": "e1", "payload": slack.envelope(said, "Ev1"),
            "accepts_response_payload": False, "retry_attempt": 0, "retry_reason": "",
        },
    ]  # fmt: skip
    client = AsyncWebClient(token="xoxb-test", base_url=f"{workspace.url}api/")
    serving = asyncio.ensure_future(run(Chatbot(workspace.memory, "slack"), "xoxb-test", "xapp-test", client=client))
    assert await asyncio.wait_for(api.acknowledged.get(), 30) == {"envelope_id": "e1"}
    assert workspace.kept() == ["My dentist is Dr. Okafor."]  # when it was acknowledged
    serving.cancel()
    with pytest.raises(asyncio.CancelledError):
        await serving
    assert [call["text"] for call in api.said()] == [phrases.NOTED]


async def test_a_token_that_slack_does_not_take_is_told(workspace: Workspace) -> None:
    workspace.api.refusal = "invalid_auth"
    client = AsyncWebClient(token="xoxb-test", base_url=f"{workspace.url}api/")
    with pytest.raises(ConfigurationError, match="invalid_auth"):
        await run(Chatbot(workspace.memory, "slack"), "xoxb-test", "xapp-test", client=client)


async def test_a_thousand_events_again_and_out_of_order_are_one_memory_each(workspace: Workspace) -> None:
    chance = random.Random(7)
    people = [f"U0P{number:02}" for number in range(10)]
    for user in people:
        await workspace.type("agree", user=user)
    said = [
        slack.message(
            f"{user} keeps number {10_000 + index}.",
            f"{1_772_442_000 + index}.000100",
            user=user,
            channel=chance.choice(["C0GENERAL", "C0OTHER", f"D0{user}", "G0GROUP"]),
        )
        for index in range(1000)
        for user in [people[index % 10]]
    ]
    deliveries = said + chance.choices(said, k=500)
    chance.shuffle(deliveries)
    for event in deliveries:
        assert await workspace.deliver(event, retry=chance.randrange(3)) == 200
    for user in people:
        assert sorted(workspace.kept(user)) == sorted(one["text"] for one in said if one["user"] == user)
