"""Slack: events and slash commands of a workspace, over Socket Mode (no address of ours is needed) or HTTP.

An event is acknowledged when what it says is kept, so Slack delivers again what was not; the reply comes after.
"""

from __future__ import annotations

import asyncio
import html
import logging
import re
from collections.abc import Awaitable, Mapping
from datetime import UTC, datetime
from typing import Any

from aim_memory.chatbots.chatbot import Chatbot
from aim_memory.chatbots.messages import Message, Origin, Reply
from aim_memory.errors import ConfigurationError
from aim_memory.extras import needs

with needs("slack"):
    from slack_bolt.adapter.socket_mode.aiohttp import AsyncSocketModeHandler
    from slack_bolt.async_app import AsyncApp
    from slack_sdk.errors import SlackApiError
    from slack_sdk.web.async_client import AsyncWebClient

log = logging.getLogger(__name__)
COMMANDS = ("agree", "remember", "ask", "forget", "mydata")
OWN_WORDS = frozenset({None, "file_share", "me_message", "thread_broadcast"})
"""Subtypes of messages in which a person says something; all others are Slack's or an app's."""
TEXT_CHARS = 4000
_LINK = re.compile(r"<(?P<target>[^<>|]+)(?:\|(?P<label>[^<>]*))?>")
Event = Mapping[str, Any]


async def run(chatbot: Chatbot, bot_token: str, app_token: str, *, client: AsyncWebClient | None = None) -> None:
    """Serves until cancelled. Raises ConfigurationError for tokens that are not taken."""
    bot = SlackBot(chatbot, bot_token, client=client)
    socket = AsyncSocketModeHandler(bot.app, app_token)
    try:
        await bot.app.client.auth_test()
        await socket.connect_async()
        await asyncio.Event().wait()
    except SlackApiError as failure:
        said = failure.response["error"]
        raise ConfigurationError(
            f"Slack does not take a token: {said}. Install the app anew, and copy both."
        ) from failure
    finally:
        await bot.settled()
        await socket.close_async()


class SlackBot:
    """The Bolt app, and what it does with events.

    Args:
        chatbot: What hears them.
        token: The bot's, ``xoxb-…``.
        signing_secret: For events over HTTP, which are not verified without; Socket Mode needs none.
        client: Another way to Slack's Web API, for tests.
    """

    def __init__(
        self,
        chatbot: Chatbot,
        token: str | None = None,
        *,
        signing_secret: str | None = None,
        client: AsyncWebClient | None = None,
    ) -> None:
        self._chatbot = chatbot
        self._replies: set[asyncio.Task[None]] = set()
        self.app = AsyncApp(
            token=token,
            client=client,
            signing_secret=signing_secret,
            request_verification_enabled=signing_secret is not None,
            process_before_response=True,
        )
        self.app.event("message")(self._on_message)
        self.app.event("app_mention")(self._on_message)
        for name in COMMANDS:
            self.app.command(f"/{name}")(self._on_command)

    async def settled(self) -> None:
        """Waits for the replies that are on their way."""
        await asyncio.gather(*self._replies)

    async def _on_message(self, event: Event, body: Event, context: Mapping[str, Any], client: AsyncWebClient) -> None:
        team, bot = body["team_id"], context["bot_user_id"]
        match event.get("subtype"):
            case "message_changed":
                await self._on_change(event, team, bot)
            case "message_deleted":
                await self._on_deletion(event, team)
            case subtype if subtype in OWN_WORDS and _is_person(event):
                message = _message(event, event, self._namespace(team, event["user"]), bot)
                if message.text:
                    self._reply(await self._chatbot.take(message), event, client, message.origin.private)

    async def _on_change(self, event: Event, team: str, bot: str) -> None:
        after = event["message"]
        if after.get("subtype") == "tombstone":  # the first message of a thread is gone, its replies are not
            await self._on_deletion({**event, "deleted_ts": after["ts"]}, team)
        elif "edited" in after and _is_person(after):
            message = _message(event, after, self._namespace(team, after["user"]), bot)
            if message.text:
                await self._chatbot.change(message)

    async def _on_deletion(self, event: Event, team: str) -> None:
        user = event.get("previous_message", {}).get("user")
        id = _id(event["channel"], event["deleted_ts"])
        await self._chatbot.remove(id, self._namespace(team, user) if user else None)

    async def _on_command(self, ack: Any, command: Event, respond: Any, client: AsyncWebClient) -> None:
        await ack()
        origin = Origin(
            namespace=self._namespace(command["team_id"], command["user_id"]),
            # What it says and hears is shown to nobody else, so the channel's own session is not to know of it.
            room=f"slash:{command['user_id']}",
            session=f"slash:{command['channel_id']}",
            private=True,
            name=command.get("user_name"),
        )
        text = html.unescape(command.get("text", ""))
        message = Message(f"slack:{command['trigger_id']}", origin, text)
        reply = await self._chatbot.command(command["command"].removeprefix("/"), message)
        await respond(text=_escaped(reply.text), response_type="ephemeral")
        if reply.attachment:
            opened = await client.conversations_open(users=command["user_id"])
            await _upload(client, opened["channel"]["id"], reply)

    def _reply(self, reply: Awaitable[Reply | None], event: Event, client: AsyncWebClient, private: bool) -> None:
        """Goes on behind the acknowledgement."""
        task = asyncio.ensure_future(_say(reply, event, client, private))
        self._replies.add(task)
        task.add_done_callback(self._replies.discard)

    def _namespace(self, team: str, user: str) -> str:
        return f"{self._chatbot.root}/{team}/{user}"


