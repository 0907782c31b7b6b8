"""The Data page: an event arrives, a refused record is mended, contracts can be read."""

from __future__ import annotations

import json
import re
import uuid

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import Visit
from tests.serving import Server

pytestmark = pytest.mark.browser


def visit_of(customer: str, **changes: object) -> dict[str, object]:
    return {
        "type": "web_event",
        "event_id": f"web-{uuid.uuid4().hex}",
        "occurred_at": "2026-11-20T10:00:00Z",
        "customer_id": customer,
        "action": "page_view",
        **changes,
    }


def send(server: Server, *records: dict[str, object]) -> dict[str, int]:
    lines = "\n".join(json.dumps(record) for record in records)
    with server.client("ana") as client:
        answer = client.post("/api/events", content=lines, headers={"content-type": "application/x-ndjson"})
    assert answer.status_code == 202, answer.text
    return dict(answer.json())


def accepted(page: Page) -> int:
    text = page.get_by_test_id("source-inbox").inner_text()
    found = re.search(r"Accepted\s+([\d,]+)", text)
    return int(found[1].replace(",", "")) if found else 0


def test_an_event_shows_up_and_a_refused_one_is_mended(visit: Visit, server: Server) -> None:
    page = visit.sign_in("manager")
    page.goto(f"{visit.url}/data")
    expect(page.get_by_test_id("source-inbox")).to_be_visible()
    before = accepted(page)
    answer = send(server, visit_of("cus_000001"), visit_of("cus_000002", action="levitate"))
    assert (answer["accepted"], answer["refused"]) == (1, 1)
    page.wait_for_function(
        "before => Number(/Accepted\\s+([\\d,]+)/.exec(document.querySelector("
        "'[data-testid=source-inbox]').innerText)[1].replace(',', '')) > before",
        arg=before,
    )
    expect(page.get_by_test_id("table-events")).to_contain_text("old")
    page.get_by_test_id("tab-letters").click()
    letter = page.locator("[data-testid^=letter-]", has_text="action").first
    letter.click()
    drawer = page.get_by_test_id("letter-drawer")
    text = drawer.locator("textarea")
    text.fill(text.input_value().replace("levitate", "search"))
    visit.shoot("data-letter")
    page.get_by_test_id("retry-one").click()
    expect(page.get_by_role("status").filter(has_text="Accepted")).to_be_visible()
    page.get_by_role("button", name="Retried").click()
    expect(page.locator("[data-testid^=letter-]").first).to_be_visible()
    assert visit.errors == []


def test_contracts_can_be_read(visit: Visit) -> None:
    page = visit.sign_in("marketer")
    page.goto(f"{visit.url}/data?tab=schemas")
    page.get_by_test_id("schema-campaign_event").click()
    expect(page.get_by_role("heading", name=re.compile("Campaign event"))).to_be_visible()
    expect(page.get_by_text("message_id").first).to_be_visible()
    visit.shoot("data-schemas")


def test_a_marketer_sees_no_raw_records(visit: Visit) -> None:
    page = visit.sign_in("marketer")
    page.goto(f"{visit.url}/data?tab=letters")
    expect(page.get_by_role("tab", name=re.compile("Dead letters"))).to_have_count(0)
    expect(page.get_by_test_id("table-events")).to_be_visible()
