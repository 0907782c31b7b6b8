"""What each column of the UCI bank-marketing file may hold (Moro, Cortez, Rita 2014)."""

from __future__ import annotations

from dataclasses import dataclass

MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
WEEKDAYS = ("mon", "tue", "wed", "thu", "fri")
_YES_NO = ("no", "yes", "unknown")


@dataclass(frozen=True)
class Words:
    """A closed list."""

    allowed: tuple[str, ...]

    def remedy(self) -> str:
        return f"Use one of {', '.join(self.allowed)}."


@dataclass(frozen=True)
class Number:
    """A number from `low` to `high`, both included."""

    low: float
    high: float
    whole: bool = True

    def remedy(self) -> str:
        kind = "a whole number" if self.whole else "a number"
        return f"Use {kind} from {self.low:g} to {self.high:g}, with a point for decimals."


Rule = Words | Number

RULES: dict[str, Rule] = {
    "age": Number(15, 110),
    "job": Words(
        (
            "admin.",
            "blue-collar",
            "entrepreneur",
            "housemaid",
            "management",
            "retired",
            "self-employed",
            "services",
            "student",
            "technician",
            "unemployed",
            "unknown",
        )
    ),
    "marital": Words(("divorced", "married", "single", "unknown")),
    "education": Words(
        (
            "basic.4y",
            "basic.6y",
            "basic.9y",
            "high.school",
            "illiterate",
            "professional.course",
            "university.degree",
            "unknown",
        )
    ),
    "default": Words(_YES_NO),
    "housing": Words(_YES_NO),
    "loan": Words(_YES_NO),
    "contact": Words(("cellular", "telephone")),
    "month": Words(MONTHS),
    "day_of_week": Words(WEEKDAYS),
    "duration": Number(0, 86_400),
    "campaign": Number(1, 1_000),
    "pdays": Number(0, 999),
    "previous": Number(0, 1_000),
    "poutcome": Words(("failure", "nonexistent", "success")),
    "emp.var.rate": Number(-20, 20, whole=False),
    "cons.price.idx": Number(50, 200, whole=False),
    "cons.conf.idx": Number(-100, 100, whole=False),
    "euribor3m": Number(-2, 25, whole=False),
    "nr.employed": Number(1_000, 20_000, whole=False),
    "y": Words(("no", "yes")),
}
# A number the public Parquet copies put in front; it says nothing and is left out.
IGNORED = ("row_id",)
