"""Chainlit's folder: no outside link, no source map, our words and theme, fast the second time."""

from __future__ import annotations

import json
import re
import tomllib
from pathlib import Path

import pytest

from smart_reach.engine.errors import Integrity
from smart_reach.ui.chat.prepare import Prepared, _repair, prepare

OUTSIDE = ("fonts.googleapis", "fonts.gstatic", "jsdelivr", "unpkg", "cdn.", "chainlit-cloud")


@pytest.fixture(scope="module")
def prepared(tmp_path_factory: pytest.TempPathFactory) -> Prepared:
    return prepare(tmp_path_factory.mktemp("home"), title="Smart Reach")


def test_the_page_loads_nothing_from_elsewhere(prepared: Prepared) -> None:
    page = (prepared.build / "index.html").read_text(encoding="utf-8")
    assert not re.search(r"https?://", page)
    assert 'src="/assets/index-' in page
    for style in (prepared.build / "assets").glob("*.css"):
        assert not re.search(r"(url\(|@import)\s*['\"]?https?://", style.read_text(encoding="utf-8"))
    for script in (prepared.build / "assets").glob("*.js"):
        text = script.read_text(encoding="utf-8")
        assert [name for name in OUTSIDE if name in text] == []


def test_maps_and_players_stay_out(prepared: Prepared) -> None:
    names = [path.name for path in prepared.build.rglob("*") if path.is_file()]
    assert not [
        name for name in names if name.endswith(".map") or name.startswith(("YouTube", "react-plotly"))
    ]
    assert sum(path.stat().st_size for path in prepared.build.rglob("*") if path.is_file()) < 9_000_000


def test_the_settings_switch_off_what_is_not_used(prepared: Prepared) -> None:
    config = tomllib.loads((prepared.root / ".chainlit" / "config.toml").read_text(encoding="utf-8"))
    assert config["project"]["allow_origins"] == []
    assert config["UI"]["custom_build"] == prepared.build.name
    off = ("mcp", "audio", "spontaneous_file_upload")
    assert [config["features"][name]["enabled"] for name in off] == [False, False, False]
    assert config["UI"]["header_links"][0]["url"] == "/"


def test_the_theme_sets_the_same_variables_for_light_and_dark(prepared: Prepared) -> None:
    variables = json.loads((prepared.root / "public" / "theme.json").read_text())["variables"]
    assert variables["light"].keys() == variables["dark"].keys()
    used = set(re.findall(r"var\((--sr-[a-z-]+)\)", (prepared.root / "public" / "chat.css").read_text()))
    assert used - variables["light"].keys() == set()


def test_a_second_start_copies_nothing(prepared: Prepared) -> None:
    before = {path: path.stat().st_mtime_ns for path in prepared.root.rglob("*") if path.is_file()}
    again = prepare(prepared.root.parent, title="Smart Reach")
    assert again == prepared
    assert {path: path.stat().st_mtime_ns for path in prepared.root.rglob("*") if path.is_file()} == before


def test_an_older_copy_and_a_broken_one_are_replaced(tmp_path: Path) -> None:
    old = tmp_path / "chainlit" / "ui-1.0.0-1"
    old.mkdir(parents=True)
    first = prepare(tmp_path, title="Smart Reach")
    assert not old.exists()
    (first.build / "index.html").unlink()
    assert (prepare(tmp_path, title="Smart Reach").build / "index.html").is_file()


def test_another_version_of_chainlit_is_refused_rather_than_half_repaired(tmp_path: Path) -> None:
    script = tmp_path / "index-x.js"
    script.write_text("another build", encoding="utf-8")
    with pytest.raises(Integrity, match="not the version"):
        _repair(script)
    assert script.read_text(encoding="utf-8") == "another build"
