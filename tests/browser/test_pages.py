"""Every page, light and dark, wide and narrow: nothing foreign, nothing broken, screenshots kept."""

from __future__ import annotations

import pytest
from playwright.sync_api import Browser, expect

from tests.browser.conftest import Visit
from tests.serving import Server

pytestmark = pytest.mark.browser
TABS = ("letters", "identity", "schemas")
PAGES = ("overview", "copilot", "approvals", "data", *(f"data?tab={tab}" for tab in TABS))


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
@pytest.mark.parametrize("width", [1280, 390])
def test_pages_fit_and_stay_on_their_origin(browser: Browser, server: Server, width: int, dark: bool) -> None:
    visit = Visit(browser, server, width=width, dark=dark)
    page = visit.sign_in("manager")
    for name in PAGES:
        page.goto(f"{visit.url}/{'' if name == 'overview' else name}")
        expect(page.get_by_role("main")).to_be_visible()
        page.wait_for_load_state("networkidle") if name == "login" else page.wait_for_timeout(1200)
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), f"{name} scrolls sideways"
        visit.shoot(f"{name.replace('?tab=', '-')}-{width}-{'dark' if dark else 'light'}")
    assert visit.foreign == []
    assert visit.errors == []
    visit.close()


def test_the_chat_stays_on_its_origin(visit: Visit) -> None:
    page = visit.sign_in("marketer")
    page.goto(f"{visit.url}/chat/")
    expect(page.locator("#chat-input, textarea").first).to_be_visible(timeout=90_000)
    visit.shoot("chat")
    assert visit.foreign == []


def test_a_stranger_is_sent_to_the_login(visit: Visit) -> None:
    visit.page.goto(f"{visit.url}/approvals")
    expect(visit.page.get_by_test_id("login-manager").first).to_be_visible()
    visit.shoot("login")
