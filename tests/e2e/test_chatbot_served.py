"""A chatbot over HTTP with a writer's key: the same replies as on a folder, and everything can be erased."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from aim_memory import AsyncClient, Client, assemble
from aim_memory.chatbots import phrases
from aim_memory.chatbots.chatbot import Chatbot
from aim_memory.cli.local_server import LocalServer
from aim_memory.settings import EmbedderSettings, Settings
from tests.chatbots.doubles import origin, said

pytestmark = [pytest.mark.anyio, pytest.mark.parametrize("anyio_backend", ["asyncio"])]


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, str]]:
    """Address and key."""
    home: Path = tmp_path_factory.mktemp("server")
    settings = Settings(home=home, embedder=EmbedderSettings(kind="hashing"))
    token = assemble.open_keyring(settings).create("acme", "the bot's", "writer").token
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("AIM_EMBEDDER__KIND", "hashing")
        running = LocalServer(home)
    with running:
        running.wait_until_ready()
        yield running.url, token


async def test_from_the_first_word_to_the_last(served: tuple[str, str], anyio_backend: str) -> None:
    with Client(*served) as client:
        await talk(Chatbot(client, "test"), "ada")
    async with AsyncClient(*served) as waiting:
        await talk(Chatbot(waiting, "test"), "bo")


async def talk(bot: Chatbot, person: str) -> None:
    where = origin(person)
    assert await bot.hear(said("My dentist is Dr. Okafor.", "1", where)) is not None
    for command, reply in (("agree", phrases.AGREED), ("mydata", phrases.my_data(1))):
        assert (await bot.command(command, said("", "0", where))).text == reply
    for _ in range(2):
        await bot.hear(said("My dentist is Dr. Okafor.", "1", where))
    await bot.change(said("My dentist is Dr. Lindqvist.", "1", where, edited=1))
    assert "Lindqvist" in (await bot.command("ask", said("Who is my dentist?", "2", where))).text
    assert (await bot.command("mydata", said("", "3", where))).text == phrases.my_data(2)
    await bot.hear(said("The launch is on 14 May.", "4", where))
    await bot.remove("4")
    assert (await bot.command("mydata", said("", "5", where))).text == phrases.my_data(2)
    assert (await bot.command("forget", said("everything", "6", where))).text == phrases.forgotten(2)
    assert (await bot.command("mydata", said("", "7", where))).text == phrases.NOTHING_KEPT