async def _say(reply: Awaitable[Reply | None], event: Event, client: AsyncWebClient, private: bool) -> None:
    said = await reply
    if said is None:
        return
    thread = event.get("thread_ts") if private else event.get("thread_ts", event["ts"])
    await client.chat_postMessage(
        channel=event["channel"],
        text=_escaped(said.text),
        thread_ts=thread,
        unfurl_links=False,
        unfurl_media=False,
    )
    if said.attachment:
        await _upload(client, event["channel"], said)


async def _upload(client: AsyncWebClient, channel: str, reply: Reply) -> None:
    assert reply.attachment is not None
    await client.files_upload_v2(
        channel=channel,
        filename=reply.attachment.name,
        content=reply.attachment.content,
        initial_comment=_escaped(reply.text),
    )


def _message(event: Event, said: Event, namespace: str, bot: str) -> Message:
    """``event`` says where, ``said`` what: the event itself, or the message inside a change."""
    channel, private = event["channel"], event.get("channel_type") == "im"
    addressed = private or f"<@{bot}>" in said.get("text", "")
    thread = said.get("thread_ts") or (said["ts"] if addressed and not private else None)
    edited = said.get("edited", {}).get("ts")
    return Message(
        id=_id(channel, said["ts"]),
        origin=Origin(namespace, channel, f"{channel}:{thread}" if thread else channel, private),
        text=_plain(said.get("text", "").replace(f"<@{bot}>", "")),
        at=_moment(said["ts"]),
        addressed=addressed,
        edited=_moment(edited) if edited else None,
    )


def _id(channel: str, ts: str) -> str:
    """Of a message: the same in each event about it, ``message`` and ``app_mention``, first or retried."""
    return f"slack:{channel}:{ts}"


def _is_person(said: Event) -> bool:
    return bool(said.get("user")) and not said.get("bot_id") and said.get("user") != "USLACKBOT"


def _moment(ts: str) -> datetime:
    return datetime.fromtimestamp(float(ts), UTC)


def _plain(text: str) -> str:
    """What a person reads: links as label and address, mentions by their id, no escapes."""
    return html.unescape(_LINK.sub(_spelled, text)).strip()


def _spelled(link: re.Match[str]) -> str:
    target, label = link["target"], link["label"]
    if target[0] in "@#!":
        return f"{target[0] if target[0] != '!' else '@'}{label or target[1:]}"
    return (
        f"{label} ({target})" if label and label != target.removeprefix("mailto:") else target.removeprefix("mailto:")
    )


def _escaped(text: str) -> str:
    """So that quoted words call nobody: ``<!channel>`` stays what it says."""
    clipped = text if len(text) <= TEXT_CHARS else f"{text[: TEXT_CHARS - 1]}…"
    return html.escape(clipped, quote=False)
