"""From the conversation's JSON to Chainlit's: steps and elements, as plain dictionaries.

The same functions serve a running answer and a stored one, so a thread looks the same after a reload.
Nothing of Chainlit is imported; the names of the keys are those of its `StepDict` and `ElementDict`.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Mapping
from typing import Any

from smart_reach.engine.governance.users import User
from smart_reach.ui.chat.facts import plain_facts
from smart_reach.ui.chat.protocol import Json

AUTHOR = "Smart Reach"
ANSWER, APPROVAL = "ReachAnswer", "ReachApproval"
DECIDE_ACTION = "smart_reach_decide"
_NAMESPACE = uuid.UUID("6f1d3c0a-54f0-4a53-9d1e-7a1c8f0e2b11")
_ANSWER_KEYS = (
    "trust", "confidence", "route", "facts", "chart", "table", "spec_text", "sql", "row_count", "freshness",
    "citations", "clarification", "declined", "model",
)  # fmt: skip
_AGENTS = {
    "supervisor": "Supervisor",
    "insights": "Insights agent",
    "nba": "Next-best-action agent",
    "content": "Content agent",
    "compliance": "Compliance agent",
    "experimentation": "Experimentation agent",
}


def stable_id(*parts: str) -> str:
    """The same UUID for the same parts, so that an element is replaced and never doubled."""
    return str(uuid.uuid5(_NAMESPACE, "/".join(parts)))


def agent_name(agent: str) -> str:
    """What an agent is called on screen."""
    return _AGENTS.get(agent, agent)


def seconds(ms: float | None) -> str:
    """A duration as people read it: `0.2 s`."""
    return "" if ms is None else f"{ms / 1000:.1f} s"


def step(
    thread_id: str,
    step_id: str,
    *,
    kind: str,
    name: str,
    at: str | None,
    parent: str | None = None,
    **more: Any,
) -> Json:
    """One entry of the thread: a message (`kind` ends in `_message`), a run or an agent's step."""
    return {
        "id": step_id, "threadId": thread_id, "parentId": parent, "type": kind, "name": name, "createdAt": at,
        "start": at, "end": at, "input": "", "output": "", "streaming": False, "isError": False,
        "showInput": False, "metadata": {"avatarName": AUTHOR}, "tags": None, "language": None,
        "defaultOpen": False, **more,
    }  # fmt: skip


def agent_step(thread_id: str, parent: str | None, data: Mapping[str, Any], at: str | None) -> Json:
    """One agent's work: its name and time in the heading, what it found inside."""
    running = data.get("status") == "running"
    name = agent_name(str(data.get("agent", "")))
    took = "" if running else seconds(data.get("ms"))
    return step(
        thread_id,
        stable_id(thread_id, parent or "", str(data["id"])),
        kind="tool",
        name=f"{name} · {took}" if took else name,
        at=at,
        parent=parent,
        output=str(data.get("text") or ""),
        end=None if running else at,
        isError=data.get("status") == "failed",
    )


def agents_heading(
    thread_id: str, group_id: str, parent: str | None, steps: list[Json], at: str | None
) -> Json:
    """The entry that holds the agents' steps: who works, then how many did and how long it took."""
    running = any(item.get("status") == "running" for item in steps)
    total = seconds(sum(float(item.get("ms") or 0) for item in steps))
    count = f"{len(steps)} agent{'' if len(steps) == 1 else 's'}"
    name = "Agents at work" if running or not steps else f"{count} · {total}"
    return step(
        thread_id, group_id, kind="tool", name=name, at=at, parent=parent, end=None if running else at
    )


def element(thread_id: str, for_id: str, name: str, element_id: str, props: Json) -> Json:
    """A custom element; `url` is set so that Chainlit neither stores nor fetches a file for it."""
    return {
        "id": element_id, "threadId": thread_id, "forId": for_id, "type": "custom", "name": name,
        "display": "inline", "mime": "application/json", "url": "data:,", "chainlitKey": None,
        "objectKey": None, "size": None, "language": None, "page": None, "props": props,
    }  # fmt: skip


def answer_element(thread_id: str, step_id: str, message: Mapping[str, Any]) -> Json | None:
    """What an answer carries besides its text; None when it carries nothing."""
    facts = plain_facts(message.get("facts") or [])
    told = {**message, "facts": facts}
    props = {key: told[key] for key in _ANSWER_KEYS if told.get(key) not in (None, [], "")}
    shown = set(props) - {"confidence", "route", "declined"}
    if not shown:
        return None
    return element(thread_id, step_id, ANSWER, stable_id(thread_id, step_id, "answer"), props)


