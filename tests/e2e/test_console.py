"""The console in a real browser: talk, look behind the answer, search, edit, forget, and see what replaced what."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from aim_memory import Client, assemble
from aim_memory.cli.local_server import LocalServer
from aim_memory.settings import EmbedderSettings, Settings
from tests.browser import browser

NAMESPACE = "user/ada"
HOSTILE = "<img src=x onerror=\"document.title='broken'\"> <script>document.title='broken'</script>"
SAID = (
    ("2026-01-05T10:00:00Z", "I live in Paris."),
    ("2026-02-05T10:00:00Z", "The launch is on 14 May and the budget is 12,500 euros."),
    ("2026-03-05T10:00:00Z", "I live in Rome now."),
    ("2026-03-06T10:00:00Z", HOSTILE),
)


@pytest.fixture(scope="module")
def url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("AIM_EMBEDDER__KIND", "hashing")
        server = LocalServer(tmp_path_factory.mktemp("console"))
    with server:
        server.wait_until_ready()
        with Client(server.url) as client:
            items = [{"text": text, "timestamp": at, "speaker": "Ada", "role": "user"} for at, text in SAID]
            client.write(memories=items, namespace=NAMESPACE)
        yield server.url


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    with browser() as opened:
        yield opened


@pytest.fixture
def page(chromium: Browser, url: str) -> Iterator[Page]:
    """The console, which must complain of nothing: no error of its scripts, nothing that its policy forbids."""
    context = chromium.new_context(locale="en-GB", viewport={"width": 1200, "height": 800})
    opened, complaints = context.new_page(), list[str]()
    opened.on("pageerror", lambda error: complaints.append(str(error)))
    opened.on("console", lambda said: complaints.append(said.text) if said.type == "error" else None)
    opened.goto(f"{url}/console/")
    yield opened
    assert opened.title() == "AIM-Memory"
    context.close()
    assert complaints == []


def test_a_question_is_answered_with_the_memories_behind_it(page: Page) -> None:
    page.fill("#question", "When is the launch, and what is the budget?")
    page.press("#question", "Enter")
    answer = page.locator(".answered:not(.busy)")
    expect(answer).to_contain_text("14 May")
    expect(answer.locator("sup").first).to_have_text("[1]")
    quote = "The launch is on 14 May and the budget is 12,500 euros."
    expect(answer.locator(".words")).to_have_text(f"{quote}[1] Date: 14 May 2026")
    first = page.locator("#behind .memory").first
    expect(first.locator("mark").first).to_contain_text("12,500 euros")
    first.locator("summary").click()
    expect(first.locator(".parts tr").first).to_be_visible()


def test_memories_are_searched_edited_looked_into_and_forgotten(page: Page, url: str) -> None:
    page.click("#tab-memories")
    expect(page.locator("#list .memory")).to_have_count(len(SAID))
    page.fill("#text", "The kettle is blue.")
    page.press("#text", "Enter")
    expect(page.locator("#list .memory")).to_have_count(len(SAID) + 1)
    page.fill("#words", "kettle")
    page.press("#words", "Enter")
    card = page.locator("#list .memory").filter(has_text="kettle")
    card.get_by_role("button", name="Edit").click()
    page.fill("dialog textarea", "The kettle is red.")
    page.click("dialog button.main")
    expect(card.locator(".text")).to_have_text("The kettle is red.")
    card.get_by_role("button", name="History").click()
    expect(page.locator("dialog .versions li")).to_have_count(2)
    page.click("dialog button.main")
    card.get_by_role("button", name="Forget").click()
    page.click("dialog button.main")
    expect(card).to_have_count(0)
    with Client(url) as client:
        assert "kettle" not in " ".join(one.text for one in client.list(namespace=NAMESPACE, limit=200).items)


def test_what_was_remembered_is_text_and_never_markup(page: Page) -> None:
    page.click("#tab-memories")
    expect(page.locator("#list .text").filter(has_text="<script>")).to_have_count(1)
    expect(page.locator("main img")).to_have_count(0)


def test_the_timeline_shows_what_replaced_what(page: Page) -> None:
    page.click("#tab-timeline")
    expect(page.locator("circle")).to_have_count(len(SAID))
    expect(page.locator("circle.old")).to_have_count(1)
    expect(page.locator("path.arc")).to_have_count(1)
    page.locator("circle.old").click()
    expect(page.locator("#picked")).to_contain_text("I live in Paris.")


def test_it_speaks_chinese(page: Page) -> None:
    page.click("#language")
    expect(page.locator("#tab-chat")).to_have_text("对话")
    page.reload()
    expect(page.locator("#tab-memories")).to_have_text("记忆")


def test_a_server_with_keys_is_asked_with_one(chromium: Browser, tmp_path: Path) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("AIM_EMBEDDER__KIND", "hashing")
        server = LocalServer(tmp_path)
    settings = Settings(home=tmp_path, embedder=EmbedderSettings(kind="hashing"))
    token = _key(settings)
    with server:
        server.wait_until_ready()
        context = chromium.new_context(locale="en-GB")
        page = context.new_page()
        page.goto(f"{server.url}/console/")
        page.fill("dialog input", token)
        page.click("dialog button.main")
        page.click("#tab-memories")
        expect(page.locator("#counted")).to_have_text("0 shown")
        context.close()


def _key(settings: Settings) -> str:
    return assemble.open_keyring(settings).create("acme", "console", "admin").token
