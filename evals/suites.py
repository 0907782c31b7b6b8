"""The suites: each runs its golden cases through the product's own code and scores the answers."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final

from smart_reach.engine.errors import NotFound
from smart_reach.evals import scorers
from smart_reach.evals.cases import Case, Outcome, load_cases

# Golden copy quotes the corpus's terms as they stand on this day.
CORPUS_DAY: Final = datetime(2026, 11, 20, tzinfo=UTC)


@dataclass(frozen=True)
class Suite:
    """What is asked (`cases`), who answers (`answer`), how it is scored, and the floors for shipping."""

    name: str
    cases: Callable[[], Sequence[Case]]
    answer: Callable[[Sequence[Case]], list[Outcome]]
    score: Callable[[Sequence[Outcome]], dict[str, float]]
    floors: Mapping[str, float]
    prompts: tuple[str, ...]


def suite_named(name: str) -> Suite:
    """Raises `NotFound` with the names there are."""
    if name not in SUITES:
        raise NotFound(f"There is no suite {name!r}.", hint=f"There are: {', '.join(sorted(SUITES))}.")
    return SUITES[name]


def _route(cases: Sequence[Case]) -> list[Outcome]:
    from smart_reach.agents.language.routing.router import Router

    router = Router.load()
    outcomes = []
    for case in cases:
        route = router.route(case.given["text"])
        extra = {"confidence": round(route.confidence, 4), "clarify": route.clarify}
        outcomes.append(Outcome(case, route.label, route.label == case.expected, extra))
    return outcomes


def _score_routing(outcomes: Sequence[Outcome]) -> dict[str, float]:
    return {
        "accuracy": scorers.accuracy(outcomes),
        "macro_f1": scorers.macro_f1(outcomes),
        "out_of_scope_recall": scorers.recall(outcomes, "out_of_scope"),
        "out_of_scope_precision": scorers.precision(outcomes, "out_of_scope"),
        "clarify_rate": scorers.rate(outcomes, "clarify"),
        "precision_when_answered": scorers.answered_precision(outcomes),
    }


def _judge(cases: Sequence[Case]) -> list[Outcome]:
    from smart_reach.engine.compliance.message import Message
    from smart_reach.engine.compliance.verdict import check_text, repaired
    from smart_reach.knowledge.rules import load_rules

    rules = load_rules()
    outcomes = []
    for case in cases:
        given = case.given
        facts = corpus_facts(given["offer"])
        subject = given.get("subject")
        verdict = check_text(given["text"], given["offer"], given["channel"], facts, rules, subject=subject)
        answer = "pass" if verdict.passed else "block"
        found = sorted({finding.rule for finding in verdict.blocking})
        extra: dict[str, Any] = {"rules": found}
        if wanted := given.get("rule"):
            extra["rule_named"] = any(rule.startswith(wanted) for rule in found)
        if not verdict.passed:
            message = Message(given["offer"], given["channel"], subject, given["text"], None)
            extra["repaired"] = repaired(message, facts, rules, raw=True)[1].passed
        outcomes.append(Outcome(case, answer, answer == case.expected, extra))
    return outcomes


def corpus_facts(offer_id: str) -> tuple[Any, ...]:
    """Every version of an offer's terms as the corpus has them, on `CORPUS_DAY`; needs no database."""
    from smart_reach.engine.compliance.facts import fact_of
    from smart_reach.knowledge.documents import require_offer
    from smart_reach.knowledge.seed import term_versions

    return tuple(
        fact_of(version, CORPUS_DAY)
        for term in require_offer(offer_id).terms
        for version in term_versions(offer_id, term, CORPUS_DAY)
    )


def _score_compliance(outcomes: Sequence[Outcome]) -> dict[str, float]:
    return {
        "accuracy": scorers.accuracy(outcomes),
        "block_precision": scorers.precision(outcomes, "block"),
        "block_recall": scorers.recall(outcomes, "block"),
        "rule_named": scorers.rate(outcomes, "rule_named"),
        "repair_success": scorers.rate(outcomes, "repaired"),
    }


SUITES: Final[Mapping[str, Suite]] = {
    "routing": Suite(
        "routing",
        lambda: load_cases("routing", key="label"),
        _route,
        _score_routing,
        {"accuracy": 0.85, "out_of_scope_recall": 0.9, "precision_when_answered": 0.88},
        ("supervisor",),
    ),
    "compliance": Suite(
        "compliance",
        lambda: load_cases("compliance", key="expected"),
        _judge,
        _score_compliance,
        {"block_recall": 0.97, "block_precision": 0.9, "repair_success": 0.95},
        ("compliance", "content"),
    ),
}
