"""Times of a column are the times that each of them is alone."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from smart_reach.engine.events.contracts.moments import NO_TIME, moment, times

DAY, CLOCK = (
    ["2026-11-20", "1990-01-01", "2026-02-30"],
    ["12:00", "12:00:00", "23:59:59.123456", "12", "24:00"],
)
ZONES = ["Z", "+02:00", "-0530", "+02", "", "+2", "z", " Z", "+02:0", "+24:00", "Z+01:00"]


@settings(max_examples=500, deadline=None)
@given(
    st.lists(
        st.builds(
            "{}{}{}{}".format,
            st.sampled_from(DAY),
            st.sampled_from("T t"),
            st.sampled_from(CLOCK),
            st.sampled_from(ZONES),
        ),
        min_size=1,
        max_size=4,
    )
)
def test_a_column_reads_as_its_values(texts: list[str]) -> None:
    alone = [moment(text) for text in texts]
    assert times(texts).tolist() == [NO_TIME if at is None else at for at in alone]


@pytest.mark.parametrize("zone", ["+02", "-05"])
def test_a_zone_without_minutes_is_no_time_in_a_column_either(zone: str) -> None:
    assert times([f"2026-11-20T12:00:00{zone}"]).tolist() == [NO_TIME]
