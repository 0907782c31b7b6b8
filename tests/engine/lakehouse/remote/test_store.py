"""A path for every address and back; no address leads out of the folder."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smart_reach.engine.errors import Integrity
from smart_reach.engine.lakehouse.iceberg.remote import RemoteStore

STORE = RemoteStore(Path("/lake"), 1)
PARTS = st.lists(
    st.from_regex(r"[A-Za-z0-9=_%-][A-Za-z0-9=._%-]{0,20}", fullmatch=True), min_size=1, max_size=5
)


@given(st.sampled_from(["s3", "gs", "file"]), PARTS)
def test_an_address_comes_back(scheme: str, parts: list[str]) -> None:
    address = f"{scheme}://{'/' if scheme == 'file' else ''}{'/'.join(parts)}"
    path = Path(STORE.path(address))
    assert path.is_relative_to(f"/lake/remote/{scheme}")
    assert STORE.address(str(path)) == address


def test_one_place_has_one_path() -> None:
    assert STORE.path("s3a://bank/reach/x.parquet") == STORE.path("s3://bank/reach/x.parquet")
    assert STORE.address(STORE.path("s3n://bank/x")) == "s3://bank/x"


@pytest.mark.parametrize("wrong", ["s3://bank/../../etc/passwd", "s3://../x", "/etc/passwd", "s3://"])
def test_what_is_no_address_is_refused(wrong: str) -> None:
    with pytest.raises(Integrity):
        STORE.path(wrong)
