"""The README tells the truth: its commands exist and its table names what is installed."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
README = (ROOT / "README.md").read_text()
COMMANDS = re.findall(r"^(\.venv/bin/smart-reach .+|make \w+)$", README, re.MULTILINE)


@pytest.mark.parametrize("command", [line for line in COMMANDS if line.startswith("make")])
def test_make_targets_exist(command: str) -> None:
    subprocess.run(["make", "-n", *command.split()[1:]], cwd=ROOT, check=True, capture_output=True)


@pytest.mark.parametrize("name", sorted({line.split()[1] for line in COMMANDS if "smart-reach" in line}))
def test_commands_have_help(name: str) -> None:
    found = subprocess.run(
        [sys.executable, "-m", "smart_reach.api", name, "--help"], capture_output=True, text=True, check=False
    )
    assert found.returncode == 0, found.stderr
    assert "Usage" in found.stdout


def test_the_owners_packages_are_in_the_table() -> None:
    for package in ("langgraph", "langchain-ibm", "ibm-watsonx-ai", "pinecone-client", "pydantic", "fastapi"):
        assert package in README
    for package in ("scikit-learn", "mlflow", "chainlit", "pytest"):
        assert package in README


def test_settings_of_the_readme_are_those_of_the_code() -> None:
    code = (ROOT / "engine" / "settings.py").read_text()
    for name in set(re.findall(r"SMART_REACH_[A-Z_]+", code)):
        assert name in README, name


def test_links_lead_somewhere() -> None:
    for target in re.findall(r"\]\(([^)#:]+)\)", README):
        assert (ROOT / target).exists(), target
