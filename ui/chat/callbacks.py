"""What Chainlit calls: a message, a button, a resume. Imported only after Chainlit is loaded."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from contextlib import aclosing
from typing import Any, cast

from smart_reach.engine.errors import Conflict, InvalidInput, SmartReachError
from smart_reach.ui.chat import render
from smart_reach.ui.chat.bridge import Bridge
from smart_reach.ui.chat.cards import MOST_CARDS, asks_for_approvals, suggestions, waiting
from smart_reach.ui.chat.protocol import Json, thread_uuid
from smart_reach.ui.chat.turn import Turn

logger = logging.getLogger(__name__)


def register(bridge: Bridge) -> None:
    """Give Chainlit our callbacks, bound to `bridge`."""
    import chainlit as cl

    async def on_message(message: Any) -> None:
        await answer(bridge, str(message.content))

    async def on_chat_start() -> None:
        await welcome(bridge)

    async def on_chat_resume(thread: Any) -> None:
        """The thread comes rendered from the data layer with the cards of its own proposals."""
        await add_waiting(bridge, thread)

    async def starters(user: Any, language: Any) -> list[Any]:
        return [cl.Starter(label=label, message=text) for label, text in await bridge.starters_now()]

    async def on_decide(action: Any) -> Json:
        return await decide(bridge, action.payload)

    cl.on_message(on_message)
    cl.on_chat_start(on_chat_start)
    cl.on_chat_resume(on_chat_resume)
    cl.set_starters(starters)
    cl.action_callback(render.DECIDE_ACTION)(on_decide)


async def answer(bridge: Bridge, text: str) -> None:
    """Send one message to the service and show what comes back."""
    from chainlit.context import context
    from chainlit.utils import utc_now

    thread_id, run = thread_uuid(context.session.thread_id), context.current_run
    turn = Turn(context.emitter, thread_id, run.id, utc_now, bridge.answered)
    try:
        user = await bridge.user()
        await bridge.ensure_thread(thread_id, text)
        if bridge.has_queue and asks_for_approvals(text):
            await show_waiting(bridge, thread_id, await bridge.waiting(user), parent=run.id)
            return
        async with aclosing(cast(Any, bridge.service.send(user, thread_id, text))) as events:
            async for event in events:
                await turn.show(event)
        await turn.finish()
    except SmartReachError as error:
        await turn.fail(error.message, error.hint)
    except Exception:  # the last frame above Chainlit, which would show nothing at all
        logger.exception("an answer in the chat failed")
        await turn.fail("Something went wrong while answering.", "The server's log has it; please try again.")


async def welcome(bridge: Bridge) -> None:
    """A new chat begins with what waits for this user, if anything does."""
    from chainlit.context import context

    thread_id = thread_uuid(context.session.thread_id)
    try:
        proposals = await bridge.waiting(await bridge.user())
    except SmartReachError as error:  # the chat works without it, and the queue has a page of its own
        logger.warning("the approvals could not be brought to a chat: %s", error)
        return
    if proposals:
        last = await show_waiting(bridge, thread_id, proposals)
        await context.emitter.send_element(suggestions(thread_id, last, bridge.starters))


async def show_waiting(
    bridge: Bridge, thread_id: str, proposals: list[Json], *, parent: str | None = None
) -> str:
    """Show the line and the cards at the end of the chat; returns the id of the last entry."""
    from chainlit.context import context
    from chainlit.utils import utc_now

    steps, elements = waiting(thread_id, proposals, at=utc_now(), parent=parent)
    for one in steps:
        await context.emitter.delete_step(one)  # a card shown further up moves down
        await context.emitter.send_step(one)
    for card in elements:
        await context.emitter.send_element(card)
        bridge.delivered(thread_id, str(card["props"]["proposal"]["id"]))
    return str(steps[-1]["id"])


async def add_waiting(bridge: Bridge, thread: Json) -> None:
    """Put what waits for this user, and is not in the thread already, at the thread's end."""
    thread_id = str(thread["id"])
    shown = {card["id"] for card in thread["elements"]}
    try:
        proposals = await bridge.waiting(await bridge.user())
    except SmartReachError as error:  # as in `welcome`
        logger.warning("the approvals could not be brought to a chat: %s", error)
        return
    new = [one for one in proposals if render.approval_card(thread_id, one)["id"] not in shown]
    if not new:
        return
    at = thread["steps"][-1]["createdAt"] if thread["steps"] else thread["createdAt"]
    steps, elements = waiting(thread_id, new, at=at)
    thread["steps"].extend(steps)
    thread["elements"].extend(elements)
    for one in new[:MOST_CARDS]:
        bridge.delivered(thread_id, str(one["id"]))


async def decide(bridge: Bridge, payload: Mapping[str, Any]) -> Json:
    """Decide from a card. The answer goes back to the button; the card is replaced where it is open."""
    from chainlit.context import context

    thread_id = thread_uuid(context.session.thread_id)
    try:
        proposal_id, words = _decision(payload)
        user = await bridge.user()
        try:
            proposal = await bridge.service.decide(user, proposal_id, **words)
        except Conflict as error:
            if now := await bridge.proposal(user, proposal_id):
                await show_card(thread_id, now, notice=error.message)
            raise
    except SmartReachError as error:
        return {"ok": False, "code": error.code, "message": error.message, "hint": error.hint}
    await show_card(thread_id, proposal)
    return {"ok": True, "status": proposal.get("status")}


def _decision(payload: Mapping[str, Any]) -> tuple[str, dict[str, str]]:
    """What a card may send. Raises InvalidInput."""
    words = {key: payload.get(key) for key in ("proposal_id", "decision", "reason", "payload_hash")}
    for key, value in words.items():
        if not isinstance(value, str) or len(value) > 2000:
            raise InvalidInput(key, value, "Reload the page and use the card's buttons.")
    if words["decision"] not in ("approve", "reject"):
        raise InvalidInput("decision", words["decision"], "Approve or reject; edit on the approvals page.")
    texts = cast(dict[str, str], words)
    return texts.pop("proposal_id"), texts


async def show_card(thread_id: str, proposal: Mapping[str, Any], notice: str | None = None) -> None:
    """Replace the card on every page that has the thread open."""
    from chainlit.session import ws_sessions_id

    card = render.approval_card(thread_id, proposal, notice)
    for session in list(ws_sessions_id.values()):
        if session.thread_id == thread_id:
            await session.emit("element", card)
