"""What Discord sends, in its own shapes: events of its gateway, as they are recorded."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

BOT = "900000000000000001"
GUILD, GENERAL, OTHER = "800000000000000001", "810000000000000001", "810000000000000002"
START = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
EPOCH_MS = 1_420_070_400_000
Payload = dict[str, Any]


def snowflake(minute: int, number: int = 0) -> str:
    """An id as Discord makes them: the time in its upper bits."""
    moment = int((START + timedelta(minutes=minute)).timestamp() * 1000)
    return str(((moment - EPOCH_MS) << 22) | number)


def user(id: str, name: str, *, bot: bool = False) -> Payload:
    return {
        "id": id,
        "username": name.lower(),
        "global_name": name,
        "discriminator": "0",
        "avatar": None,
        "bot": bot,
        "public_flags": 0,
        "clan": None,
    }


ADA, BO = user("1001", "Ada"), user("1002", "Bo")
AIM = user(BOT, "AIM", bot=True)
APPLICATION = {
    "id": BOT, "name": "AIM", "description": "", "icon": None, "flags": 0, "owner": ADA, "bot_public": True,
    "bot_require_code_grant": False, "verify_key": "", "summary": "", "team": None,
}  # fmt: skip


def guild() -> Payload:
    """GUILD_CREATE, which fills the library's cache."""
    everyone = {
        "id": GUILD, "name": "@everyone", "permissions": "2147483647", "position": 0, "color": 0, "hoist": False,
        "managed": False, "mentionable": False, "flags": 0, "colors": {"primary_color": 0},
    }  # fmt: skip
    channels = [
        {"id": id, "type": 0, "name": name, "position": place, "permission_overwrites": [], "nsfw": False, "flags": 0}
        for place, (id, name) in enumerate([(GENERAL, "general"), (OTHER, "other")])
    ]
    members = [{"user": one, "roles": [], "joined_at": START.isoformat(), "flags": 0} for one in (AIM, ADA, BO)]
    return {
        "id": GUILD, "name": "Launch", "owner_id": ADA["id"], "roles": [everyone], "channels": channels, "threads": [],
        "members": members, "member_count": 3, "emojis": [], "stickers": [], "features": [], "presences": [],
        "voice_states": [], "stage_instances": [], "guild_scheduled_events": [], "soundboard_sounds": [],
        "verification_level": 0, "default_message_notifications": 0, "explicit_content_filter": 0, "mfa_level": 0,
        "nsfw_level": 0, "premium_tier": 0, "preferred_locale": "en-US", "system_channel_flags": 0, "afk_timeout": 300,
        "large": False, "unavailable": False, "joined_at": START.isoformat(),
    }  # fmt: skip


def message(text: str, minute: int, person: Payload = ADA, channel: str | None = None, **more: Any) -> Payload:
    """MESSAGE_CREATE; without a channel a direct message."""
    place: Payload = {"channel_id": channel or f"70000000000000{person['id']}"}
    if channel:
        member = {"roles": [], "joined_at": START.isoformat(), "deaf": False, "mute": False, "flags": 0}
        place |= {"guild_id": GUILD, "member": member}
    return {
        "id": snowflake(minute),
        "type": 0,
        "content": text,
        "author": person,
        "timestamp": (START + timedelta(minutes=minute)).isoformat(),
        "edited_timestamp": None,
        "mentions": [one for one in (AIM, ADA, BO) if f"<@{one['id']}>" in text],
        "mention_roles": [],
        "mention_everyone": False,
        "attachments": [],
        "embeds": [],
        "components": [],
        "pinned": False,
        "tts": False,
        "flags": 0,
        "nonce": snowflake(minute, 9),
        **place,
        **more,
    }


def edited(said: Payload, text: str, after: int = 1) -> Payload:
    """MESSAGE_UPDATE by its author."""
    moment = datetime.fromisoformat(said["timestamp"]) + timedelta(minutes=after)
    return said | {"content": text, "edited_timestamp": moment.isoformat()}


def with_preview(said: Payload) -> Payload:
    """MESSAGE_UPDATE by Discord: it looked up a link."""
    return said | {"embeds": [{"type": "link", "url": "https://example.org", "title": "Example"}]}


def deleted(said: Payload) -> Payload:
    return {name: said[name] for name in ("id", "channel_id", "guild_id") if name in said}


def deleted_all(*said: Payload) -> Payload:
    return {"ids": [one["id"] for one in said], "channel_id": said[0]["channel_id"], "guild_id": GUILD}


def slash(name: str, text: str | None, minute: int, person: Payload = ADA) -> Payload:
    """INTERACTION_CREATE of a slash command in a server."""
    options = [] if text is None else [{"name": "text", "type": 3, "value": text}]
    member = {
        "user": person, "roles": [], "joined_at": START.isoformat(), "deaf": False, "mute": False, "flags": 0,
        "permissions": "2147483647",
    }  # fmt: skip
    return {
        "id": snowflake(minute, 1),
        "application_id": BOT,
        "type": 2,
        "data": {"id": "600000000000000001", "name": name, "type": 1, "options": options},
        "guild_id": GUILD,
        "channel_id": GENERAL,
        "channel": {"id": GENERAL, "type": 0, "name": "general", "permissions": "2147483647"},
        "member": member,
        "token": f"interaction-token-{minute}",
        "version": 1,
        "app_permissions": "2147483647",
        "locale": "en-US",
        "guild_locale": "en-US",
        "entitlements": [],
        "authorizing_integration_owners": {"0": GUILD},
        "context": 0,
        "attachment_size_limit": 10_485_760,
    }
