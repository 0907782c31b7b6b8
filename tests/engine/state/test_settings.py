"""Settings, canonical JSON and clocks: the small things that everything rests on."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy.dialects import postgresql

from smart_reach.engine.canonical import canonical_json, content_hash, stable_unit
from smart_reach.engine.clock import FixedClock
from smart_reach.engine.errors import InvalidInput
from smart_reach.engine.settings import Settings
from smart_reach.engine.state.base import UtcDateTime


@pytest.mark.parametrize("name", ["", "Demo", "a b", "../x", "-x", "x" * 41, "x;drop"])
def test_a_bad_workspace_name_is_refused(tmp_path: Path, name: str) -> None:
    with pytest.raises(InvalidInput, match="workspace"):
        Settings(home=tmp_path, workspace=name)


@pytest.mark.parametrize("port", ["0", "65536", "-1", "http", "8 0"])
def test_a_bad_port_is_refused(port: str) -> None:
    with pytest.raises(InvalidInput, match="SMART_REACH_PORT"):
        Settings.from_env({"SMART_REACH_PORT": port})


def test_secrets_are_not_shown(tmp_path: Path) -> None:
    settings = Settings(home=tmp_path, database_url="postgresql://u:hunter2@h/d")
    assert "hunter2" not in repr(settings)


def test_the_secret_key_is_made_once_and_kept_private(tmp_path: Path) -> None:
    settings = Settings(home=tmp_path)
    assert settings.secret_key() == settings.secret_key()
    assert (tmp_path / "secret.key").stat().st_mode & 0o077 == 0


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
)


@given(st.dictionaries(st.text(), json_values))
def test_the_order_of_keys_does_not_change_the_hash(value: dict[str, object]) -> None:
    assert content_hash(value) == content_hash(dict(reversed(list(value.items()))))


def test_equal_instants_have_one_canonical_form() -> None:
    noon = datetime(2026, 3, 29, 12, tzinfo=UTC)
    assert canonical_json(noon) == canonical_json(noon.astimezone(timezone(timedelta(hours=9))))
    with pytest.raises(ValueError, match="naive"):
        canonical_json(datetime(2026, 3, 29, 12))  # noqa: DTZ001 - the point of the test
    with pytest.raises(ValueError):
        canonical_json(float("nan"))


@given(st.text(), st.text())
def test_stable_unit_is_a_share(a: str, b: str) -> None:
    assert 0 <= stable_unit(a, b) < 1
    assert stable_unit(a, b) == stable_unit(a, b)


def test_naive_times_are_refused() -> None:
    with pytest.raises(ValueError, match="aware"):
        FixedClock(datetime(2026, 1, 1))  # noqa: DTZ001
    with pytest.raises(ValueError, match="naive"):
        UtcDateTime().process_bind_param(datetime(2026, 1, 1), postgresql.dialect())  # type: ignore[no-untyped-call]  # noqa: DTZ001
