"""What Chainlit calls: a message, a button, a resume. Imported only after Chainlit is loaded."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from contextlib import aclosing
from typing import Any, cast

from smart_reach.engine.errors import Conflict, InvalidInput, SmartReachError
from smart_reach.ui.chat import render
from smart_reach.ui.chat.bridge import Bridge
from smart_reach.ui.chat.protocol import Json, thread_uuid
from smart_reach.ui.chat.turn import Turn

logger = logging.getLogger(__name__)


def register(bridge: Bridge) -> None:
    """Give Chainlit our callbacks, bound to `bridge`."""
    import chainlit as cl

    async def on_message(message: Any) -> None:
        await answer(bridge, str(message.content))

    async def on_chat_resume(thread: Any) -> None:
        """The thread comes rendered from the data layer, cards of pending approvals included."""

    async def starters(user: Any, language: Any) -> list[Any]:
        return [cl.Starter(label=label, message=text) for label, text in bridge.starters]

    async def on_decide(action: Any) -> Json:
        return await decide(bridge, action.payload)

    cl.on_message(on_message)
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
        async with aclosing(cast(Any, bridge.service.send(user, thread_id, text))) as events:
            async for event in events:
                await turn.show(event)
        await turn.finish()
    except SmartReachError as error:
        await turn.fail(error.message, error.hint)
    except Exception:  # the last frame above Chainlit, which would show nothing at all
        logger.exception("an answer in the chat failed")
        await turn.fail("Something went wrong while answering.", "The server's log has it; please try again.")


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
