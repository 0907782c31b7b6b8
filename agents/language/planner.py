"""What the embedded model does with a conversation: the next tool call, or the closing words."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from langchain_core.messages import BaseMessage

from smart_reach.agents.language.arguments import ArgumentFiller, Filled, Said
from smart_reach.agents.language.routing.corpus import SPECIALISTS, load_yaml
from smart_reach.agents.language.routing.router import Route, Router
from smart_reach.agents.language.routing.tool_choice import ToolChooser, specialist_of
from smart_reach.agents.language.turn import Turn, join_request, read_turn

_FORCED: Final = frozenset({"any", "required"})


@dataclass(frozen=True)
class Call:
    """A tool call; `id` is derived from what is called and where, so that a repeat is the same call."""

    name: str
    args: dict[str, Any]
    id: str


@dataclass(frozen=True)
class Reply:
    """Either calls or text; `marks` say how the request was routed."""

    text: str = ""
    calls: tuple[Call, ...] = ()
    marks: dict[str, Any] = field(default_factory=dict)


class Planner:
    """Decides the next message from the messages so far. Holds no state of a conversation."""

    def __init__(self, router: Router, chooser: ToolChooser, filler: ArgumentFiller) -> None:
        self._router = router
        self._chooser = chooser
        self._filler = filler

    def reply(
        self, messages: Sequence[BaseMessage], tools: Sequence[Mapping[str, Any]], tool_choice: Any = None
    ) -> Reply:
        """The next message of the assistant, given the tools it may call."""
        turn = read_turn(messages, load_yaml("replies")["choices"])
        functions = {tool["function"]["name"]: tool["function"] for tool in tools}
        schema = _schema_tool(functions, tool_choice)
        working = {name: function for name, function in functions.items() if name != schema}
        if any(name in SPECIALISTS for name in working):
            return self._supervise(turn, working)
        if working and not turn.results:
            return self._work(turn, working)
        if schema and not turn.called(schema):
            return self._shape(turn, schema, functions[schema])
        return self._close(turn)

    def _supervise(self, turn: Turn, tools: Mapping[str, Any]) -> Reply:
        """Call the next specialist of the plan, or close with what they found."""
        route = self._chosen(turn) or self._router.route(turn.request)
        marks = _marks(route)
        if not turn.results and route.clarify:
            return Reply(load_yaml("replies")["clarify"], marks=marks)
        waiting = [label for label in route.plan if label in tools and not turn.called(label)]
        if not turn.results and not waiting:
            return Reply(load_yaml("replies")["decline"], marks=marks | {"declined": True})
        if not waiting or turn.stopped:
            return Reply(self._close(turn).text, marks=marks)
        request = join_request(turn.request, results=turn.result_text, context=turn.context)
        return Reply(calls=(_call(waiting[0], {"request": request}, turn),), marks=marks)

    def _chosen(self, turn: Turn) -> Route | None:
        """The route that a user picked by clicking a choice of the clarifying question before."""
        if turn.picked is None:
            return None
        return Route(turn.picked, 1.0, False, (), (turn.picked,), {turn.picked: 1.0})

    def _work(self, turn: Turn, tools: Mapping[str, Any]) -> Reply:
        """Call the engine tool that fits the part of the request which is this specialist's."""
        clause = self._own_clause(turn.request, tools)
        said = Said(clause, turn.request, context=turn.context, result=turn.earlier)
        described = {name: str(function.get("description", "")) for name, function in tools.items()}
        ranked = self._chooser.rank(clause, described)
        best: tuple[str, Filled] | None = None
        for name, share in ranked:
            filled = self._filler.fill(tools[name].get("parameters", {}), said)
            best = best or (name, filled)
            if not filled.missing and share >= 0.5 * ranked[0][1] * _specific(name, filled):
                return Reply(calls=(_call(name, filled.args, turn),))
        if best is None:
            return self._close(turn)
        return _ask_for(best[1])

    def _own_clause(self, request: str, tools: Mapping[str, Any]) -> str:
        owner = next((owner for name in tools if (owner := specialist_of(name))), None)
        steps = self._router.steps(request)
        if len({label for label, _ in steps}) < 2:
            return request
        own = [clause for label, clause in steps if label == owner]
        return " ".join(own) or request

    def _shape(self, turn: Turn, name: str, function: Mapping[str, Any]) -> Reply:
        """Fill a structured output from what was said and found."""
        said = Said(turn.request, turn.request, context=turn.context, result=turn.result_text or turn.earlier)
        args = self._filler.fill(function.get("parameters", {}), said).args
        return Reply(calls=(_call(name, args, turn),))

    def _close(self, turn: Turn) -> Reply:
        """The tools' own words, in the order of the calls."""
        replies = load_yaml("replies")
        if turn.results:
            return Reply(turn.result_text or replies["no_result"])
        route = self._router.route(turn.request)
        return Reply(replies["decline" if route.declined else "clarify"], marks=_marks(route))


def _specific(name: str, filled: Filled) -> float:
    """A tool about one customer needs little more evidence than that a customer was named."""
    return 0.1 if "customer_id" in filled.args else 1.0


def _schema_tool(functions: Mapping[str, Any], tool_choice: Any) -> str | None:
    """The bound function that is the shape of an answer rather than a tool, if there is one."""
    if isinstance(tool_choice, str) and tool_choice in functions:
        return tool_choice
    if isinstance(tool_choice, dict):
        return str(tool_choice.get("function", {}).get("name", "")) or None
    if tool_choice not in _FORCED and tool_choice is not True:
        return None
    unknown = [name for name in functions if name not in SPECIALISTS and specialist_of(name) is None]
    return unknown[-1] if unknown else None


def _ask_for(filled: Filled) -> Reply:
    replies = load_yaml("replies")
    name, choices = next(iter(filled.missing.items()))
    what = replies["missing_names"].get(name, name.replace("_", " "))
    marks = {"clarify": True, "choices": list(choices), "declined": False, "missing": name}
    return Reply(replies["missing"].format(what=what), marks=marks)


def _marks(route: Route) -> dict[str, Any]:
    return {
        "route": route.label,
        "confidence": round(route.confidence, 4),
        "clarify": route.clarify,
        "choices": list(route.choices),
        "declined": route.declined,
        "plan": list(route.plan),
    }


def _call(name: str, args: dict[str, Any], turn: Turn) -> Call:
    seed = json.dumps([name, args, turn.position], sort_keys=True, ensure_ascii=False)
    return Call(name, args, "call_" + hashlib.sha256(seed.encode()).hexdigest()[:24])
