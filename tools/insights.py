"""Doors to the metrics: questions, anomalies, changes, segments."""

from __future__ import annotations

from langchain.tools import ToolRuntime, tool

from smart_reach.engine.metrics.answer import Answer
from smart_reach.tools.asked import request_of
from smart_reach.tools.context import Artifact, Found, RunContext

Runtime = ToolRuntime[RunContext]


@tool(response_format="content_and_artifact")
def ask_metrics(question: str, runtime: Runtime) -> Found:
    """Answer a question about campaign figures: rates, counts, trends, comparisons, funnels, cohorts.

    Args:
        question: The question in the user's own words.
    """
    return found(runtime.context.services.metrics.ask(question))


@tool(response_format="content_and_artifact")
def find_anomalies(runtime: Runtime) -> Found:
    """Say what is unusual in the campaign figures lately: drops, spikes, outages."""
    return found(runtime.context.services.metrics.ask(request_of(runtime.state)))


@tool(response_format="content_and_artifact")
def explain_change(question: str, runtime: Runtime) -> Found:
    """Say which groups contributed to a rise or fall of a metric.

    Args:
        question: The question in the user's own words, naming the metric.
    """
    return found(runtime.context.services.metrics.ask(question))


@tool(response_format="content_and_artifact")
def find_segment(description: str, runtime: Runtime) -> Found:
    """Find a group of customers, such as those who are slipping away, and say how large it is.

    Args:
        description: The group in the user's own words.
    """
    match = runtime.context.services.decisions.find_segment(description)
    facts = [
        {"id": "segment.count", "value": match.count, "display": f"{match.count:,}", "source": match.source}
    ]
    text = f"{match.count:,} customers are in “{match.label}”: {match.description}"
    return text, Artifact(facts=facts, trust="verified", brief={"segment": match.id})


def found(answer: Answer) -> Found:
    """The parts of an Answer that a Message shows."""
    shown = answer.as_json()
    artifact = Artifact(
        facts=shown["facts"],
        chart=shown["chart"],
        table=shown["table"],
        trust=shown["trust"],
        spec_text=shown["spec_text"],
        sql=shown["sql"],
        row_count=shown["row_count"],
        freshness=shown["freshness"],
        clarification=shown["clarification"],
        declined=bool(shown["declined"]),
        refusal=shown["refusal"],
    )
    return shown["text"], artifact
