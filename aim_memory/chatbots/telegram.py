"""Telegram: private chats and groups, by long polling. Telegram tells bots of edits, but not of deletions."""

from __future__ import annotations

import asyncio
import re
from typing import Any, TypeAlias

from aim_memory.chatbots.chatbot import Chatbot
from aim_memory.chatbots.messages import Message, Origin
from aim_memory.errors import ConfigurationError, ConnectionFailedError
from aim_memory.extras import needs

with needs("telegram"):
    import telegram
    from telegram.constants import ChatType, MessageLimit
    from telegram.ext import Application, ApplicationBuilder, ContextTypes, MessageHandler, filters
    from telegram.request import BaseRequest

AnyApplication: TypeAlias = Application[Any, Any, Any, Any, Any, Any]
UPDATES = (telegram.Update.MESSAGE, telegram.Update.EDITED_MESSAGE)
NO_PREVIEW = telegram.LinkPreviewOptions(is_disabled=True)


async def run(chatbot: Chatbot, token: str, *, request: BaseRequest | None = None) -> None:
    """Serves until cancelled. Raises ConfigurationError for a token that is not taken, ConnectionFailedError."""
    application = application_of(chatbot, token, request=request)
    try:
        async with application:
            await _poll(application)
    except telegram.error.InvalidToken as failure:
        raise ConfigurationError("Telegram does not take this token. Get one from @BotFather.") from failure
    except telegram.error.NetworkError as failure:
        raise ConnectionFailedError(f"Telegram cannot be reached: {failure}") from failure


async def _poll(application: AnyApplication) -> None:
    assert application.updater is not None
    await application.start()
    await application.updater.start_polling(allowed_updates=list(UPDATES))
    try:
        await asyncio.Event().wait()
    finally:
        await application.updater.stop()
        await application.stop()


def application_of(chatbot: Chatbot, token: str, *, request: BaseRequest | None = None) -> AnyApplication:
    """The application; ``request`` is another way to Telegram's Bot API, for tests."""
    builder = ApplicationBuilder().token(token).concurrent_updates(True)
    if request is not None:
        builder = builder.request(request).get_updates_request(request)
    application = builder.build()
    said = filters.TEXT | filters.CAPTION
    bot = TelegramBot(chatbot)
    application.add_handler(MessageHandler(filters.UpdateType.MESSAGE & said, bot.on_message))
    application.add_handler(MessageHandler(filters.UpdateType.EDITED_MESSAGE & said, bot.on_edit))
    return application


class TelegramBot:
    """What is done with updates."""

    def __init__(self, chatbot: Chatbot) -> None:
        self._chatbot = chatbot

    async def on_message(self, update: telegram.Update, context: ContextTypes.DEFAULT_TYPE) -> None:
        message = update.effective_message
        heard = self._heard(message, context.bot) if message and _is_person(message) else None
        if message is None or heard is None or (reply := await self._chatbot.hear(heard)) is None:
            return
        text = reply.text[: MessageLimit.MAX_TEXT_LENGTH]  # without a parse mode quoted words stay words
        await message.reply_text(text, do_quote=not heard.origin.private, link_preview_options=NO_PREVIEW)
        if reply.attachment:
            await message.reply_document(reply.attachment.content, filename=reply.attachment.name)

    async def on_edit(self, update: telegram.Update, context: ContextTypes.DEFAULT_TYPE) -> None:
        message = update.effective_message
        if message and _is_person(message) and (heard := self._heard(message, context.bot)):
            await self._chatbot.change(heard)

    def _heard(self, message: telegram.Message, bot: telegram.Bot) -> Message | None:
        """None for a command to another bot, and where nothing is said beside the bot's name."""
        assert message.from_user is not None
        private = message.chat.type == ChatType.PRIVATE
        text, addressed = _spoken(message.text or message.caption or "", bot.username)
        replied = message.reply_to_message.from_user if message.reply_to_message else None
        if text is None:
            return None
        room = str(message.chat.id)
        topic = f":{message.message_thread_id}" if message.is_topic_message else ""
        return Message(
            id=f"telegram:{room}:{message.message_id}",
            origin=Origin(
                namespace=f"{self._chatbot.root}/{message.from_user.id}",
                room=room,
                session=f"{room}{topic}",
                private=private,
                name=message.from_user.full_name,
            ),
            text=text,
            at=message.date,
            addressed=private or addressed or (replied is not None and replied.id == bot.id),
            edited=message.edit_date,
        )


def _is_person(message: telegram.Message) -> bool:
    """Somebody's own words: neither a bot's, a channel's or an anonymous administrator's, nor passed on."""
    passed_on = message.forward_origin or message.via_bot or message.sender_chat
    return message.from_user is not None and not message.from_user.is_bot and not passed_on


def _spoken(text: str, name: str) -> tuple[str | None, bool]:
    """The text without the bot's name, and whether it is said to the bot."""
    if text.strip().startswith("/"):
        first, *rest = text.split(maxsplit=1)
        command, _, to = first.partition("@")
        return (None if to and to.casefold() != name.casefold() else " ".join([command, *rest])), True
    spoken, named = re.subn(rf"@{re.escape(name)}(?!\w)", " ", text, flags=re.IGNORECASE)
    return spoken.strip() or None, named > 0
