"""Command that runs a chatbot: bot."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated

import typer

from aim_memory.cli import output
from aim_memory.cli.command import Place, command
from aim_memory.errors import ConfigurationError

if TYPE_CHECKING:
    from pydantic import SecretStr

    from aim_memory.chatbots.chatbot import Chatbot
    from aim_memory.settings import BotSettings

app = typer.Typer()


class Platform(StrEnum):
    SLACK = "slack"
    DISCORD = "discord"
    TELEGRAM = "telegram"


@command(app, example="AIM_BOTS__TELEGRAM_TOKEN=… aimem bot telegram")
def bot(
    place: Place,
    platform: Annotated[Platform, typer.Argument(help="Where it listens.")],
    namespace: Annotated[
        str | None, typer.Option("--namespace", "-n", help="Below which each person has one; the platform's name.")
    ] = None,
) -> None:
    """Run a chatbot that remembers what each person tells it, after asking them, and answers from it."""
    import asyncio

    from aim_memory.chatbots.chatbot import Chatbot

    serve = _serve(platform, place.settings.bots)
    with place.memory() as memory:
        output.say(f"The bot listens on {platform.value.capitalize()}; stop it with Ctrl-C.")
        asyncio.run(_until_stopped(serve(Chatbot(memory, namespace or platform.value))))


async def _until_stopped(serving: Awaitable[None]) -> None:
    """Until Ctrl-C or SIGTERM, after which what is being said is finished."""
    import asyncio
    import signal

    task = asyncio.ensure_future(serving)
    loop = asyncio.get_running_loop()
    for sign in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(sign, task.cancel)
    try:
        await task
    except asyncio.CancelledError:
        output.say("Stopped.")


def _serve(platform: Platform, tokens: BotSettings) -> Callable[[Chatbot], Awaitable[None]]:
    """What runs a chatbot on the platform. Raises ConfigurationError without its token, MissingExtraError."""
    match platform:
        case Platform.SLACK:
            bot, app = _token(tokens.slack_token, "slack_token"), _token(tokens.slack_app_token, "slack_app_token")
            from aim_memory.chatbots import slack

            return lambda chatbot: slack.run(chatbot, bot, app)
        case Platform.DISCORD:
            token = _token(tokens.discord_token, "discord_token")
            from aim_memory.chatbots import discord

            return lambda chatbot: discord.run(chatbot, token)
        case Platform.TELEGRAM:
            token = _token(tokens.telegram_token, "telegram_token")
            from aim_memory.chatbots import telegram

            return lambda chatbot: telegram.run(chatbot, token)


def _token(secret: SecretStr | None, name: str) -> str:
    if secret is None:
        raise ConfigurationError(f"AIM_BOTS__{name.upper()} is not set; docs/chatbots.md says where to get it.")
    return secret.get_secret_value()
