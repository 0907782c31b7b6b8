"""One Chromium for the run; each test gets a fresh context that records foreign requests."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, sync_playwright

from tests.browser.provide_chromium import find
from tests.serving import Server

ARTIFACTS = Path(__file__).resolve().parents[2] / "artifacts" / "screenshots"
QUIET = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)


@pytest.fixture(scope="module")  # a session-long playwright would leave its event loop to the async tests
def browser() -> Iterator[Browser]:
    path = find()
    if path is None:
        pytest.skip("no Chromium on this machine and none could be installed")
    with sync_playwright() as playwright:
        running = playwright.chromium.launch(executable_path=path, args=list(QUIET))
        yield running
        running.close()


class Visit:
    """A page of the cockpit, and every request that it made elsewhere."""

    def __init__(self, browser: Browser, server: Server, *, width: int = 1440, dark: bool = False) -> None:
        self.url = server.url
        self.context = browser.new_context(
            viewport={"width": width, "height": 1000}, color_scheme="dark" if dark else "light"
        )
        self.foreign: list[str] = []
        self.errors: list[str] = []
        self.context.on("request", self._watch)
        self.page: Page = self.context.new_page()
        self.page.on("pageerror", lambda error: self.errors.append(str(error)))
        self.page.set_default_timeout(20_000)

    def _watch(self, request: object) -> None:
        url = getattr(request, "url", "")
        if not url.startswith((self.url, "data:", "blob:")):
            self.foreign.append(url)

    def sign_in(self, role: str) -> Page:
        self.page.goto(f"{self.url}/login")
        self.page.get_by_test_id(f"login-{role}").first.click()
        self.page.get_by_role("heading", name="Campaign overview").wait_for()
        return self.page

    def shoot(self, name: str) -> None:
        ARTIFACTS.mkdir(parents=True, exist_ok=True)
        self.page.wait_for_timeout(900)  # cards fade in and charts draw
        self.page.screenshot(path=ARTIFACTS / f"{name}.png")

    def close(self) -> None:
        self.context.close()


@pytest.fixture
def visit(browser: Browser, server: Server) -> Iterator[Visit]:
    opened = Visit(browser, server)
    yield opened
    opened.close()
