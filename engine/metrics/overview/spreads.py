"""How customers are spread: by days without activity (churn risk) and by value, now and before."""

from __future__ import annotations

import itertools
from datetime import datetime
from typing import Any

from smart_reach.engine.errors import Unanswerable
from smart_reach.engine.metrics.answering.story import money
from smart_reach.engine.metrics.execute import Connection, fetch
from smart_reach.engine.metrics.model import SemanticModel

AT_RISK_DAYS = 45
_QUIET = ((0, "Under a week"), (7, "1–2 weeks"), (14, "2–4 weeks"), (30, "30–44 days"))
_RISKY = ((AT_RISK_DAYS, "45–89 days"), (90, "90 days and more"))
_CHURN_BANDS = (*_QUIET, *_RISKY)
_YEARLY = "12 * f.spend_30d_minor"  # the lifetime-value proxy of the tile


def snapshot(connection: Connection, segment: str | None, now: datetime, before: datetime) -> dict[str, Any]:
    """Churn risk and spend from the feature snapshots in force at both times, and a spark of snapshots.

    Empty where no features were computed yet.
    """
    try:
        rows = fetch(
            connection,
            f"""
            SELECT epoch_us(f.as_of), COUNT(f.days_since_active),
                   COUNT(*) FILTER (f.days_since_active >= {AT_RISK_DAYS}),
                   COALESCE(SUM(f.spend_30d_minor) FILTER (f.days_since_active IS NOT NULL), 0)::DOUBLE
            FROM features f {_join(segment)}
            WHERE f.as_of <= $now GROUP BY f.as_of ORDER BY f.as_of
            """,
            {"now": now, **_of(segment)},
        )
    except Unanswerable:
        return {}
    known = [
        (datetime.fromtimestamp(at / 1e6, now.tzinfo), {"known": k, "at_risk": r, "spend": s})
        for at, k, r, s in rows
    ]
    if not known:
        return {}
    older = [(at, values) for at, values in known if at <= before]
    spark = [{"day": at.date().isoformat(), **values} for at, values in known[-14:]]
    return {
        "now": known[-1][1],
        "before": older[-1][1] if older else None,
        "spark": spark,
        "now_at": known[-1][0],
        "before_at": older[-1][0] if older else None,
    }


def _join(segment: str | None) -> str:
    return "JOIN customers c ON c.customer_id = f.customer_id AND c.segment = $segment" if segment else ""


def _of(segment: str | None) -> dict[str, Any]:
    return {"segment": segment} if segment else {}


def churn(connection: Connection, segment: str | None, extra: dict[str, Any]) -> dict[str, Any] | None:
    """Customers by days without activity in the newest features and in those of the period before."""
    if not extra:
        return None
    counts = _counts(connection, segment, extra, "f.days_since_active", [at for at, _ in _CHURN_BANDS[1:]])
    bands = _bands([label for _, label in _CHURN_BANDS], counts)
    for band, (from_days, _) in zip(bands, _CHURN_BANDS, strict=True):
        band["at_risk"] = from_days >= AT_RISK_DAYS
    return {
        "title": "Churn risk: days without activity",
        "bands": bands,
        "note": f"At risk from {AT_RISK_DAYS} days on",
        **_times(extra),
    }


def value(
    connection: Connection, model: SemanticModel, segment: str | None, extra: dict[str, Any]
) -> dict[str, Any] | None:
    """Customers by yearly value: bands are the quarters of those who spent in the earlier snapshot.

    A shift between bands is a shift of lifetime value; the earlier quarters have 25 % each by construction.
    """
    if not extra:
        return None
    base = extra["before_at"] or extra["now_at"]
    row = fetch(
        connection,
        f"""SELECT quantile_cont({_YEARLY}, [0.25, 0.5, 0.75]) FROM features f {_join(segment)}
            WHERE f.as_of = $base AND f.spend_30d_minor > 0""",
        {"base": base, **_of(segment)},
    )[0][0]
    cuts = sorted({float(cut) for cut in row or []})
    counts = _counts(connection, segment, extra, _YEARLY, [0.5, *cuts])
    texts = [money(cut, model.currency) for cut in cuts]
    labels = ["Nothing"]
    if texts:
        labels += [f"Up to {texts[0]}"]
        labels += [f"{low} to {high}" for low, high in itertools.pairwise(texts)]
        labels += [f"Over {texts[-1]}"]
    else:
        labels += ["Something"]
    return {"title": "Value per customer", "bands": _bands(labels, counts), "note": None, **_times(extra)}


def _times(extra: dict[str, Any]) -> dict[str, Any]:
    before = extra["before_at"]
    return {"at": extra["now_at"].isoformat(), "before_at": before.isoformat() if before else None}


def _counts(
    connection: Connection, segment: str | None, extra: dict[str, Any], column: str, cuts: list[Any]
) -> dict[bool, list[int]]:
    """Customers by the number of `cuts` that they reach, now (True) and before (False)."""
    cut_params = {f"cut{i}": cut for i, cut in enumerate(cuts)}
    reached = " + ".join(f"({column} >= ${name})::INTEGER" for name in cut_params)
    params = {"now": extra["now_at"], "before": extra["before_at"] or extra["now_at"]}
    rows = fetch(
        connection,
        f"""SELECT f.as_of = $now AS now, {reached} AS band, COUNT(*) FROM features f {_join(segment)}
            WHERE f.as_of IN ($now, $before) AND f.days_since_active IS NOT NULL AND {column} IS NOT NULL
            GROUP BY ALL""",
        {**params, **cut_params, **_of(segment)},
    )
    counts = {True: [0] * (len(cuts) + 1), False: [0] * (len(cuts) + 1)}
    for now, band, count in rows:
        counts[bool(now)][band] = count
    return counts


def _bands(labels: list[str], counts: dict[bool, list[int]]) -> list[dict[str, Any]]:
    total, before = sum(counts[True]), sum(counts[False])
    return [
        {
            "label": label,
            "count": counts[True][i],
            "share": counts[True][i] / total if total else 0.0,
            "before_share": counts[False][i] / before if before else None,
        }
        for i, label in enumerate(labels)
    ]