def approval(thread_id: str, proposal: Mapping[str, Any], parent: str | None = None) -> tuple[Json, Json]:
    """The message and the card of a proposal; the card's id depends on thread and proposal only."""
    proposal_id = str(proposal["id"])
    step_id = stable_id(thread_id, proposal_id, "message")
    at = proposal.get("created_at")
    message = step(thread_id, step_id, kind="assistant_message", name=AUTHOR, at=at, parent=parent)
    return message, approval_card(thread_id, proposal)


def approval_card(thread_id: str, proposal: Mapping[str, Any], notice: str | None = None) -> Json:
    """The card alone, to replace the one on screen after a decision."""
    proposal_id = str(proposal["id"])
    step_id = stable_id(thread_id, proposal_id, "message")
    props = {"proposal": dict(proposal), "notice": notice, "action": DECIDE_ACTION}
    return element(thread_id, step_id, APPROVAL, stable_id(thread_id, proposal_id, "card"), props)


def thread(user: User, stored: Mapping[str, Any], decided: Mapping[str, Json]) -> Json:
    """A whole thread with every pending proposal's card; `decided` holds the others that are known."""
    thread_id = str(stored["id"])
    pending = {str(item["id"]): item for item in stored.get("pending", [])}
    steps: list[Json] = []
    elements: list[Json] = []
    shown: set[str] = set()
    asked: str | None = None
    for message in stored.get("messages", []):
        if message.get("role") == "user":
            asked = str(message["id"])
            steps.append(user_message(thread_id, user, message))
            continue
        _turn(thread_id, asked, message, steps, elements)
        if named := message.get("proposal_id"):
            proposal = pending.get(str(named)) or decided.get(str(named)) or closed(str(named))
            _card(thread_id, proposal, steps, elements)
            shown.add(str(named))
    for proposal_id, proposal in pending.items():
        if proposal_id not in shown:
            _card(thread_id, proposal, steps, elements)
    return heading(user, stored) | {"steps": steps, "elements": elements}


def closed(proposal_id: str) -> Json:
    """A proposal of which only the name is known: it waits no longer, its page tells the rest."""
    return {"id": proposal_id, "status": "decided", "title": f"Proposal {proposal_id}", "can_decide": False}


def heading(user: User, item: Mapping[str, Any]) -> Json:
    """A thread in the list of conversations."""
    messages = item.get("messages") or [{}]
    at = item.get("updated_at") or item.get("created_at") or messages[-1].get("at")
    return {
        "id": str(item["id"]), "name": item.get("title") or "New conversation", "createdAt": at,
        "userId": user.id, "userIdentifier": user.id, "tags": [], "metadata": {}, "steps": [], "elements": [],
    }  # fmt: skip


def user_message(thread_id: str, user: User, message: Mapping[str, Any]) -> Json:
    """What the person wrote."""
    return step(
        thread_id, str(message["id"]), kind="user_message", name=user.name, at=message.get("at"),
        output=str(message.get("text") or ""),
    )  # fmt: skip


def answer_message(thread_id: str, step_id: str, parent: str | None, message: Mapping[str, Any]) -> Json:
    """The text of an answer."""
    return step(
        thread_id, step_id, kind="assistant_message", name=AUTHOR, at=message.get("at"), parent=parent,
        output=str(message.get("text") or ""),
    )  # fmt: skip


def _turn(
    thread_id: str, asked: str | None, message: Mapping[str, Any], steps: list[Json], elements: list[Json]
) -> None:
    """One answer as Chainlit's run: the run's id is the message's, which is what feedback will name."""
    run, at = str(message["id"]), message.get("at")
    steps.append(step(thread_id, run, kind="run", name="on_message", at=at, parent=asked))
    steps.extend(_history(thread_id, run, message.get("steps") or [], at))
    answer_id = stable_id(thread_id, run, "text")
    steps.append(answer_message(thread_id, answer_id, run, message))
    if extra := answer_element(thread_id, answer_id, message):
        elements.append(extra)


def _history(thread_id: str, run: str, items: Iterable[Json], at: str | None) -> list[Json]:
    done = [{**item, "status": item.get("status") or "done"} for item in items]
    if not done:
        return []
    group = stable_id(thread_id, run, "agents")
    children = [agent_step(thread_id, group, item, at) for item in done]
    return [agents_heading(thread_id, group, run, done, at), *children]


def _card(thread_id: str, proposal: Mapping[str, Any], steps: list[Json], elements: list[Json]) -> None:
    message, card = approval(thread_id, proposal)
    steps.append(message)
    elements.append(card)
