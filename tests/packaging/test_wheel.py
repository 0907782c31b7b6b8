"""The wheel carries everything and imports in a clean environment."""

from __future__ import annotations

import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
pytestmark = [pytest.mark.packaging, pytest.mark.timeout(600)]

PROBE = """
import importlib, sys
sys.path[:] = [p for p in sys.path if "/work/" not in p or "site-packages" in p]
import smart_reach.engine, smart_reach.prompts, smart_reach.api.cli
from smart_reach.prompts import load_prompt
print(smart_reach.engine.__file__, load_prompt("supervisor").version)
"""


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("wheel")
    source = out / "source"
    # a copy of what git tracks: the build leaves no folder behind in the checkout
    subprocess.run(["git", "clone", "-q", "--depth", "1", f"file://{ROOT}", str(source)], check=True)
    subprocess.run(
        [sys.executable, "-m", "build", "--wheel", "--outdir", str(out), str(source)],
        check=True,
        capture_output=True,
    )
    return next(out.glob("*.whl"))


def test_the_wheel_has_code_data_and_no_shadowing_package(wheel: Path) -> None:
    names = zipfile.ZipFile(wheel).namelist()
    assert all(name.startswith(("smart_reach/", "smart_reach-")) for name in names)
    for needed in (
        "smart_reach/prompts/supervisor.v1.md",
        "smart_reach/engine/metrics/models/demo_bank.yaml",
        "smart_reach/engine/state/migrations/script.py.mako",
    ):
        assert needed in names
    assert any(name.startswith("smart_reach/knowledge/corpus/") for name in names)
    assert any(name.startswith("smart_reach/agents/language/utterances/") for name in names)


def test_the_wheel_imports_in_a_clean_environment(wheel: Path, tmp_path: Path) -> None:
    uv = Path(sys.executable).with_name("uv")
    environment = tmp_path / "venv"
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", str(environment)], check=True)
    python = environment / "bin" / "python"
    install = [str(uv), "pip", "install", "-q", "--python", str(python)]
    subprocess.run([*install, "--require-hashes", "-r", str(ROOT / "requirements.lock")], check=True)
    subprocess.run([*install, "--no-deps", str(wheel)], check=True)
    found = subprocess.run(
        [str(python), "-c", PROBE], cwd=tmp_path, capture_output=True, text=True, check=True
    )
    assert str(environment) in found.stdout
    helped = subprocess.run(
        [str(environment / "bin" / "smart-reach"), "--help"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=True,
    )
    for command in (
        "serve",
        "ask",
        "decide",
        "ingest",
        "train",
        "experiment",
        "eval",
        "replay",
        "verify-ledger",
        "demo",
    ):
        assert command in helped.stdout
