"""What Slack sends, in its own shapes: the envelopes of its Events API and of slash commands, as they are recorded."""

from __future__ import annotations

from typing import Any

TEAM, APP, BOT, BOT_USER = "T0AIM00001", "A0AIM00001", "B0AIM00001", "U0BOT00001"
Payload = dict[str, Any]


def envelope(event: Payload, event_id: str) -> Payload:
    return {
        "token": "verification-token",
        "team_id": TEAM,
        "context_team_id": TEAM,
        "context_enterprise_id": None,
        "api_app_id": APP,
        "event": event,
        "type": "event_callback",
        "event_id": event_id,
        "event_time": int(float(event["event_ts"])),
        "authorizations": [
            {
                "enterprise_id": None,
                "team_id": TEAM,
                "user_id": BOT_USER,
                "is_bot": True,
                "is_enterprise_install": False,
            }
        ],
        "is_ext_shared_channel": False,
        "event_context": f"4-{event_id}",
    }


def message(text: str, ts: str, *, user: str = "U0ADA", channel: str = "D0ADA", **more: Any) -> Payload:
    kind = {"D": "im", "C": "channel", "G": "mpim"}[channel[0]]
    rich = [{"type": "rich_text_section", "elements": [{"type": "text", "text": text}]}]
    return {
        "user": user,
        "type": "message",
        "ts": ts,
        "client_msg_id": f"11111111-2222-3333-4444-{ts.replace('.', '')[-12:]:0>12}",
        "text": text,
        "team": TEAM,
        "blocks": [{"type": "rich_text", "block_id": "b1", "elements": rich}],
        "channel": channel,
        "event_ts": ts,
        "channel_type": kind,
        **more,
    }


def mention(said: Payload) -> Payload:
    """The second event that Slack sends about a message which mentions the app."""
    left_out = {"channel_type"}
    return {name: value for name, value in said.items() if name not in left_out} | {"type": "app_mention"}


def changed(said: Payload, text: str, at: str, *, edited: bool = True) -> Payload:
    """An edit, or, with ``edited`` false, Slack's own change: a preview was added to a link."""
    inner = {name: said[name] for name in ("type", "user", "client_msg_id", "team", "ts", "blocks")}
    after = {**inner, "text": text, "source_team": TEAM, "user_team": TEAM}
    if edited:
        after["edited"] = {"user": said["user"], "ts": at}
    if "thread_ts" in said:
        after["thread_ts"] = said["thread_ts"]
    return {
        "type": "message",
        "subtype": "message_changed",
        "message": after,
        "previous_message": {**inner, "text": said["text"]},
        "channel": said["channel"],
        "hidden": True,
        "ts": at,
        "event_ts": at,
        "channel_type": said["channel_type"],
    }


def deleted(said: Payload, at: str) -> Payload:
    inner = {name: said[name] for name in ("type", "user", "client_msg_id", "text", "team", "ts", "blocks")}
    return {
        "type": "message",
        "subtype": "message_deleted",
        "previous_message": inner,
        "channel": said["channel"],
        "hidden": True,
        "deleted_ts": said["ts"],
        "event_ts": at,
        "ts": at,
        "channel_type": said["channel_type"],
    }


def by_an_app(text: str, ts: str, channel: str = "C0GENERAL") -> Payload:
    return {
        "type": "message",
        "subtype": "bot_message",
        "text": text,
        "ts": ts,
        "username": "deploys",
        "bot_id": "B0OTHER001",
        "app_id": "A0OTHER001",
        "channel": channel,
        "event_ts": ts,
        "channel_type": "channel",
    }


def by_a_modern_app(text: str, ts: str, channel: str = "C0GENERAL") -> Payload:
    """Apps that post with a bot token have a user too, and no subtype."""
    return message(text, ts, user="U0OTHERBOT", channel=channel) | {
        "bot_id": "B0OTHER001",
        "app_id": "A0OTHER001",
        "bot_profile": {"id": "B0OTHER001", "name": "deploys", "deleted": False, "team_id": TEAM},
    }


def joined(ts: str, user: str = "U0ADA", channel: str = "C0GENERAL") -> Payload:
    text = f"<@{user}> has joined the channel"
    return message(text, ts, user=user, channel=channel) | {"subtype": "channel_join"}


def slash(name: str, text: str, response_url: str, *, user: str = "U0ADA", number: int = 1) -> dict[str, str]:
    return {
        "token": "verification-token",
        "team_id": TEAM,
        "team_domain": "aim",
        "channel_id": "C0GENERAL",
        "channel_name": "general",
        "user_id": user,
        "user_name": user.removeprefix("U0").lower(),
        "command": f"/{name}",
        "text": text,
        "api_app_id": APP,
        "is_enterprise_install": "false",
        "response_url": response_url,
        "trigger_id": f"9{number}.8.abcdef0123456789abcdef01234567{number:02}",
    }
