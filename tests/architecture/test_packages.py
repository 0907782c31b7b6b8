"""The repository's shape: every package is listed, nothing shadows another distribution."""

from __future__ import annotations

import tomllib
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
ROOMS = ("agents", "api", "engine", "evals", "graphs", "knowledge", "prompts", "tools", "ui")
OWNER_FOLDERS = ("agents", "graphs", "tools", "prompts", "knowledge", "ui", "evals", "tests")


def test_every_package_is_listed_in_pyproject() -> None:
    listed = set(tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["setuptools"]["packages"])
    found = {
        "smart_reach." + ".".join(path.parent.relative_to(ROOT).parts)
        for room in ROOMS
        for path in (ROOT / room).rglob("__init__.py")
        if "node_modules" not in path.parts
    }
    assert found == listed


def test_the_owners_folders_stand_at_the_top() -> None:
    assert all((ROOT / folder).is_dir() for folder in OWNER_FOLDERS)
    assert not (ROOT / "smart_reach").exists()


def test_modules_stay_small() -> None:
    long = {
        str(path.relative_to(ROOT)): lines
        for room in ROOMS
        for path in (ROOT / room).rglob("*.py")
        if "node_modules" not in path.parts and "migrations" not in path.parts
        if (lines := len(path.read_text().splitlines())) > 280
    }
    assert long == {}


def test_folders_keep_to_about_a_dozen_files() -> None:
    full = {}
    for room in ROOMS:
        for folder in (ROOT / room).rglob("*/"):
            modules = [path for path in folder.glob("*.py") if path.name != "__init__.py"]
            if len(modules) > 14:
                full[str(folder.relative_to(ROOT))] = len(modules)
    assert full == {}


def test_lock_files_name_no_host() -> None:
    for name in ("requirements.lock", "requirements-dev.lock", "ui/web/package-lock.json"):
        text = (ROOT / name).read_text()
        assert "://" not in text.replace('"url": "https://github.com', "").replace(
            "https://opencollective", ""
        ) or (name.endswith(".json") and '"resolved"' not in text)
