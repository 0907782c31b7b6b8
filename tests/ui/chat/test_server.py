"""The mounted chat over HTTP: nothing loaded before the first visit, and nothing accepted from strangers."""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
import time
import uuid
from pathlib import Path
from typing import Any

import httpx
import pytest
from fastapi import FastAPI

from smart_reach.ui.chat import mount_chat
from smart_reach.ui.chat.mount import LazyApp
from smart_reach.ui.chat.waiting import waiting_page

HTML = {"accept": "text/html"}


@pytest.fixture
def ready(chat_url: str) -> str:
    """The same server once its chat is loaded."""
    for _ in range(600):
        answer = httpx.get(f"{chat_url}/chat/", headers=HTML, cookies={"smart_reach_session": "ana"})
        if answer.status_code == 200:
            return chat_url
        assert answer.status_code == 503
        time.sleep(0.1)
    raise AssertionError("the chat never became ready")


def handshake(url: str, who: str, auth: dict[str, Any]) -> str:
    """Open a socket.io connection by polling and say what the server answered."""
    cookies = {"smart_reach_session": who}
    address = f"{url}/chat/ws/socket.io/?EIO=4&transport=polling"
    opened = httpx.get(address, cookies=cookies).text
    session = f"{address}&sid={json.loads(opened[1:])['sid']}"
    httpx.post(session, content=f"40{json.dumps(auth)}", cookies=cookies)
    return httpx.get(session, cookies=cookies).text


def test_mounting_imports_nothing_of_chainlit_and_writes_nothing(tmp_path: Path) -> None:
    code = (
        "import sys; from pathlib import Path; from fastapi import FastAPI\n"
        "from smart_reach.ui.chat import mount_chat\n"
        "mount_chat(FastAPI(), lambda: None, read_session=lambda c: None, home=Path('home'))\n"
        "assert not [m for m in sys.modules if m.split('.')[0] in ('chainlit', 'literalai', 'socketio')]\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True, cwd=tmp_path)
    assert list(tmp_path.iterdir()) == []


async def test_a_visitor_waits_on_a_page_that_reloads_and_a_failure_is_told() -> None:
    def fail() -> Any:
        raise RuntimeError("no chat today")

    app = FastAPI()
    door = mount_chat(app, lambda: None, read_session=lambda c: None, home=Path("unused"))  # type: ignore[arg-type,return-value]
    assert door.state == "asleep"
    lazy = LazyApp(fail)
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app=lazy), base_url="http://a") as client:
        first = await client.get("/", headers=HTML)
        assert first.status_code == 503
        for _ in range(100):
            if lazy.state == "failed":
                break
            await asyncio.sleep(0.01)
        told = await client.get("/", headers=HTML)
        assert (told.status_code, "could not start" in told.text) == (503, True)
        assert "no chat today" not in told.text
        assert (await client.get("/user")).text == ""
    assert 'http-equiv="refresh"' in waiting_page(failed=False)
    assert 'http-equiv="refresh"' not in waiting_page(failed=True)


def test_chainlit_leaves_the_working_directory_alone(ready: str, tmp_path_factory: Any) -> None:
    home = next(tmp_path_factory.getbasetemp().glob("chat*"))
    assert {path.name for path in home.iterdir()} == {"chainlit", "server.log"}


def test_the_address_without_a_slash_leads_to_the_chat(chat_url: str) -> None:
    assert httpx.get(f"{chat_url}/chat").headers["location"] == "/chat/"


@pytest.mark.parametrize(
    "auth",
    [
        {"sessionId": "../../../tmp/gone", "clientType": "webapp"},
        {"sessionId": str(uuid.uuid4()), "threadId": "1'; DROP TABLE threads; --", "clientType": "webapp"},
        {},
    ],
)
def test_a_socket_that_names_itself_badly_is_refused(ready: str, auth: dict[str, Any]) -> None:
    assert handshake(ready, "ana", auth).startswith("44")


def test_a_socket_with_uuids_is_accepted(ready: str) -> None:
    assert handshake(ready, "ana", {"sessionId": str(uuid.uuid4()), "clientType": "webapp"}).startswith("40")


def test_nobody_takes_over_another_users_session(ready: str) -> None:
    name = str(uuid.uuid4())
    assert handshake(ready, "ana", {"sessionId": name}).startswith("40")
    assert handshake(ready, "tomas", {"sessionId": name}).startswith("44")


def test_the_user_is_the_one_of_our_cookie_with_the_role_of_now(ready: str) -> None:
    user = httpx.get(f"{ready}/chat/user", cookies={"smart_reach_session": "maya"}).json()
    assert (user["identifier"], user["metadata"]["role"]) == ("usr_maya", "marketer")
    bearer = {"authorization": "Bearer ana"}
    assert httpx.get(f"{ready}/chat/user", headers=bearer).status_code == 401


def test_an_unknown_thread_is_not_found_and_a_list_is_ones_own(ready: str) -> None:
    cookies = {"smart_reach_session": "tomas"}
    thread = f"{ready}/chat/project/thread/{uuid.uuid4()}"
    assert httpx.get(thread, cookies=cookies).status_code == 404
    query = {"pagination": {"first": 20}, "filter": {}}
    listed = httpx.post(f"{ready}/chat/project/threads", json=query, cookies=cookies)
    assert (listed.status_code, listed.json()["data"]) == (200, [])


def test_settings_say_that_upload_and_mcp_are_off(ready: str) -> None:
    settings = httpx.get(f"{ready}/chat/project/settings", cookies={"smart_reach_session": "maya"}).json()
    assert settings["features"]["mcp"]["enabled"] is False
    assert settings["features"]["spontaneous_file_upload"]["enabled"] is False
    assert len(settings["starters"]) == 4


def test_who_decides_is_offered_the_queue_as_a_starter(ready: str) -> None:
    settings = httpx.get(f"{ready}/chat/project/settings", cookies={"smart_reach_session": "ana"}).json()
    assert len(settings["starters"]) == 5
    assert settings["starters"][0]["message"] == "What needs my approval?"
