"""Out of scope on public sets: a marketing cockpit serves no bank customers and no household."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest

from smart_reach.agents.language.routing.router import Router

pytestmark = pytest.mark.real_data


def outside(router: Router, texts: list[str]) -> float:
    """Share of texts that reach no specialist: declined, or asked back."""
    routes = [router.route(text) for text in texts]
    return sum(route.label == "out_of_scope" or route.clarify for route in routes) / len(texts)


def test_clinc150_is_outside(router: Router, shared_data: Path) -> None:
    rows = pd.read_parquet(shared_data / "clinc150" / "clinc150_train_val.parquet")
    assert outside(router, list(rows[rows.split == "oos_val"].text)) >= 0.85
    assert outside(router, list(rows[rows.split == "val"].text.sample(400, random_state=3))) >= 0.88


def test_banking77_is_outside(router: Router, shared_data: Path) -> None:
    rows = pd.read_parquet(shared_data / "banking77" / "banking77.parquet")
    assert outside(router, list(rows[rows.split == "test"].text.sample(400, random_state=3))) >= 0.9
