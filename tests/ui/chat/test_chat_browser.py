"""The chat in a real browser: an answer, a decision, a late second answer, a reload, a sign-out."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, expect

pytestmark = pytest.mark.browser
expect.set_options(timeout=20_000)
SHOTS = Path(__file__).resolve().parents[3] / "artifacts" / "screenshots"
PENDING, APPROVED = "[data-status=pending]", "[data-status=approved]"


class Visitor:
    """One person's browser, and what it asked of other origins."""

    def __init__(self, browser: Browser, url: str, *, dark: bool = False, width: int = 1280) -> None:
        self.url = url
        scheme: Any = "dark" if dark else "light"
        self.context = browser.new_context(viewport={"width": width, "height": 900}, color_scheme=scheme)
        self.context.set_default_timeout(30_000)
        self.foreign: list[str] = []
        self.broken: list[str] = []
        self.context.on("request", self._request)
        self.context.on("response", self._response)
        self.page: Page = self.context.new_page()
        self.page.on("pageerror", lambda error: self.broken.append(str(error)))

    def _request(self, request: Any) -> None:
        if not request.url.startswith((f"{self.url}/", "data:", "blob:")):
            self.foreign.append(request.url)

    def _response(self, response: Any) -> None:
        if response.status >= 400 and response.status != 503 and "favicon.ico" not in response.url:
            self.broken.append(f"{response.status} {response.url}")

    def enter(self, who: str) -> Page:
        self.page.goto(f"{self.url}/sign-in/{who}")
        # the first visit of all also waits for the import
        expect(self.page.locator("#starters button").first).to_be_enabled(timeout=90_000)
        return self.page

    def ask(self, text: str) -> None:
        self.page.locator("#chat-input").click()
        self.page.keyboard.type(text)
        self.page.keyboard.press("Enter")

    def shoot(self, name: str) -> None:
        SHOTS.mkdir(parents=True, exist_ok=True)
        self.page.wait_for_timeout(400)  # transitions end
        self.page.screenshot(path=SHOTS / f"chat_{name}.png")


@pytest.fixture
def visitor(chromium: Browser, chat_url: str) -> Iterator[Visitor]:
    opened = Visitor(chromium, chat_url)
    yield opened
    opened.context.close()


def test_an_answer_shows_its_agents_facts_chart_and_trust(visitor: Visitor) -> None:
    page = visitor.enter("ana")
    visitor.shoot("welcome")
    visitor.ask("How did click-through rate develop?")
    expect(page.get_by_text("Verified metric")).to_be_visible()
    expect(page.get_by_role("img", name=re.compile("Click-through rate by day"))).to_be_visible()
    expect(page.get_by_text("Insights agent · 0.2 s")).to_be_visible()
    expect(page.get_by_text("+0.9 pp")).to_be_visible()
    assert re.search(r"/chat/thread/[0-9a-f-]{36}$", page.url)
    visitor.shoot("answer")
    page.reload()
    expect(page.get_by_role("img", name=re.compile("Click-through rate by day"))).to_be_visible()
    expect(page.get_by_text("1 agent · 0.2 s")).to_be_visible()
    assert (visitor.foreign, visitor.broken) == ([], [])


def test_a_manager_approves_and_the_card_says_so(visitor: Visitor) -> None:
    page = visitor.enter("ana")
    visitor.ask("Find who is slipping and propose an action")
    expect(page.locator(PENDING)).to_be_visible()
    expect(page.get_by_text("Awaiting approval")).to_be_visible()
    visitor.shoot("card")
    page.get_by_role("button", name="Approve").click()
    expect(page.locator(APPROVED)).to_contain_text("Approved by Ana Ruiz")
    page.reload()
    expect(page.locator(APPROVED)).to_contain_text("Approved by Ana Ruiz")
    expect(page.locator(PENDING)).to_have_count(0)
    assert (visitor.foreign, visitor.broken) == ([], [])


