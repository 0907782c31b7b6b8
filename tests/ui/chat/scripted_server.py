"""A server with the chat over a scripted conversation; started by the tests as a process of its own.

`python scripted_server.py PORT HOME`. Chainlit keeps globals for one home folder a process, so the
tests do not load it into theirs. `GET /sign-in/<who>` sets the session cookie.
"""

from __future__ import annotations

import asyncio
import json
import sys
import uuid
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import uvicorn
from fastapi import FastAPI
from fastapi.responses import HTMLResponse, RedirectResponse

from smart_reach.engine.errors import Conflict, Forbidden, NotFound
from smart_reach.engine.governance.users import User
from smart_reach.ui.chat import mount_chat

AT = "2026-11-22T10:00:00Z"
USERS = {
    "ana": User("usr_ana", "Ana Ruiz", "ana@demo-bank.example", "manager"),
    "tomas": User("usr_tomas", "Tomas Berg", "tomas@demo-bank.example", "manager"),
    "vera": User("usr_vera", "Vera Sousa", "vera@demo-bank.example", "manager"),
    "rui": User("usr_rui", "Rui Alves", "rui@demo-bank.example", "manager"),
    "maya": User("usr_maya", "Maya Lund", "maya@demo-bank.example", "marketer"),
}
SAMPLES = json.loads((Path(__file__).parent / "samples.json").read_text(encoding="utf-8"))


@dataclass(frozen=True)
class Event:
    """One event of the scripted conversation."""

    kind: str
    data: dict[str, Any]


def proposal(number: int, thread_id: str) -> dict[str, Any]:
    """A pending campaign proposal."""
    return {**SAMPLES["proposal"], "id": f"PRP-{number:04d}", "thread_id": thread_id}


class Scripted:
    """Answers by keyword; keeps threads, messages and proposals in memory as the real service does in
    PostgreSQL."""

    def __init__(self) -> None:
        self.kept: dict[str, dict[str, Any]] = {}
        self.proposals: dict[str, dict[str, Any]] = {}
        self.queues: dict[str, list[str]] = {}
        self.thumbs: list[tuple[str, int, str | None]] = []

    def _own(self, user: User, thread_id: str) -> dict[str, Any]:
        kept = self.kept.get(thread_id)
        if kept is None or kept["owner"] != user.id:
            raise NotFound(f"There is no conversation {thread_id}.")
        return kept

    async def threads(self, user: User) -> list[dict[str, Any]]:
        mine = [kept for kept in self.kept.values() if kept["owner"] == user.id]
        return [{"id": kept["id"], "title": kept["title"], "updated_at": AT} for kept in mine]

    async def open_thread(self, user: User, *, thread_id: str | None = None, title: str | None = None) -> str:
        assert thread_id is not None
        if thread_id in self.kept:
            self._own(user, thread_id)
        else:
            self.kept[thread_id] = {"id": thread_id, "owner": user.id, "title": title, "messages": []}
        return thread_id

    async def thread(self, user: User, thread_id: str) -> dict[str, Any]:
        kept = self._own(user, thread_id)
        pending = [
            p for p in self.proposals.values() if p["thread_id"] == thread_id and p["status"] == "pending"
        ]
        return {**kept, "pending": pending}

    async def rename_thread(self, user: User, thread_id: str, title: str) -> None:
        self._own(user, thread_id)["title"] = title

    async def delete_thread(self, user: User, thread_id: str) -> None:
        self._own(user, thread_id)
        del self.kept[thread_id]

    async def proposal(self, user: User, proposal_id: str) -> dict[str, Any]:
        if proposal_id not in self.proposals:
            raise NotFound(f"There is no proposal {proposal_id}.")
        return self.proposals[proposal_id]

    async def waiting_for(self, user: User) -> list[dict[str, Any]]:
        found = [self.proposals[name] for name in reversed(self.queues.get(user.id, []))]
        return [one for one in found if one["status"] == "pending"]

    async def decide(
        self, user: User, proposal_id: str, *, decision: str, reason: str, payload_hash: str
    ) -> dict[str, Any]:
        kept = self.proposals[proposal_id]
        if kept["status"] != "pending":
            raise Conflict(f"Already decided by {kept['decided_by']['name']} at 10:04.")
        if user.role not in ("manager", "admin"):
            raise Forbidden("A marketer may not decide.")
        if payload_hash != kept["payload_hash"]:
            raise Conflict("The proposal has changed since you read it.")
        kept.update(
            status="approved" if decision == "approve" else "rejected", decided_at=AT, can_decide=False
        )
        kept.update(decided_by={"id": user.id, "name": user.name}, decision_reason=reason)
        return kept

    async def feedback(self, user: User, message_id: str, score: int, comment: str | None) -> None:
        self.thumbs.append((message_id, score, comment))

    async def send(self, user: User, thread_id: str, text: str) -> AsyncIterator[Event]:
        kept = self._own(user, thread_id)
        number = len(kept["messages"])
        kept["messages"].append({"id": f"{thread_id}:{number}", "role": "user", "text": text, "at": AT})
        answer = await self._answer(thread_id, text)
        for step in answer["steps"]:
            yield Event("step", {**step, "status": "running", "ms": None})
            await asyncio.sleep(0.15)
            yield Event("step", step)
        kept["messages"].append({**answer, "id": f"{thread_id}:{number + 1}", "role": "assistant", "at": AT})
        if answer.get("proposal_id"):
            yield Event("proposal", self.proposals[answer["proposal_id"]])
        yield Event("message", kept["messages"][-1])
        yield Event("done", {})

    async def _answer(self, thread_id: str, text: str) -> dict[str, Any]:
        if "break" in text:
            raise RuntimeError("secret detail")
        if "which" in text:
            question = {"question": "Which rate do you mean?", "choices": ["Click-through rate", "Open rate"]}
            return {"text": question["question"], "steps": [], "trust": "none", "clarification": question}
        if "propose" not in text:
            return {**SAMPLES["answer"], "steps": [self._step("insights", "Read 14 days of clicks.")]}
        made = proposal(len(self.proposals) + 1, thread_id)
        self.proposals[made["id"]] = made
        found = {"insights": "1,482 customers are slipping.", "nba": "Low-fee card, push, 18–20 h."}
        found |= {"content": "Two variants.", "compliance": "One warning: no expiry date."}
        return {
            "text": "I have a proposal for **1,482** slipping customers; a manager decides.",
            "steps": [self._step(agent, words) for agent, words in found.items()],
            "trust": "verified",
            "proposal_id": made["id"],
            "model": "Embedded language model",
        }

    def _step(self, agent: str, text: str) -> dict[str, Any]:
        return {"id": str(uuid.uuid4()), "agent": agent, "text": text, "status": "done", "ms": 210}


