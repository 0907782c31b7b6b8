"""From a decided segment and checked variants to a proposal, and from a proposal to what is shown."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy.orm import Session

from smart_reach.engine.delivery.stats import delivery_stats
from smart_reach.engine.governance.proposal import Proposal
from smart_reach.engine.governance.users import User
from smart_reach.engine.governance.view import proposal_json
from smart_reach.engine.learning.outcomes import LakeEngagement
from smart_reach.engine.learning.promotion import labels_of
from smart_reach.engine.learning.status import experiment_results
from smart_reach.tools.context import Brief, RunContext, Services
from smart_reach.tools.knowledge import kept, worst_checks

HOLDOUT_SHARE = 0.1
# The ramp is longer than the shortest test, so that a winner still has somebody to be sent to.
LOOKS, ALPHA, MIN_DAYS, RAMP_DAYS = 5, 0.05, 7, 14


def propose_campaign(
    context: RunContext, run_id: str, brief: Brief, variants: Sequence[Mapping[str, Any]]
) -> Proposal:
    """Write the proposal of a campaign run; the same run gets the same proposal."""
    decision = context.services.decisions.get_segment(brief["segment_decision"])
    shown = decision.as_json()
    action = shown["action"]
    payload = {
        "title": f"{action['offer']} for {shown['segment']['label'].lower()}",
        "offer_id": action["offer_id"],
        "channel": action["channel"],
        "window": action["window"],
        "segment": {"id": shown["segment"]["id"], "label": shown["segment"]["label"]},
        "audience": {"customer_ids": list(decision.audience), "count": decision.count},
        "variants": [kept(variant) for variant in variants],
        "holdout_share": HOLDOUT_SHARE,
        "experiment": {
            "metric": "click",
            "looks": LOOKS,
            "alpha": ALPHA,
            "min_days": MIN_DAYS,
            "ramp_days": RAMP_DAYS,
        },
        "segment_decision_id": shown["decision_id"],
        "model_versions": {action["offer_id"]: shown["model_version"]},
        "policy_version": shown["policy_version"],
        "expected": expected(shown),
        "reason": shown["reason"],
        "funnel": [
            {"stage": stage["label"], **{key: stage[key] for key in ("removed", "left", "reason")}}
            for stage in shown["funnel"]
        ],
        "checks": worst_checks(variants),
        "risk": shown["risk"],
    }
    return context.services.proposals.create(
        "campaign",
        payload,
        context.user,
        "NBA agent",
        context.thread_id,
        run_id,
        dedup_key=run_id,
    )


def expected(shown: Mapping[str, Any]) -> dict[str, Any]:
    """What the decision expects: total value, mean propensity, measured uplift with its interval."""
    uplift = shown["uplift"] or {}
    return {
        "value_minor": shown["expected_value"]["minor"],
        "currency": shown["expected_value"]["currency"],
        "propensity": shown["propensity"],
        "uplift": uplift.get("value"),
        "interval": uplift.get("interval"),
    }


def show_proposal(services: Services, viewer: User, proposal_id: str) -> dict[str, Any]:
    """The Proposal of the API for one viewer, with how its campaign stands."""
    proposal = services.proposals.get(proposal_id)
    with Session(services.workspace.db) as session:
        delivery = delivery_stats(session, proposal_id, LakeEngagement(services.workspace.lake))
        labels = labels_of(proposal.payload)
        results = experiment_results(session, proposal_id, labels) if delivery else None
        return proposal_json(session, proposal, viewer, delivery=delivery, results=results)
