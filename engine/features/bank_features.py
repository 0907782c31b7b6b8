"""The features of the UCI bank-marketing file: each was written down when the call began."""

from __future__ import annotations

from smart_reach.engine.features.definitions import FeatureSet, category, number

_DEFINITIONS = (
    number("age", "age", "Age in years."),
    category("job", "job"),
    category("marital", "marital status"),
    category("education", "education"),
    category("default", "credit in default"),
    category("housing", "housing loan"),
    category("loan", "personal loan"),
    category("contact_type", "way of contact", "cellular or telephone."),
    category("month", "month of contact"),
    category("day_of_week", "weekday of contact"),
    number("campaign", "contacts in this campaign", "Including this one."),
    number("pdays", "days since previous contact", "999: not contacted before."),
    number("previous", "contacts before this campaign"),
    category("poutcome", "outcome of the previous campaign"),
    number("emp_var_rate", "employment variation rate", "Quarterly."),
    number("cons_price_idx", "consumer price index", "Monthly."),
    number("cons_conf_idx", "consumer confidence index", "Monthly."),
    number("euribor3m", "Euribor 3 months", "Daily."),
    number("nr_employed", "number of employees", "Quarterly, thousands."),
)

BANK_MARKETING = FeatureSet("bank-marketing", _DEFINITIONS)
