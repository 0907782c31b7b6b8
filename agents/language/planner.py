"""What the embedded model does with a conversation: the next tool call, or the closing words."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from langchain_core.messages import BaseMessage

from smart_reach.agents.language.arguments import ArgumentFiller, Filled, Said
from smart_reach.agents.language.routing.corpus import SPECIALISTS, load_yaml
from smart_reach.agents.language.routing.router import Route, Router
from smart_reach.agents.language.routing.tool_choice import ToolChooser, specialist_of
from smart_reach.agents.language.smalltalk import Smalltalk, smalltalk
from smart_reach.agents.language.steps import Step, plan_steps
from smart_reach.agents.language.turn import Turn, join_request, read_turn

MOST_CUSTOMERS: Final = 5
_CUSTOMER: Final = re.compile(r"\bcus_\d+\b", re.IGNORECASE)
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
        if not turn.picked and not turn.results and (said := smalltalk(turn.request)):
            return Reply(said.text, marks=_talk(said))
        route = self._chosen(turn) or self._router.route(turn.request)
        marks = _marks(route)
        if not turn.results and route.clarify:
            return Reply(load_yaml("replies")["clarify"], marks=marks)
        steps = [step for step in self._plan(turn, route) if step.label in tools]
        if not steps and not turn.results:
            return Reply(load_yaml("replies")["decline"], marks=marks | {"declined": True})
        waiting = [step for step in steps if step not in self._done(turn, steps)]
        left_out: list[Step] = []
        if turn.stopped:
            left_out = [step for step in waiting if not step.stands_alone]
            waiting = [step for step in waiting if step.stands_alone]
        if not waiting:
            return Reply(_told(self._close(turn).text, left_out), marks=marks)
        return Reply(calls=(self._step_call(waiting[0], turn, whole=len(steps) > 1),), marks=marks)

    def _plan(self, turn: Turn, route: Route) -> list[Step]:
        """The steps of a request: its clauses in order where it names several specialists."""
        if not turn.picked or len(turn.picked) > 1:
            steps = plan_steps(self._router.clauses(turn.request))
            if len(steps) > 1:
                return steps
        return [Step(label, turn.request) for label in route.plan]

    def _done(self, turn: Turn, steps: Sequence[Step]) -> list[Step]:
        """Steps that were called: a specialist's calls in the turn are its steps in order."""
        left, done = list(turn.calls), []
        for step in steps:
            if step.label in left:
                left.remove(step.label)
                done.append(step)
        return done

    def _step_call(self, step: Step, turn: Turn, *, whole: bool) -> Call:
        request = join_request(
            step.text,
            whole=turn.request if whole else "",
            results=turn.result_text,
            context=turn.context,
        )
        return _call(step.label, {"request": request}, turn)

    def _chosen(self, turn: Turn) -> Route | None:
        """The route that a clicked choice or a follow-up leaves no doubt about."""
        if not turn.picked:
            return None
        label = turn.picked[-1]
        return Route(label, 1.0, False, (), turn.picked, {label: 1.0})

    def _work(self, turn: Turn, tools: Mapping[str, Any]) -> Reply:
        """Call the engine tool that fits the part of the request which is this specialist's."""
        clause = turn.request if turn.whole else self._own_clause(turn.request, tools)
        said = Said(clause, turn.whole or turn.request, context=turn.context, result=turn.earlier)
        described = {name: str(function.get("description", "")) for name, function in tools.items()}
        ranked = self._chooser.rank(clause, described)
        best: tuple[str, Filled] | None = None
        for name, share in ranked:
            filled = self._filler.fill(tools[name].get("parameters", {}), said)
            best = best or (name, filled)
            if not filled.missing and share >= 0.5 * ranked[0][1] * _specific(name, filled):
                return Reply(calls=tuple(_call(name, args, turn) for args in _each(filled.args, clause)))
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


def _each(args: dict[str, Any], clause: str) -> list[dict[str, Any]]:
    """One set of arguments for each customer that is named, at most `MOST_CUSTOMERS` of them."""
    if "customer_id" not in args:
        return [args]
    named = list(dict.fromkeys(found.lower() for found in _CUSTOMER.findall(clause)))
    return [args | {"customer_id": one} for one in named[:MOST_CUSTOMERS]] if len(named) > 1 else [args]


def _told(text: str, left_out: Sequence[Step]) -> str:
    """The closing words, with the steps that were not run because they build on one that gave nothing."""
    if not left_out:
        return text
    named = ", ".join(f"“{step.text}”" for step in left_out)
    return f"{text}\n\n{load_yaml('replies')['left_out'].format(steps=named)}"


def _talk(said: Smalltalk) -> dict[str, Any]:
    marks: dict[str, Any] = {"route": said.route, "confidence": 1.0, "declined": said.declined, "plan": []}
    marks |= {"clarify": bool(said.choices), "choices": list(said.choices)}
    return marks | ({"question": "You could ask:"} if said.choices else {})


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
