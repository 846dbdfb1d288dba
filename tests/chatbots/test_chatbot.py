"""The chatbot behind all platforms: consent, one memory for each message, commands, and nobody else's words."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any, cast

import pytest

from aim_memory import AIMMemory, errors
from aim_memory.bodies import DeleteReply, MemoryView
from aim_memory.chatbots import phrases
from aim_memory.chatbots.chatbot import Chatbot, Recent
from aim_memory.chatbots.messages import Origin, Reply
from tests.chatbots.doubles import Away, memory_in, origin, said

pytestmark = pytest.mark.anyio


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[AIMMemory]:
    with memory_in(tmp_path_factory.mktemp("home")) as memory:
        yield memory


@pytest.fixture
def memory(shared: AIMMemory) -> Iterator[AIMMemory]:
    """Empty."""
    yield shared
    for found in shared.namespaces().items:
        shared.forget(found.namespace)


@pytest.fixture
def bot(memory: AIMMemory) -> Chatbot:
    return Chatbot(memory, "test")


def kept(memory: AIMMemory, person: str = "ada") -> list[MemoryView]:
    """Without the consent."""
    views = memory.iterate(namespace=f"test/{person}")
    return [view for view in views if view.source != "consent"]


def text(reply: Reply | None) -> str:
    assert reply is not None
    return reply.text


async def agree(bot: Chatbot, *people: str) -> None:
    for person in people or ("ada",):
        assert text(await bot.command("agree", said("", "agree", origin(person)))) == phrases.AGREED


# --- consent -------------------------------------------------------------------------------------------------------


async def test_nothing_is_kept_before_the_person_agrees(bot: Chatbot, memory: AIMMemory) -> None:
    assert text(await bot.hear(said("My dentist is Dr. Okafor."))) == phrases.NOTICE
    assert text(await bot.command("remember", said("My dentist is Dr. Okafor.", "2"))) == phrases.NOTICE
    assert text(await bot.command("ask", said("Who is my dentist?", "3"))) == phrases.NOTICE
    await bot.change(said("My dentist is Dr. Lindqvist.", edited=1))
    assert memory.namespaces().items == []


async def test_the_notice_is_not_said_again_for_an_event_that_is_delivered_again(bot: Chatbot) -> None:
    assert text(await bot.hear(said("hello"))) == phrases.NOTICE
    assert await bot.hear(said("hello")) is None
    assert text(await bot.hear(said("hello", "2"))) == phrases.NOTICE


async def test_who_speaks_to_others_is_not_bothered(bot: Chatbot) -> None:
    assert await bot.hear(said("hello all", addressed=False)) is None


async def test_agreeing_twice_is_agreeing_once(bot: Chatbot, memory: AIMMemory) -> None:
    await agree(bot)
    await agree(bot)
    (consent,) = memory.iterate(namespace="test/ada")
    assert (consent.text, consent.source) == (phrases.TERMS, "consent")


async def test_forgetting_everything_takes_the_consent_back(bot: Chatbot, memory: AIMMemory) -> None:
    await agree(bot)
    await bot.hear(said("My dentist is Dr. Okafor."))
    assert text(await bot.hear(said("/forget everything", "2"))).startswith("Erased")
    assert memory.namespaces().items == []
    assert text(await bot.hear(said("My dentist is Dr. Okafor.", "3"))) == phrases.NOTICE
    assert text(await bot.hear(said("/forget everything", "4"))) == phrases.NOTHING_KEPT


async def test_a_writer_s_key_forgets_everything_though_derived_memories_go_with_others(memory: AIMMemory) -> None:
    class Writer:
        """May erase no namespace; with each memory goes the next, as one that was derived from it does."""

        def __getattr__(self, verb: str) -> Any:
            return getattr(memory, verb)

        def forget(self, namespace: str) -> None:
            raise errors.PermissionDeniedError(namespace)

        def delete(self, memory_id: str, *, namespace: str) -> DeleteReply:
            ids = [view.id for view in memory.iterate(namespace=namespace)]
            reply = memory.delete(memory_id, namespace=namespace)
            for derived in ids[1:2]:
                memory.delete(derived, namespace=namespace)
            return reply

    bot = Chatbot(cast(AIMMemory, Writer()), "test")
    await agree(bot)
    for number in range(4):
        await bot.hear(said(f"The launch is on {number} May.", str(number)))
    await bot.command("ask", said("When is the secret launch?", "8"))
    assert memory.sessions(namespace="test/ada").items
    assert text(await bot.command("forget", said("everything", "9"))).startswith("Erased")
    assert list(memory.iterate(namespace="test/ada")) == []
    assert memory.sessions(namespace="test/ada").items == []


# --- one message, one memory ---------------------------------------------------------------------------------------


async def test_a_statement_is_noted_and_a_question_answered_with_its_day(bot: Chatbot) -> None:
    await agree(bot)
    assert text(await bot.hear(said("My dentist is Dr. Okafor."))) == phrases.NOTED
    answer = text(await bot.hear(said("Who is my dentist?", "2")))
    assert "Okafor" in answer
    assert "2026-03-02" in answer
    assert "Okafor" in text(await bot.command("ask", said("Who is my dentist?", "3")))


async def test_a_message_that_comes_again_is_neither_kept_nor_answered_again(bot: Chatbot, memory: AIMMemory) -> None:
    await agree(bot)
    await bot.hear(said("My dentist is Dr. Okafor."))
    assert await bot.hear(said("My dentist is Dr. Okafor.")) is None
    assert [view.text for view in kept(memory)] == ["My dentist is Dr. Okafor."]


async def test_a_command_that_is_delivered_twice_is_obeyed_once(bot: Chatbot) -> None:
    assert text(await bot.hear(said("/help"))) == phrases.NOTICE
    assert await bot.hear(said("/help")) is None
    await agree(bot)
    long = "word " * 10_000
    assert "32,768" in text(await bot.hear(said(long, "2")))
    assert await bot.hear(said(long, "2")) is None


async def test_an_edit_changes_the_memory_whatever_comes_first(bot: Chatbot, memory: AIMMemory) -> None:
    await agree(bot)
    await bot.change(said("The launch is on 3 May.", edited=2))
    assert await bot.hear(said("The launch is on 1 May.")) is None
    await bot.change(said("The launch is on 2 May.", edited=1))
    assert [view.text for view in kept(memory)] == ["The launch is on 3 May."]
    await bot.change(said("The launch is on 4 May.", edited=3))
    assert [view.text for view in kept(memory)] == ["The launch is on 4 May."]


async def test_a_deleted_message_stays_away_even_when_it_comes_again(bot: Chatbot, memory: AIMMemory) -> None:
    await agree(bot)
    await bot.hear(said("My dentist is Dr. Okafor."))
    await bot.remove("1", "test/ada")
    assert await bot.hear(said("My dentist is Dr. Okafor.")) is None
    await bot.change(said("My dentist is Dr. Lindqvist.", edited=1))
    await bot.remove("2", "test/ada")
    assert await bot.hear(said("I never said this.", "2")) is None
    assert kept(memory) == []


async def test_a_deleted_message_stays_away_from_a_bot_that_was_restarted(bot: Chatbot, memory: AIMMemory) -> None:
    await agree(bot)
    await bot.hear(said("My locker code is 4711.", "m1"))
    await bot.remove("m1", "test/ada")
    again = Chatbot(memory, "test")
    assert await again.hear(said("My locker code is 4711.", "m1")) is None
    await again.change(said("My locker code is 4712.", "m1", edited=1))
    assert kept(memory) == []


async def test_a_deletion_that_names_nobody_finds_the_owner(bot: Chatbot, memory: AIMMemory) -> None:
    await agree(bot, "ada", "bo")
    memory.write("Bo is elsewhere.", namespace="elsewhere/bo")
    for person in ("ada", "bo"):
        await bot.hear(said("I was here.", f"of-{person}", origin(person)))
    await bot.remove("of-bo")
    await bot.remove("of-cy")
    assert await bot.hear(said("I was here.", "of-bo", origin("bo"))) is None
    assert await bot.hear(said("I was here.", "of-cy", origin("ada"))) is None
    assert [len(kept(memory, person)) for person in ("ada", "bo")] == [1, 0]


async def test_secrets_are_left_out_of_what_is_kept_and_edited(bot: Chatbot, memory: AIMMemory) -> None:
    await agree(bot)
    reply = text(await bot.hear(said("My card is 4111 1111 1111 1111.")))
    assert "card number" in reply
    assert "4111" not in reply
    await bot.change(said("My password is hunter2", edited=1))
    (view,) = kept(memory)
    assert view.text == "My password is [removed: password]"
    history = memory.history(view.id, namespace="test/ada")
    assert not any("4111" in version.text or "hunter2" in version.text for version in history.versions)


async def test_secrets_are_left_out_of_questions_which_the_session_remembers(bot: Chatbot, memory: AIMMemory) -> None:
    await agree(bot)
    await bot.hear(said("Is my card 4111 1111 1111 1111?", "1"))
    await bot.command("ask", said("Is my password hunter2 or is my card 4111 1111 1111 1111?", "2"))
    asked = memory.session("dm", namespace="test/ada").model_dump_json()
    assert "card number" in asked
    assert "4111" not in asked


async def test_a_question_that_is_deleted_leaves_its_session_too(bot: Chatbot, memory: AIMMemory) -> None:
    await agree(bot)
    await bot.hear(said("Where is the zebra?", "1"))
    assert "zebra" in memory.session("dm", namespace="test/ada").model_dump_json()
    await bot.remove("1", "test/ada")
    with pytest.raises(errors.NotFoundError, match="has asked nothing yet"):
        memory.session("dm", namespace="test/ada")


async def test_what_cannot_be_kept_is_told(bot: Chatbot, memory: AIMMemory) -> None:
    await agree(bot)
    assert "32,768" in text(await bot.hear(said("word " * 10_000)))
    assert kept(memory) == []


# --- nobody else's words -------------------------------------------------------------------------------------------


async def test_nobody_is_answered_from_the_words_of_others(bot: Chatbot) -> None:
    await agree(bot, "ada", "bo")
    room = "general"
    await bot.hear(said("My salary is 91,000 euros.", "1", origin("ada", room, private=False), addressed=False))
    for where in (origin("bo"), origin("bo", room, private=False)):
        answer = text(await bot.command("ask", said("What is the salary?", "2", where)))
        assert "91,000" not in answer
        assert "91,000" not in text(await bot.command("forget", said("salary", "3", where)))


async def test_in_a_shared_room_only_what_was_said_there_is_shown(bot: Chatbot) -> None:
    await agree(bot)
    general, other = origin("ada", "general", private=False), origin("ada", "other", private=False)
    await bot.hear(said("My salary is 91,000 euros.", "1"))
    await bot.hear(said("The launch is on 14 May.", "2", general, addressed=False))

    async def asked(question: str, where: Origin) -> str:
        return text(await bot.command("ask", said(question, "3", where)))

    assert "91,000" in await asked("What is my salary?", origin())
    assert "14 May" in await asked("When is the launch?", origin())
    assert "14 May" in await asked("When is the launch?", general)
    assert "91,000" not in await asked("What is my salary?", general)
    assert "14 May" not in await asked("When is the launch?", other)
    assert "91,000" not in text(await bot.command("forget", said("salary", "4", general)))


async def test_what_was_said_in_private_is_not_quoted_beside_what_was_said_before_others(bot: Chatbot) -> None:
    await agree(bot)
    here = origin("ada", "general", private=False)
    aside = Origin(here.namespace, "slash:ada", here.session, private=True)
    await bot.hear(said("Where do I keep the spare key?", "1", here, addressed=False))
    await bot.command("remember", said("Under the blue flowerpot.", "2", aside))
    assert "flowerpot" in text(await bot.command("ask", said("Where exactly do I keep the spare key?", "3", aside)))
    assert "flowerpot" not in text(await bot.command("ask", said("Where exactly do I keep the spare key?", "4", here)))


# --- commands ------------------------------------------------------------------------------------------------------


async def test_forget_shows_what_matches_and_erases_one_by_its_name(bot: Chatbot, memory: AIMMemory) -> None:
    await agree(bot)
    await bot.command("remember", said("My dentist is Dr. Okafor.", "1"))
    await bot.command("remember", said("The launch is on 14 May.", "2"))
    shown = text(await bot.command("forget", said("dentist", "3")))
    name = re.findall(r"#(\w+) \(2026-03-02\): My dentist", shown)[0]
    assert text(await bot.command("forget", said(f"#{name}", "4"))) == f"Erased: #{name}."
    assert [view.text for view in kept(memory)] == ["The launch is on 14 May."]
    assert await bot.hear(said("My dentist is Dr. Okafor.", "1")) is None
    assert text(await bot.command("forget", said(f"#{name}", "5"))) == phrases.NO_SUCH_NAME


async def test_my_data_is_everything_and_can_be_imported_again(bot: Chatbot, memory: AIMMemory) -> None:
    assert text(await bot.command("mydata", said(""))) == phrases.NOTHING_KEPT
    await agree(bot)
    await bot.hear(said("My dentist is Dr. Okafor."))
    reply = await bot.command("mydata", said("", "2"))
    assert reply.attachment is not None
    lines = [json.loads(line) for line in reply.attachment.content.splitlines()]
    assert [line["text"] for line in lines] == [phrases.TERMS, "My dentist is Dr. Okafor."]
    assert "2 memories" in reply.text


async def test_my_data_is_not_shown_before_others(bot: Chatbot) -> None:
    await agree(bot)
    reply = await bot.command("mydata", said("", "1", origin("ada", "general", private=False)))
    assert reply == Reply(phrases.ONLY_IN_PRIVATE)


@pytest.mark.parametrize(
    ("line", "reply"),
    [
        ("/remember", phrases.NOTHING_TO_REMEMBER),
        ("/ask ", phrases.NOTHING_TO_ASK),
        ("/forget", phrases.NOTHING_TO_FORGET),
        ("/help", phrases.HELP),
        ("/start", phrases.HELP),
        ("/dance", phrases.UNKNOWN),
        ("/forget zebra", phrases.NOTHING_MATCHES),
    ],
)
async def test_commands_say_how_they_are_used(bot: Chatbot, memory: AIMMemory, line: str, reply: str) -> None:
    await agree(bot)
    assert await bot.hear(said(line)) == Reply(reply)
    assert kept(memory) == []


# --- when the memory fails -----------------------------------------------------------------------------------------


async def test_a_memory_that_is_away_is_told_to_who_asked() -> None:
    bot = Chatbot(Away(), "test")  # type: ignore[arg-type]
    assert text(await bot.hear(said("My dentist is Dr. Okafor."))) == phrases.FAILED
    assert await bot.hear(said("to others", addressed=False)) is None
    assert text(await bot.command("remember", said("My dentist is Dr. Okafor."))) == phrases.FAILED
    assert text(await bot.command("ask", said("Who?"))) == phrases.ASK_FAILED
    with pytest.raises(errors.ConnectionFailedError):
        await bot.take(said("My dentist is Dr. Okafor."))


def test_recent_names_are_bounded() -> None:
    recent = Recent(2)
    assert [recent.add(name) for name in ("a", "b", "a", "c")] == [True, True, False, True]
    assert ("a" in recent, "b" in recent, "c" in recent) == (True, False, True)
