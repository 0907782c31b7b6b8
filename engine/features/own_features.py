"""A sound set for a bank's own data: recency, frequency, money, engagement, holdings, consent, habits.

Everything comes from the log of events, customer records included, so every value has a past: who a customer
was, what was held and what was allowed as it was known at the moment. Amounts in another currency than
the workspace's do not count. `attributes` of the record kinds is JSON (see `events/contracts`).
"""

from __future__ import annotations

from dataclasses import replace

from smart_reach.engine.features.definitions import (
    DAILY,
    FeatureDefinition,
    FeatureSet,
    count,
    helper,
    number,
    total,
)
from smart_reach.engine.features.habits import (
    channel_use,
    most_active_window,
    most_used_channel,
    per_channel,
    window_use,
)

_BOUGHT = "kind = 'transaction' AND amount_minor > 0"
_REFUNDED = "kind = 'transaction' AND amount_minor < 0"
_ACTIVE = "kind IN ('transaction', 'web_visit', 'open', 'click', 'conversion')"
_WINDOWS = (7, 30, 90, 365)


def _text(name: str) -> str:
    return f"json_extract_string(attributes, '$.{name}')"


def _record(name: str, label: str, description: str = "") -> FeatureDefinition:
    """The newest value that a customer record gave."""
    text = description or f"From the newest customer record that says it: {label}."
    source = "kind = 'customer'"
    return FeatureDefinition(name, "category", label, text, "latest", source, _text(name), column="VARCHAR")


def _since(name: str, label: str, moment: str) -> FeatureDefinition:
    return number(name, label, "Whole days.", value=f"date_diff('day', {moment}, as_of)")


def _standing(name: str, label: str, source: str, key: str, value: str, text: str) -> FeatureDefinition:
    return FeatureDefinition(name, "number", label, text, "standing", source, value, key, column="INTEGER")


# what a customer says about being written to, channel by channel
_SAID = (
    f"kind = 'unsubscribe' OR kind = 'consent' AND coalesce({_text('purpose')}, 'marketing') = 'marketing'"
)

_HELPERS = (
    helper("first_seen_at", "first_time", "kind IS NOT NULL"),
    helper("bought_at", "last_time", _BOUGHT),
    helper("visited_at", "last_time", "kind = 'web_visit'"),
    helper("active_at", "last_time", _ACTIVE),
    helper("joined", "latest", "kind = 'customer'", f"try_cast({_text('joined_on')} AS TIMESTAMP)"),
    helper("born", "latest", "kind = 'customer'", f"try_cast({_text('birth_year')} AS INTEGER)"),
    helper("said_age", "latest", "kind = 'customer'", f"try_cast({_text('age')} AS INTEGER)"),
    helper("sent_90d", "count", "kind = 'sent'", days=90),
    helper("clicked_90d", "count", "kind = 'click'", days=90),
    helper("spend_180d", "sum", "kind = 'transaction'", "amount_minor", 180),
    *channel_use(),
    *window_use(),
)

_PERSON = (
    number(
        "age",
        "age",
        "Age in years, or this year less the year of birth.",
        value="coalesce(said_age, year(as_of) - born)",
    ),
    _record("age_band", "age band"),
    _record("segment", "segment"),
    _record("region", "region"),
    _record("job", "job"),
    _record("income_band", "income band"),
    _record("primary_channel", "primary channel"),
    number(
        "tenure_days",
        "days as a customer",
        "Since the day of joining on record, else the first event.",
        value="greatest(0, date_diff('day', coalesce(joined, first_seen_at), as_of))",
    ),
)

_MONEY = (
    _since("days_since_purchase", "days since the last purchase", "bought_at"),
    *(count(f"purchases_{days}d", f"purchases over {days} days", _BOUGHT, days) for days in _WINDOWS),
    *(total(f"spend_{days}d_minor", f"spend over {days} days", "kind = 'transaction'", days,
            "Purchases less refunds, minor units.") for days in _WINDOWS),
    count("refunds_365d", "refunds over 365 days", _REFUNDED, 365),
    number("mean_spend_365d_minor", "mean spend a purchase over 365 days", column="DOUBLE",
           value="CASE WHEN purchases_365d > 0 THEN round(spend_365d_minor / purchases_365d, 2) END"),
    number("spend_trend", "spend trend", "Spend over 90 days ÷ spend over the 90 days before them.",
           column="DOUBLE", value="CASE WHEN spend_180d > spend_90d_minor"
           " THEN round(spend_90d_minor / (spend_180d - spend_90d_minor), 4) END"),
)  # fmt: skip

_ENGAGEMENT = (
    _since("days_since_visit", "days since the last visit", "visited_at"),
    _since("days_since_active", "days since last active", "active_at"),
    *(count(f"visits_{days}d", f"visits over {days} days", "kind = 'web_visit'", days) for days in _WINDOWS),
    *(count(f"messages_{days}d", f"messages over {days} days", "kind = 'sent'", days)
      for days in (7, 30, 90)),
    *(count(f"opens_{days}d", f"opens over {days} days", "kind = 'open'", days, "Machine opens excluded.")
      for days in (30, 90)),
    *(count(f"clicks_{days}d", f"clicks over {days} days", "kind = 'click'", days, "Machine clicks excluded.")
      for days in (30, 90)),
    *per_channel("click", "clicks", "clicks"),
    number("click_rate_90d", "share of messages clicked over 90 days", column="DOUBLE",
           value="CASE WHEN sent_90d > 0 THEN round(clicked_90d / sent_90d, 4) END"),
    count("conversions_90d", "offers accepted over 90 days", "kind = 'conversion'", 90),
    count("conversions_365d", "offers accepted over 365 days", "kind = 'conversion'", 365),
    count("opt_outs_365d", "opt-outs and complaints over 365 days",
          "kind IN ('unsubscribe', 'complaint')", 365),
)  # fmt: skip

_STANDING = (
    _standing("holdings", "products held", "kind = 'holding'",
              f"coalesce({_text('product')}, offer_id)", f"{_text('status')} = 'opened'",
              "Products whose newest record says opened."),
    _standing("consents", "channels allowed", _SAID, "channel",
              f"kind = 'consent' AND {_text('granted')} = 'true'",
              "Channels whose newest word, a record of marketing consent or an unsubscribe, is a grant."),
)  # fmt: skip

_HABITS = (
    most_used_channel(otherwise_none=True),
    most_active_window(otherwise="NULL"),
)

OWN_DATA = FeatureSet(
    "own-data",
    tuple(replace(one, freshness=DAILY) for one in (*_PERSON, *_MONEY, *_ENGAGEMENT, *_STANDING, *_HABITS)),
    _HELPERS,
    population="events",
    imported="starts_with(source, 'file:')",
)
