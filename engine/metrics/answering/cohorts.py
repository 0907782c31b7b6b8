"""Tells the Overview's weekly cohorts as an answer."""

from __future__ import annotations

from typing import Any

from smart_reach.engine.metrics.answering.story import Story, show


def tell(story: Story, cohorts: dict[str, Any]) -> None:
    """Say what the newest cohorts with a second week show, or that there are none yet."""
    known = [row for row in cohorts["rows"] if len(row["values"]) > 1 and row["values"][1] is not None]
    if not known:
        story.say("There is nothing to report: no cohort has a whole week behind it.")
        return
    story.say(
        "Cohorts are customers by the week of their first message; a cell is the share of them that spends"
        " in a week, W and the number of weeks after the first."
    )
    for row in known[-2:]:
        week = story.fact(row["cohort"], row["cohort"], f"cohort {row['cohort']}")
        size = story.fact(row["size"], f"{row['size']:,}", f"cohort {row['cohort']} · size")
        share = story.fact(
            row["values"][1], show(row["values"][1], "percent"), f"cohort {row['cohort']} · W1"
        )
        story.say(f"Of the {size} customers of the week of {week}, {share} spent in the week after.")


def table(cohorts: dict[str, Any]) -> dict[str, Any] | None:
    """One row a cohort; weeks that are not over are empty."""
    if not cohorts["rows"]:
        return None
    columns = [
        {"id": "cohort", "label": "Week of", "unit": ""},
        {"id": "size", "label": "Customers", "unit": "count"},
    ]
    columns += [{"id": name.lower(), "label": name, "unit": "percent"} for name in cohorts["columns"]]
    return {"columns": columns, "rows": [[r["cohort"], r["size"], *r["values"]] for r in cohorts["rows"]]}
