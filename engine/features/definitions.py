"""The features of each kind of workspace: name, type, label and meaning."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True)
class FeatureDefinition:
    """One column of the features table."""

    name: str
    dtype: Literal["number", "category"]
    label: str
    description: str


def _number(name: str, label: str, description: str = "") -> FeatureDefinition:
    return FeatureDefinition(name, "number", label, description or label)


def _category(name: str, label: str, description: str = "") -> FeatureDefinition:
    return FeatureDefinition(name, "category", label, description or label)


DEMO_FEATURES: tuple[FeatureDefinition, ...] = (
    _number("age", "age", "Age in years."),
    _category("age_band", "age band"),
    _category("segment", "segment", "Segment the bank assigned."),
    _category("region", "region"),
    _category("job", "job"),
    _category("marital", "marital status"),
    _category("income_band", "income band", "low, middle or high."),
    _number("tenure_months", "months as a customer"),
    _number("holdings", "product groups held", "How many of card, loan, insurance and savings are held."),
    _number("has_card", "holds a card", "1 when a card is held, else 0."),
    _number("has_loan", "holds a loan", "1 when a loan is held, else 0."),
    _number("has_insurance", "holds insurance", "1 when insurance is held, else 0."),
    _number("has_savings", "holds savings", "1 when a savings product is held, else 0."),
    _number("balance_minor", "balance", "Current balance, minor units."),
    _number("spend_30d_minor", "spend over 30 days", "Card spend over the 30 days before, minor units."),
    _number("spend_trend", "spend trend", "Spend over 30 days ÷ the 30-day mean of the 60 days before them."),
    _number("transactions_30d", "transactions over 30 days"),
    _number("visits_30d", "visits over 30 days", "Visits to the bank's pages."),
    _number("visits_card_30d", "visits to card pages", "Over 30 days."),
    _number("visits_loan_30d", "visits to loan pages", "Over 30 days."),
    _number("visits_insurance_30d", "visits to insurance pages", "Over 30 days."),
    _number("visits_savings_30d", "visits to savings pages", "Over 30 days."),
    _number(
        "days_since_active", "days since last active", "Since the last transaction, visit, open or click."
    ),
    _number("messages_7d", "messages over 7 days"),
    _number("messages_30d", "messages over 30 days"),
    _number("opens_30d", "messages opened over 30 days", "Machine opens excluded."),
    _number("emails_opened_30d", "e-mails opened over 30 days", "Machine opens excluded."),
    _number("clicks_30d", "clicks over 30 days", "Machine clicks excluded."),
    _number("click_rate_90d", "share of messages clicked over 90 days"),
    _number("conversions_90d", "offers accepted over 90 days"),
    _category("primary_channel", "primary channel", "Channel the customer chose."),
    _category("preferred_channel", "most used channel", "Channel of most clicks and opens over 90 days."),
    _category("preferred_window", "most active time of day", "Window of most visits, opens and clicks."),
)

BANK_MARKETING_FEATURES: tuple[FeatureDefinition, ...] = (
    _number("age", "age", "Age in years."),
    _category("job", "job"),
    _category("marital", "marital status"),
    _category("education", "education"),
    _category("default", "credit in default"),
    _category("housing", "housing loan"),
    _category("loan", "personal loan"),
    _category("contact_type", "way of contact", "cellular or telephone."),
    _category("month", "month of contact"),
    _category("day_of_week", "weekday of contact"),
    _number("campaign", "contacts in this campaign", "Including this one."),
    _number("pdays", "days since previous contact", "999: not contacted before."),
    _number("previous", "contacts before this campaign"),
    _category("poutcome", "outcome of the previous campaign"),
    _number("emp_var_rate", "employment variation rate", "Quarterly."),
    _number("cons_price_idx", "consumer price index", "Monthly."),
    _number("cons_conf_idx", "consumer confidence index", "Monthly."),
    _number("euribor3m", "Euribor 3 months", "Daily."),
    _number("nr_employed", "number of employees", "Quarterly, thousands."),
)

DEFINITIONS = {"demo-bank": DEMO_FEATURES, "bank-marketing": BANK_MARKETING_FEATURES}
