"""The main job, end to end, in a real browser: ask, propose, approve, send, learn, promote."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser.conftest import Visit
from tests.serving import Server

pytestmark = [pytest.mark.browser, pytest.mark.timeout(420)]
MINUTE = 60_000


@pytest.fixture
def manager(browser: Browser, server: Server) -> Iterator[Visit]:
    opened = Visit(browser, server)
    yield opened
    opened.close()


def ask(page: Page, text: str) -> None:
    page.get_by_test_id("composer").fill(text)
    page.get_by_test_id("send").click()


def test_a_campaign_from_question_to_promotion(visit: Visit, manager: Visit) -> None:
    page = visit.sign_in("marketer")
    expect(page.get_by_test_id("tile-ctr")).to_contain_text("%")
    visit.shoot("story-1-overview")

    page.get_by_test_id("nav-copilot").first.click()
    ask(page, "Compare click-through rate by channel, last 30 days")
    expect(page.get_by_test_id("chart").last).to_be_visible(timeout=MINUTE)
    expect(page.get_by_test_id("answer").last).to_contain_text("%")
    visit.shoot("story-2-question")

    proposed(visit, "Find who is slipping, propose an action, write the push")
    visit.shoot("story-3-proposal")
    number = proposed(visit, "Propose the next best action for everyone by e-mail")

    approve(manager, number)
    let_time_pass(manager, "advance-week")
    assert delivered(manager, number) > 0
    manager.page.get_by_test_id("messages-open").first.click()
    expect(manager.page.get_by_test_id("kept-message").first).to_be_visible()
    manager.shoot("story-5-delivered")
    manager.page.keyboard.press("Escape")

    promotion = promoted(manager)
    manager.shoot("story-6-promotion")
    approve(manager, promotion)
    manager.page.get_by_test_id("nav-overview").first.click()
    expect(manager.page.get_by_test_id("tile-ctr")).to_contain_text("%")
    manager.shoot("story-7-overview-after")
    assert visit.foreign + manager.foreign == []
    assert visit.errors + manager.errors == []


def proposed(visit: Visit, text: str) -> str:
    """Ask for it and wait for a new proposal's card; its number."""
    cards = visit.page.get_by_test_id("proposal-card")
    before = cards.count()
    ask(visit.page, text)
    expect(cards).to_have_count(before + 1, timeout=MINUTE)
    expect(visit.page.get_by_test_id("stop")).to_have_count(0, timeout=MINUTE)
    number = re.search(r"PRP-\d+", cards.last.inner_text())
    assert number is not None
    return number.group()


def approve(manager: Visit, proposal_id: str) -> None:
    """The manager reads the proposal in the queue and approves it."""
    if manager.page.url == "about:blank":
        manager.sign_in("manager")
    page = manager.page
    page.goto(f"{manager.url}/approvals")
    page.get_by_test_id(f"proposal-{proposal_id}").first.click()
    manager.shoot(f"story-4-{proposal_id}")
    page.get_by_test_id("approve").first.click()
    page.get_by_test_id("confirm-approve").first.click()
    page.goto(f"{manager.url}/approvals?status=decided&id={proposal_id}")
    expect(page.get_by_test_id("decided").first).to_be_visible(timeout=MINUTE)


def let_time_pass(manager: Visit, test_id: str) -> None:
    page = manager.page
    page.get_by_test_id(test_id).first.click()
    page.wait_for_timeout(1500)
    expect(page.get_by_role("progressbar")).to_have_count(0, timeout=3 * MINUTE)


def delivered(manager: Visit, proposal_id: str) -> int:
    """What the loopback connector has accepted of this proposal's campaign."""
    page = manager.page
    page.goto(f"{manager.url}/approvals?status=decided&id={proposal_id}")
    shown = page.get_by_test_id("delivery-delivered").first
    expect(shown).to_be_visible(timeout=MINUTE)
    return int(re.sub(r"\D", "", shown.inner_text()) or 0)


def promoted(manager: Visit) -> str:
    """The promotion that the experiment's look proposed; more days pass until its bound is crossed."""
    page = manager.page
    for _ in range(3):
        items = page.evaluate("fetch('/api/proposals?status=pending').then(r => r.json())")["items"]
        found = [item["id"] for item in items if item["kind"] == "promotion"]
        if found:
            page.goto(f"{manager.url}/approvals")
            page.get_by_test_id(f"proposal-{found[0]}").first.click()
            return str(found[0])
        let_time_pass(manager, "advance-week")
    raise AssertionError("no promotion was proposed")