def test_a_pending_card_is_there_after_a_reload_and_rejecting_needs_a_reason(visitor: Visitor) -> None:
    page = visitor.enter("ana")
    visitor.ask("Please propose an action")
    expect(page.locator(PENDING)).to_be_visible()
    page.reload()
    expect(page.locator(PENDING)).to_be_visible()
    page.get_by_role("button", name="Reject").click()
    confirm = page.get_by_role("button", name="Reject proposal")
    expect(confirm).to_be_disabled()
    page.get_by_label("Why not?").fill("The window is wrong")
    confirm.click()
    expect(page.locator("[data-status=rejected]")).to_contain_text("The window is wrong")


def proposal_id(page: Page) -> str:
    return page.locator(PENDING).get_attribute("data-proposal") or ""


def test_a_late_second_answer_is_told_who_was_first(visitor: Visitor) -> None:
    page = visitor.enter("ana")
    visitor.ask("Please propose an action")
    expect(page.locator(PENDING)).to_be_visible()
    decide = f"{visitor.url}/decide/tomas/{proposal_id(page)}/approve?push=false"
    assert httpx.get(decide).json() == {"status": "approved"}
    page.get_by_role("button", name="Approve").click()
    expect(page.locator(APPROVED)).to_contain_text("Approved by Tomas Berg")
    expect(page.locator(APPROVED)).to_contain_text("Already decided by Tomas Berg at 10:04.")
    expect(page.get_by_role("button", name="Approve")).to_have_count(0)


def test_a_decision_made_in_the_queue_reaches_the_open_chat(visitor: Visitor) -> None:
    page = visitor.enter("ana")
    visitor.ask("Please propose an action")
    expect(page.locator(PENDING)).to_be_visible()
    httpx.get(f"{visitor.url}/decide/tomas/{proposal_id(page)}/approve")
    expect(page.locator(APPROVED)).to_contain_text("Approved by Tomas Berg")


def test_a_manager_approves_in_a_new_chat_what_somebody_else_proposed(visitor: Visitor) -> None:
    brought = httpx.get(f"{visitor.url}/bring/vera/4").json()
    page = visitor.page
    page.goto(f"{visitor.url}/sign-in/vera")
    expect(page.get_by_text("4 proposals wait for your decision.")).to_be_visible(timeout=90_000)
    expect(page.locator(PENDING)).to_have_count(3)
    expect(page.get_by_role("link", name="See all in Approvals")).to_have_attribute("href", "/approvals")
    expect(page.get_by_text("Your card costs €12 a year.").first).to_be_visible()
    expect(page.get_by_text("{term:")).to_have_count(0)
    newest = page.locator(f"[data-proposal='{brought[-1]}']")
    newest.get_by_role("button", name="Approve").click()
    expect(newest).to_contain_text("Approved by Vera Sousa")
    assert newest.get_attribute("data-status") == "approved"
    expect(page.get_by_text("smart_reach_decide")).to_have_count(0)
    visitor.shoot("queue")
    httpx.get(f"{visitor.url}/decide/tomas/{brought[-2]}/approve")
    expect(page.locator(f"[data-proposal='{brought[-2]}']")).to_contain_text("Approved by Tomas Berg")
    page.get_by_role("button", name="Who is slipping?").click()
    expect(page.locator(f"[data-proposal='{brought[-3]}']")).to_be_visible()
    page.wait_for_url("**/chat/thread/*")
    page.reload()
    expect(page.get_by_text("2 proposals wait for your decision.")).to_be_visible()
    for name in brought[:2]:
        card = page.locator(f"[data-proposal='{name}']")
        card.get_by_role("button", name="Approve").click()
        expect(card).to_contain_text("Approved by Vera Sousa")
    assert (visitor.foreign, visitor.broken) == ([], [])


def test_asking_what_needs_approval_brings_the_cards(visitor: Visitor) -> None:
    page = visitor.enter("rui")
    page.get_by_role("button", name="What needs my approval?").click()
    expect(page.get_by_text("Nothing waits for your decision.")).to_be_visible()
    (name,) = httpx.get(f"{visitor.url}/bring/rui/1").json()
    for _ in range(2):  # the second time the card moves down
        visitor.ask("Show pending proposals")
        expect(page.get_by_text("1 proposal waits for your decision.").last).to_be_visible()
    card = page.locator(f"[data-proposal='{name}']")
    expect(card).to_have_count(1)
    card.get_by_role("button", name="Approve").click()
    expect(card).to_contain_text("Approved by Rui Alves")
    visitor.ask("Show pending proposals")
    expect(page.get_by_text("Nothing waits for your decision.")).to_have_count(2)
    assert (visitor.foreign, visitor.broken) == ([], [])


