"""What Telegram sends, in its own shapes: updates of the Bot API, as they are recorded."""

from __future__ import annotations

from typing import Any

BOT = {"id": 7000000001, "is_bot": True, "first_name": "AIM", "username": "aim_bot"}
START = 1_772_442_000
Payload = dict[str, Any]


def user(id: int, first: str = "Ada", last: str = "Lind") -> Payload:
    return {"id": id, "is_bot": False, "first_name": first, "last_name": last, "language_code": "en"}


ADA = user(1001)
BO = user(1002, "Bo", "Berg")
GROUP = {"id": -1001234567890, "title": "Launch", "type": "supergroup", "is_forum": True}


def private(person: Payload) -> Payload:
    return {"id": person["id"], "first_name": person["first_name"], "last_name": person["last_name"], "type": "private"}


def message(text: str, number: int, person: Payload = ADA, chat: Payload | None = None, **more: Any) -> Payload:
    found: Payload = {
        "message_id": number,
        "from": person,
        "chat": chat or private(person),
        "date": START + number,
        "text": text,
        **more,
    }
    if text.startswith("/"):
        found["entities"] = [{"offset": 0, "length": len(text.split()[0]), "type": "bot_command"}]
    return found


def photo(caption: str, number: int) -> Payload:
    """A picture with words of the person below it."""
    said = message("", number)
    del said["text"]
    size = {"file_id": "AgACAgI", "file_unique_id": "AQAD", "file_size": 1200, "width": 90, "height": 67}
    return said | {"photo": [size], "caption": caption}


def forwarded(text: str, number: int) -> Payload:
    """Somebody else's words, passed on."""
    return message(text, number, forward_origin={"type": "user", "sender_user": BO, "date": START})


def by_a_bot(text: str, number: int) -> Payload:
    other = {"id": 7000000002, "is_bot": True, "first_name": "Other", "username": "other_bot"}
    return message(text, number, other, GROUP)


def anonymous(text: str, number: int) -> Payload:
    """An administrator who speaks as the group."""
    nobody = {"id": 1087968824, "is_bot": True, "first_name": "Group", "username": "GroupAnonymousBot"}
    return message(text, number, nobody, GROUP, sender_chat=GROUP)


def joined(number: int) -> Payload:
    said = message("", number, ADA, GROUP)
    del said["text"]
    return said | {"new_chat_members": [ADA]}


def update(number: int, said: Payload) -> Payload:
    return {"update_id": 900_000_000 + number, "message": said}


def edited(number: int, said: Payload, text: str, after: int = 60) -> Payload:
    return {
        "update_id": 900_000_000 + number,
        "edited_message": said | {"text": text, "edit_date": said["date"] + after},
    }


def channel_post(number: int, text: str) -> Payload:
    channel = {"id": -1009876543210, "title": "News", "type": "channel"}
    post = {"message_id": number, "sender_chat": channel, "chat": channel, "date": START + number, "text": text}
    return {"update_id": 900_000_000 + number, "channel_post": post}
