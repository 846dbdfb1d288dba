"""Discord: messages of servers and direct messages over the gateway, and five slash commands with private replies."""

from __future__ import annotations

import re
from io import BytesIO

from aim_memory.chatbots.chatbot import Chatbot
from aim_memory.chatbots.messages import Message, Origin, Reply
from aim_memory.errors import ConfigurationError
from aim_memory.extras import needs

with needs("discord"):
    import discord
    from discord import app_commands

TEXT_CHARS = 2000
OWN_WORDS = frozenset({discord.MessageType.default, discord.MessageType.reply})
"""Types of messages in which a person says something; all others are Discord's own."""
COMMANDS = {
    "agree": "Let me keep what you write where I am.",
    "remember": "Keep a text.",
    "ask": "Answer from what you told me.",
    "forget": "Show what matches, erase one (#name), or everything.",
    "mydata": "Show each memory of you as it is now.",
}
_MENTION = re.compile(r"<@!?(\d+)>")


async def run(chatbot: Chatbot, token: str) -> None:
    """Serves until cancelled. Raises ConfigurationError for a token or a right that is missing."""
    async with DiscordBot(chatbot) as bot:
        try:
            await bot.start(token)
        except discord.LoginFailure as failure:
            raise ConfigurationError("Discord does not take this token. Reset it in the developer portal.") from failure
        except discord.PrivilegedIntentsRequired as failure:
            raise ConfigurationError(
                "Discord does not let the bot read messages. Switch on its Message Content Intent in the portal."
            ) from failure


class DiscordBot(discord.Client):
    """The client; ``chatbot`` hears its events."""

    def __init__(self, chatbot: Chatbot) -> None:
        intents = discord.Intents.default()
        intents.message_content = True
        # Quoted words call nobody.
        super().__init__(intents=intents, allowed_mentions=discord.AllowedMentions.none())
        self._chatbot = chatbot
        self.tree = app_commands.CommandTree(self)
        for name, description in COMMANDS.items():
            self.tree.add_command(self._command(name, description))

    async def setup_hook(self) -> None:
        await self.tree.sync()

    async def on_message(self, message: discord.Message) -> None:
        if not _is_person(message):
            return
        heard = self._heard(message)
        if heard.text and (reply := await self._chatbot.hear(heard)):
            await message.reply(_clipped(reply.text), mention_author=False, files=_files(reply))

    async def on_raw_message_edit(self, payload: discord.RawMessageUpdateEvent) -> None:
        """Also of messages from before the bot was started; a preview that Discord adds is no edit."""
        message = payload.message
        if message.edited_at is not None and _is_person(message) and (heard := self._heard(message)).text:
            await self._chatbot.change(heard)

    async def on_raw_message_delete(self, payload: discord.RawMessageDeleteEvent) -> None:
        await self._removed(payload.message_id, [payload.cached_message] if payload.cached_message else [])

    async def on_raw_bulk_message_delete(self, payload: discord.RawBulkMessageDeleteEvent) -> None:
        for message_id in payload.message_ids:
            await self._removed(message_id, payload.cached_messages)

    async def _removed(self, message_id: int, known: list[discord.Message]) -> None:
        """Discord does not say whose message it was; what was seen lately is known."""
        author = next((message.author for message in known if message.id == message_id), None)
        await self._chatbot.remove(_id(message_id), self._namespace(author) if author else None)

    def _command(self, name: str, description: str) -> app_commands.Command[discord.Client, ..., None]:
        async def run(interaction: discord.Interaction, text: str = "") -> None:
            # Answers may take longer than the three seconds that Discord waits.
            await interaction.response.defer(ephemeral=True, thinking=True)
            reply = await self._chatbot.command(name, self._typed(interaction, text))
            await interaction.followup.send(_clipped(reply.text), ephemeral=True, files=_files(reply))

        async def run_alone(interaction: discord.Interaction) -> None:
            await run(interaction)

        callback = run_alone if name in {"agree", "mydata"} else run
        return app_commands.Command(name=name, description=description, callback=callback)

    def _heard(self, message: discord.Message) -> Message:
        assert self.user is not None
        names = {str(person.id): person.display_name for person in message.mentions}
        names[str(self.user.id)] = ""
        spelled = _MENTION.sub(
            lambda found: f"@{name}" if (name := names.get(found[1], found[1])) else "", message.content
        )
        private = message.guild is None
        room = str(message.channel.id)
        return Message(
            id=_id(message.id),
            origin=Origin(self._namespace(message.author), room, room, private, message.author.display_name),
            text=spelled.strip(),
            at=message.created_at,
            addressed=private or any(person.id == self.user.id for person in message.mentions),
            edited=message.edited_at,
        )

    def _typed(self, interaction: discord.Interaction, text: str) -> Message:
        """A slash command: what it says and hears is shown to nobody else, so the room's session is not told."""
        user = interaction.user
        origin = Origin(
            namespace=self._namespace(user),
            room=f"slash:{user.id}",
            session=f"slash:{interaction.channel_id}",
            private=True,
            name=user.display_name,
        )
        return Message(_id(interaction.id), origin, text, interaction.created_at)

    def _namespace(self, person: discord.abc.User) -> str:
        return f"{self._chatbot.root}/{person.id}"


def _id(message_id: int) -> str:
    return f"discord:{message_id}"


def _is_person(message: discord.Message) -> bool:
    return not message.author.bot and message.webhook_id is None and message.type in OWN_WORDS


def _files(reply: Reply) -> list[discord.File]:
    return [discord.File(BytesIO(reply.attachment.content), reply.attachment.name)] if reply.attachment else []


def _clipped(text: str) -> str:
    return text if len(text) <= TEXT_CHARS else f"{text[: TEXT_CHARS - 1]}…"
