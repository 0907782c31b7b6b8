"""One answer on its way to the screen: the service's events as Chainlit steps and elements."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any, Protocol

from smart_reach.ui.chat import render
from smart_reach.ui.chat.protocol import ConversationEvent, Json


class Emitter(Protocol):
    """The part of Chainlit's emitter that is used."""

    def send_step(self, step_dict: Json) -> Awaitable[None]:
        """Show a step, or replace the one with its id."""

    def send_element(self, element_dict: Json) -> Awaitable[None]:
        """Show an element, or replace the one with its id."""


@dataclass
class Turn:
    """Shows the events of one answer; `run_id` is the entry of the thread they belong under."""

    emitter: Emitter
    thread_id: str
    run_id: str
    now: Callable[[], str]
    answered: Callable[[str, str], None]
    _steps: dict[str, Json] = field(default_factory=dict)
    _held: list[Json] = field(default_factory=list)

    async def show(self, event: ConversationEvent) -> None:
        """Show one event; kinds this chat does not know are ignored."""
        shower: Callable[[Any], Awaitable[None]] | None = {
            "step": self._step,
            "message": self._message,
            "proposal": self._proposal,
            "error": self._error,
        }.get(event.kind)
        if shower is not None:
            await shower(event.data)

    async def _step(self, data: Json) -> None:
        at, group = self.now(), render.stable_id(self.thread_id, self.run_id, "agents")
        first = not self._steps
        self._steps[str(data["id"])] = {**self._steps.get(str(data["id"]), {}), **data}
        if first:
            await self._heading(group, at)
        merged = self._steps[str(data["id"])]
        await self.emitter.send_step(render.agent_step(self.thread_id, group, merged, at))
        await self._heading(group, at)

    async def _heading(self, group: str, at: str) -> None:
        steps = list(self._steps.values())
        heading = render.agents_heading(self.thread_id, group, self.run_id, steps, at)
        await self.emitter.send_step({**heading, "defaultOpen": True})

    async def _message(self, data: Json) -> None:
        if data.get("role") == "user":
            return
        message_id = str(data["id"])
        self.answered(self.run_id, message_id)
        step_id = render.stable_id(self.thread_id, message_id, "text")
        message = render.answer_message(self.thread_id, step_id, self.run_id, data)
        await self.emitter.send_step({**message, "createdAt": self.now()})
        if extra := render.answer_element(self.thread_id, step_id, data):
            await self.emitter.send_element(extra)
        await self.finish()

    async def _proposal(self, data: Json) -> None:
        """Held until the answer is there: the card belongs below it, as after a reload."""
        self._held.append(data)

    async def finish(self) -> None:
        """Show the cards of the proposals that this turn made."""
        while self._held:
            await self._show_card(self._held.pop(0))

    async def _show_card(self, data: Json) -> None:
        message, card = render.approval(self.thread_id, data, self.run_id)
        await self.emitter.send_step({**message, "createdAt": self.now()})
        await self.emitter.send_element(card)

    async def _error(self, data: Json) -> None:
        text = str(data.get("message") or "The answer could not be finished.")
        await self.fail(text, data.get("hint"))

    async def fail(self, text: str, hint: str | None) -> None:
        """Say that the answer ended early, and what may help."""
        at = self.now()
        for step_id, data in self._steps.items():
            if data.get("status") == "running":
                await self._step({"id": step_id, "status": "failed"})
        await self.emitter.send_step(
            render.step(
                self.thread_id,
                render.stable_id(self.thread_id, self.run_id, "error"),
                kind="assistant_message",
                name=render.AUTHOR,
                at=at,
                parent=self.run_id,
                output=f"{text} {hint}" if hint else text,
                isError=True,
            )
        )
        await self.finish()
