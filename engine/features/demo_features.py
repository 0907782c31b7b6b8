"""The demo bank's features, over its customers and events."""

from __future__ import annotations

from smart_reach.engine.features.definitions import (
    FeatureDefinition,
    FeatureSet,
    category,
    count,
    helper,
    number,
    total,
)
from smart_reach.engine.features.habits import channel_use, most_active_window, most_used_channel, window_use

# product group → what is held, as its label says it, and as its description does
_HELD = {
    "card": ("a card", "a card is"),
    "loan": ("a loan", "a loan is"),
    "insurance": ("insurance", "insurance is"),
    "savings": ("savings", "a savings product is"),
}
_TREND = """CASE WHEN spend_90d > spend_30d_minor AND months_open >= 1.5
    THEN round(spend_30d_minor * (least(months_open, 3) - 1) / (spend_90d - spend_30d_minor), 4) END"""


def _column(name: str, label: str, description: str = "") -> FeatureDefinition:
    return category(name, label, description, value=name)


def _holds(name: str) -> FeatureDefinition:
    what, described = _HELD[name]
    value = f"(had_{name} OR got_{name})::INTEGER"
    return number(f"has_{name}", f"holds {what}", f"1 when {described} held, else 0.", value=value)


def _visits(name: str) -> FeatureDefinition:
    source = f"kind = 'web_visit' AND category = '{name}'"
    return count(f"visits_{name}_30d", f"visits to {name} pages", source, 30, "Over 30 days.")


_HELPERS = (
    helper("spend_all", "sum", "kind = 'transaction'", "amount_minor"),
    helper("spend_90d", "sum", "kind = 'transaction'", "amount_minor", 90),
    helper("active_at", "last_time", "kind IN ('transaction', 'web_visit', 'open', 'click')"),
    helper("messages_90d", "count", "kind = 'sent'", days=90),
    helper("clicks_90d", "count", "kind = 'click'", days=90),
    *(helper(f"got_{one}", "any", f"kind = 'conversion' AND category = '{one}'") for one in _HELD),
    helper("months_open", "formula", value="date_diff('day', opened_at, as_of) / 30.0"),
    *channel_use(),
    *window_use(),
)

_DEFINITIONS = (
    number("age", "age", "Age in years.", value="age"),
    _column("age_band", "age band"),
    _column("segment", "segment", "Segment the bank assigned."),
    _column("region", "region"),
    _column("job", "job"),
    _column("marital", "marital status"),
    _column("income_band", "income band", "low, middle or high."),
    number("tenure_months", "months as a customer", value="date_diff('month', joined_on, as_of::DATE)"),
    number(
        "holdings",
        "product groups held",
        "How many of card, loan, insurance and savings are held.",
        value="has_card + has_loan + has_insurance + has_savings",
    ),
    *(_holds(name) for name in _HELD),
    number(
        "balance_minor",
        "balance",
        "Current balance, minor units.",
        column="BIGINT",
        value="greatest(0, opening_balance_minor + (monthly_inflow_minor * months_open)::BIGINT - spend_all)",
    ),
    total(
        "spend_30d_minor",
        "spend over 30 days",
        "kind = 'transaction'",
        30,
        "Card spend over the 30 days before, minor units.",
    ),
    number(
        "spend_trend",
        "spend trend",
        "Spend over 30 days ÷ the 30-day mean of the 60 days before them.",
        column="DOUBLE",
        value=_TREND,
    ),
    count("transactions_30d", "transactions over 30 days", "kind = 'transaction'", 30),
    count("visits_30d", "visits over 30 days", "kind = 'web_visit'", 30, "Visits to the bank's pages."),
    *(_visits(name) for name in _HELD),
    number(
        "days_since_active",
        "days since last active",
        "Since the last transaction, visit, open or click.",
        value="date_diff('day', active_at, as_of)",
    ),
    count("messages_7d", "messages over 7 days", "kind = 'sent'", 7),
    count("messages_30d", "messages over 30 days", "kind = 'sent'", 30),
    count("opens_30d", "messages opened over 30 days", "kind = 'open'", 30, "Machine opens excluded."),
    count(
        "emails_opened_30d",
        "e-mails opened over 30 days",
        "kind = 'open' AND channel = 'email'",
        30,
        "Machine opens excluded.",
    ),
    count("clicks_30d", "clicks over 30 days", "kind = 'click'", 30, "Machine clicks excluded."),
    number(
        "click_rate_90d",
        "share of messages clicked over 90 days",
        column="DOUBLE",
        value="CASE WHEN messages_90d > 0 THEN round(clicks_90d / messages_90d, 4) END",
    ),
    count("conversions_90d", "offers accepted over 90 days", "kind = 'conversion'", 90),
    _column("primary_channel", "primary channel", "Channel the customer chose."),
    most_used_channel(),
    most_active_window(),
)

DEMO = FeatureSet(
    "demo-bank",
    _DEFINITIONS,
    _HELPERS,
    population="customers",
    kinds=("sent", "open", "click", "conversion", "web_visit", "transaction"),
)