def build(home: Path) -> FastAPI:
    """The application: sign-in by address, a stand-in login page, the chat."""
    app, service = FastAPI(), Scripted()

    def read_session(cookie: str | None) -> User | None:
        return USERS.get(cookie or "")

    door = mount_chat(app, lambda: service, read_session=read_session, home=home)

    @app.get("/sign-in/{who}")
    def sign_in(who: str) -> RedirectResponse:
        answer = RedirectResponse("/chat/", 303)
        answer.set_cookie("smart_reach_session", who, httponly=True, samesite="lax")
        return answer

    @app.get("/login")
    def login() -> HTMLResponse:
        return HTMLResponse("<title>Sign in</title><h1>Sign in</h1>")

    @app.get("/state")
    def state() -> dict[str, Any]:
        return {"chat": door.state, "thumbs": service.thumbs, "chainlit": "chainlit" in sys.modules}

    @app.get("/bring/{who}/{count}")
    async def bring(who: str, count: int) -> list[str]:
        """Proposals of other people's threads that wait for `who`."""
        queue = service.queues.setdefault(USERS[who].id, [])
        for _ in range(count):
            made = proposal(len(service.proposals) + 1, str(uuid.uuid4()))
            service.proposals[made["id"]] = made
            queue.append(made["id"])
        return queue[-count:]

    @app.get("/decide/{who}/{proposal_id}/{decision}")
    async def decide(who: str, proposal_id: str, decision: str, push: bool = True) -> dict[str, Any]:
        decided = await service.decide(
            USERS[who], proposal_id, decision=decision, reason="from the queue", payload_hash="a" * 64
        )
        if push:
            await door.proposal_changed(decided)
        return {"status": decided["status"]}

    return app


if __name__ == "__main__":
    uvicorn.run(build(Path(sys.argv[2])), host="127.0.0.1", port=int(sys.argv[1]), log_level="warning")
