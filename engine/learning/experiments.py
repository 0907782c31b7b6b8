"""Looks at running experiments, promotion of a winner as a proposal, rollback in one step."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import timedelta
from typing import Any

from sqlalchemy import Engine, select
from sqlalchemy.orm import Session

from smart_reach.engine.clock import Clock
from smart_reach.engine.errors import Conflict, NotFound
from smart_reach.engine.learning.judge import ArmOutcome
from smart_reach.engine.learning.looking import Finding, examine
from smart_reach.engine.learning.ports import (
    Agent,
    ApprovalReader,
    Authorise,
    OutcomeReader,
    Proposer,
    Remaining,
)
from smart_reach.engine.learning.promotion import promotion_payload
from smart_reach.engine.learning.tables import Experiment, ExperimentLook
from smart_reach.engine.ports import LedgerWriter
from smart_reach.engine.state.base import transaction

MATURITY = timedelta(hours=24)


@dataclass(frozen=True)
class LookResult:
    """What a look came to. `number` is None when it was too early, so that nothing was looked at."""

    experiment_id: str
    verdict: str
    reason: str
    information: float = 0.0
    number: int | None = None
    z: float | None = None
    bound: float | None = None
    proposal_id: str | None = None


class ExperimentService:
    """Takes looks when they are due; a crossed bound becomes a promotion proposal, never a change."""

    def __init__(
        self,
        db: Engine,
        clock: Clock,
        ledger: LedgerWriter,
        *,
        outcomes: OutcomeReader,
        proposer: Proposer,
        approved: ApprovalReader,
        remaining: Remaining,
        authorise: Authorise,
        maturity: timedelta = MATURITY,
    ) -> None:
        self._db = db
        self._clock = clock
        self._ledger = ledger
        self._outcomes = outcomes
        self._proposer = proposer
        self._approved = approved
        self._remaining = remaining
        self._authorise = authorise
        self._maturity = maturity

    def look_all(self) -> Sequence[LookResult]:
        """Look at every running experiment whose next look is due."""
        with Session(self._db) as session:
            running = session.scalars(
                select(Experiment.id).where(Experiment.status == "running").order_by(Experiment.id)
            ).all()
        return [self.look(experiment_id) for experiment_id in running]

    def look(self, experiment_id: str) -> LookResult:
        """Take the next look if it is due. Looking more often than planned changes nothing."""
        with Session(self._db) as session:
            experiment = find(session, experiment_id)
            campaign_id, metric = experiment.campaign_id, experiment.metric
        counts = self._outcomes(campaign_id, metric, self._clock.now() - self._maturity)
        made = None
        with transaction(self._db) as session:
            experiment = find(session, experiment_id, lock=True)
            if experiment.status != "running":
                return LookResult(experiment_id, experiment.status, "It is not running any more.")
            taken = looks_of(session, experiment_id)
            remaining = self._remaining(session, campaign_id)
            finding = examine(experiment, taken, _by_arm(experiment, counts), remaining, self._clock.now())
            if finding.number is None:
                return _result(experiment_id, finding, None)
            session.add(_row(experiment_id, finding, self._clock.now()))
            if finding.verdict == "promote":
                made = self._propose(session, experiment, finding, remaining)
            elif finding.verdict == "concluded":
                experiment.status, experiment.decided_at = "concluded", self._clock.now()
            session.flush()
            self._record(session, "experiment.looked", experiment, Agent().id, _facts(finding))
        if made is not None:
            self._proposer.announce(made)
        return _result(experiment_id, finding, made.id if made is not None else None)

    def _propose(self, session: Session, experiment: Experiment, finding: Finding, remaining: int) -> Any:
        content = self._approved(session, experiment.proposal_id)
        if content is None:
            raise NotFound(f"There is no proposal {experiment.proposal_id}.")
        made = self._proposer.create_in(
            session,
            "promotion",
            promotion_payload(experiment, finding, content, remaining),
            Agent(),
            Agent().name,
            dedup_key=f"promotion:{experiment.id}:{finding.number}",
        )
        experiment.status, experiment.winner, experiment.promotion_id = "proposed", finding.best, made.id
        return made

    def rollback(self, experiment_id: str, actor: Any, reason: str) -> None:
        """Undo a promotion: remaining messages carry the former control again."""
        self._authorise(actor, "experiment.rollback")
        with transaction(self._db) as session:
            experiment = find(session, experiment_id, lock=True)
            if experiment.status != "promoted" or experiment.previous_control is None:
                raise Conflict(
                    f"{experiment_id} is {experiment.status}; only a promotion can be rolled back."
                )
            experiment.status, experiment.decided_at = "rolled_back", self._clock.now()
            experiment.control, experiment.previous_control = experiment.previous_control, experiment.control
            session.flush()
            facts = {"control": experiment.control, "reason": reason, "actor_name": actor.name}
            self._record(session, "experiment.rolled_back", experiment, actor.id, facts)

    def _record(
        self, session: Session, kind: str, experiment: Experiment, actor: str, facts: dict[str, Any]
    ) -> None:
        self._ledger(session, kind=kind, subject=experiment.id, actor=actor, payload=facts)


def find(session: Session, experiment_id: str, *, lock: bool = False) -> Experiment:
    """An experiment, locked for the rest of the transaction when asked; `NotFound` otherwise."""
    query = select(Experiment).where(Experiment.id == experiment_id)
    row = session.scalar(
        (query.with_for_update() if lock else query).execution_options(populate_existing=True)
    )
    if row is None:
        raise NotFound(f"There is no experiment {experiment_id}.")
    return row


def looks_of(session: Session, experiment_id: str) -> list[ExperimentLook]:
    """Looks taken so far, in order."""
    query = select(ExperimentLook).where(ExperimentLook.experiment_id == experiment_id)
    return list(session.scalars(query.order_by(ExperimentLook.number)))


def _by_arm(experiment: Experiment, counts: Sequence[ArmOutcome]) -> list[ArmOutcome]:
    """Every arm of the experiment, in its order; an arm nobody has seen yet counts zero."""
    seen = {count.arm: count for count in counts}
    return [seen.get(arm, ArmOutcome(arm, 0, 0, 0)) for arm in experiment.arms]


def _row(experiment_id: str, finding: Finding, now: Any) -> ExperimentLook:
    return ExperimentLook(
        experiment_id=experiment_id,
        number=finding.number,
        at=now,
        information=finding.information,
        arms=[asdict(arm) for arm in finding.arms],
        best=finding.best,
        z=finding.z,
        bound=finding.bound,
        srm_p=finding.srm_p,
        verdict=finding.verdict,
        reason=finding.reason,
    )


def _facts(finding: Finding) -> dict[str, Any]:
    facts = asdict(finding)
    return {name: value for name, value in facts.items() if value is not None}


def _result(experiment_id: str, finding: Finding, proposal_id: str | None) -> LookResult:
    return LookResult(
        experiment_id,
        finding.verdict,
        finding.reason,
        finding.information,
        finding.number,
        finding.z,
        finding.bound,
        proposal_id,
    )
