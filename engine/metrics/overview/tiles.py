"""Which tiles a page has."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from smart_reach.engine.metrics.answering.intervals import MIN_HELD, against_holdout
from smart_reach.engine.metrics.answering.story import show
from smart_reach.engine.metrics.model import SemanticModel
from smart_reach.engine.metrics.overview.builder import Tiles
from smart_reach.engine.metrics.overview.counts import Z95, Arm, Bought, Day, Purchases, Totals
from smart_reach.engine.metrics.spec import Period


def message_tiles(
    model: SemanticModel, totals: Totals, days: list[Day], period: Period, *, raw: bool
) -> list[dict[str, Any]]:
    """Reach, engagement, conversion, opt-outs; incremental revenue where there is a holdout."""
    build = Tiles(model, period, days)
    now, before = totals.now, totals.before
    build.count("reach", now.reach, before.reach, lambda d: d.reach)
    build.count("delivered", now.delivered, before.delivered, lambda d: d.delivered)
    engagement = (("open_rate", "opened"), ("ctr", "clicked"))
    for id, name in engagement:
        build.rate(
            id,
            (getattr(now, name), now.delivered),
            (getattr(before, name), before.delivered),
            lambda d, name=name: (getattr(d, name), d.delivered),  # type: ignore[misc]
            raw=raw,
            machine=_machine(now, name, raw),
        )
    build.rate(
        "conversion_rate",
        (now.converted, now.delivered),
        (before.converted, before.delivered),
        lambda d: (d.converted, d.delivered),
        uplift_note(model, totals),
    )
    if model.kind == "demo-bank" or totals.held.sent or totals.held_before.sent:
        build.incremental(totals)
    else:
        build.count("revenue", now.revenue, before.revenue, lambda d: d.revenue)
    build.rate(
        "opt_out_rate",
        (now.unsubscribed, now.delivered),
        (before.unsubscribed, before.delivered),
        lambda d: (d.unsubscribed, d.delivered),
        "guardrail 0.40%",
    )
    return build.tiles


def _machine(arm: Arm, name: str, raw: bool) -> dict[str, Any] | None:
    """The figure the other way: with machine events, or without when the page counts them."""
    other = getattr(arm, f"{name}_by_people" if raw else f"{name}_raw")
    if not arm.delivered:
        return None
    return {
        "label": "People only" if raw else "With machines",
        "value": other / arm.delivered,
        "display": show(other / arm.delivered, "percent"),
        "events": abs(getattr(arm, f"{name}_raw") - getattr(arm, f"{name}_by_people")),
    }


VOLUMES: tuple[tuple[str, str], ...] = (
    ("sends", "sent"),
    ("delivered", "delivered"),
    ("opens", "opened"),
    ("clicks", "clicked"),
    ("conversions", "converted"),
    ("revenue", "revenue"),
    ("opt_outs", "unsubscribed"),
    ("complaints", "complained"),
    ("bounces", "bounced"),
)


def volumes(
    model: SemanticModel, totals: Totals, days: list[Day], period: Period, *, raw: bool
) -> list[dict[str, Any]]:
    """Every count of the period with its share of what was delivered (of what was sent, before that)."""
    build = Tiles(model, period, days)
    now, before = totals.now, totals.before
    for id, name in VOLUMES:
        build.count(
            id,
            getattr(now, name),
            getattr(before, name),
            lambda d, name=name: getattr(d, name),  # type: ignore[misc]
            raw=raw and id in ("opens", "clicks"),
        )
        base = now.sent if id in ("delivered", "bounces") else now.delivered
        shared = id not in ("sends", "revenue") and base
        build.tiles[-1]["share"] = getattr(now, name) / base if shared else None
        if id != "revenue":
            # both counts as Poisson: a change within 1.96 standard deviations may be chance
            new, old = getattr(now, name), getattr(before, name)
            build.tiles[-1]["significant"] = (new - old) ** 2 > Z95**2 * (new + old)
    return build.tiles


def purchase_tiles(
    model: SemanticModel, bought: Purchases, days: list[Day], period: Period
) -> list[dict[str, Any]]:
    """What customers spent, for a workspace of one's own."""
    build = Tiles(model, period, days)
    now, before = bought.now, bought.before

    def of(name: str) -> Callable[[Day], int]:
        return lambda d: int(getattr(bought.days.get(d.day, Bought()), name))

    build.count("active_customers", now.buyers, before.buyers, of("buyers"))
    build.count("transactions", now.transactions, before.transactions, of("transactions"))
    build.count("spend", now.spend, before.spend, of("spend"))
    return build.tiles


def snapshot_tiles(model: SemanticModel, extra: dict[str, Any], period: Period) -> list[dict[str, Any]]:
    """Churn risk and value per customer; none where no features were computed yet."""
    build = Tiles(model, period, [])
    if extra.get("now"):
        build.snapshot(extra)
    return build.tiles


def uplift_note(model: SemanticModel, totals: Totals) -> str | None:
    """The analyst's uplift with its interval, by message sent as the holdout is by message kept back."""
    now, held = totals.now, totals.held
    if now.sent < 2 or held.sent < MIN_HELD:
        return None
    cells = {
        "treated": now.sent,
        "sum": now.converted,
        "squares": now.converted,
        "held": held.sent,
        "held_sum": held.converted,
        "held_squares": held.converted,
    }
    value = now.converted / now.sent - held.converted / held.sent
    bounds = against_holdout(
        model.metric("uplift"), {"uplift": value, **{f"uplift__{k}": n for k, n in cells.items()}}
    )
    assert bounds is not None
    low, high = (show(bound, "points") for bound in bounds)
    return f"uplift {show(value, 'points')}, 95% CI {low} to {high}"


def bank_tiles(model: SemanticModel, totals: Totals, days: list[Day], period: Period) -> list[dict[str, Any]]:
    """The tiles of a bank-marketing workspace."""
    build = Tiles(model, period, days)
    now, before = totals.now, totals.before
    build.count("contacts", now.sent, before.sent, lambda d: d.sent)
    build.count("conversions", now.converted, before.converted, lambda d: d.converted)
    build.rate(
        "conversion_rate",
        (now.converted, now.sent),
        (before.converted, before.sent),
        lambda d: (d.converted, d.sent),
    )
    return build.tiles