def test_a_marketer_is_told_that_a_manager_decides(visitor: Visitor) -> None:
    page = visitor.enter("maya")
    visitor.ask("Please propose an action")
    page.get_by_role("button", name="Approve").click()
    expect(page.get_by_role("alert")).to_contain_text("A marketer may not decide.")
    expect(page.locator(PENDING)).to_be_visible()


def test_a_choice_answers_the_question_and_a_thumb_reaches_the_message(visitor: Visitor) -> None:
    page = visitor.enter("ana")
    visitor.ask("which rate?")
    page.get_by_role("button", name="Open rate").click()
    expect(page.get_by_text("Verified metric")).to_be_visible()
    before = len(httpx.get(f"{visitor.url}/state").json()["thumbs"])
    page.locator(".positive-feedback-off").last.click()
    page.get_by_role("button", name="Submit feedback").click()
    expect(page.locator(".positive-feedback-on").last).to_be_visible()
    thumbs = httpx.get(f"{visitor.url}/state").json()["thumbs"][before:]
    assert [(message.split(":")[0] in page.url, score) for message, score, _ in thumbs] == [(True, 1)]


def test_a_failure_is_told_without_its_details(visitor: Visitor) -> None:
    page = visitor.enter("ana")
    visitor.ask("break please")
    expect(page.get_by_text("Something went wrong while answering.")).to_be_visible()
    expect(page.get_by_text("secret detail")).to_have_count(0)


def test_another_persons_thread_stays_closed(visitor: Visitor, chromium: Browser) -> None:
    page = visitor.enter("ana")
    visitor.ask("How did click-through rate develop?")
    expect(page.get_by_text("Verified metric")).to_be_visible()
    other = Visitor(chromium, visitor.url)
    other.enter("tomas")
    other.page.goto(page.url)
    expect(other.page.get_by_text("Couldn't resume chat").first).to_be_visible()
    expect(other.page.get_by_text("Verified metric")).to_have_count(0)
    other.context.close()


def test_a_conversation_can_be_renamed_in_the_list(visitor: Visitor) -> None:
    page = visitor.enter("maya")
    visitor.ask("How did click-through rate develop?")
    expect(page.get_by_text("Verified metric")).to_be_visible()
    page.locator("#thread-options").first.click()
    page.get_by_role("menuitem", name="Rename").click()
    page.get_by_role("textbox", name="Name").fill("Clicks of November")
    page.get_by_role("button", name="Confirm").click()
    expect(page.get_by_text("Clicks of November").first).to_be_visible()
    page.reload()
    expect(page.get_by_text("Clicks of November").first).to_be_visible()


def test_signing_out_of_the_chat_ends_the_one_session(visitor: Visitor) -> None:
    page = visitor.enter("ana")
    names = {cookie.get("name") for cookie in visitor.context.cookies()}
    assert names == {"smart_reach_session"}
    page.locator("#user-nav-button").click()
    page.get_by_role("menuitem", name="Sign out").click()
    page.wait_for_url("**/login?next=**")
    assert visitor.context.cookies() == []


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
def test_light_dark_and_a_phone(chromium: Browser, chat_url: str, dark: bool) -> None:
    visitor = Visitor(chromium, chat_url, dark=dark, width=390)
    page = visitor.enter("ana")
    visitor.ask("How did click-through rate develop?")
    expect(page.get_by_text("Verified metric")).to_be_visible()
    visitor.ask("Please propose an action")
    expect(page.locator(PENDING)).to_be_visible()
    wide = page.evaluate("document.documentElement.scrollWidth")
    assert wide <= 390
    visitor.shoot("phone_dark" if dark else "phone_light")
    for part in ("section.sr-card", ".sr-answer"):
        found = Axe().run(page, context={"include": [[part]]})
        assert found.violations_count == 0, found.generate_report()
    page.set_viewport_size({"width": 1280, "height": 900})
    visitor.shoot("dark" if dark else "light")
    assert (visitor.foreign, visitor.broken) == ([], [])
    visitor.context.close()
