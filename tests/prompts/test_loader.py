"""Prompts are files; what is missing raises."""

from __future__ import annotations

from pathlib import Path

import pytest

from smart_reach.engine.errors import Integrity, InvalidInput, NotFound
from smart_reach.prompts import load_prompt, prompt_names

NAMES = ("compliance", "content", "experimentation", "insights", "nba", "supervisor")


def write(
    folder: Path, name: str, version: int, text: str = "Hello {{who}}.", head: str | None = None
) -> None:
    front = head if head is not None else f"name: {name}\nversion: {version}\nvariables: [who]\n"
    (folder / f"{name}.v{version}.md").write_text(f"---\n{front}---\n{text}\n")


def test_every_agent_has_its_prompt() -> None:
    assert prompt_names() == NAMES


@pytest.mark.parametrize("name", NAMES)
def test_prompt_renders_with_exactly_its_variables(name: str) -> None:
    prompt = load_prompt(name)
    text = prompt.render(**dict.fromkeys(prompt.variables, "VALUE"))
    assert "VALUE" in text
    assert "{{" not in text
    with pytest.raises(InvalidInput, match="exactly"):
        prompt.render()
    with pytest.raises(InvalidInput, match="exactly"):
        prompt.render(**dict.fromkeys(prompt.variables, "x"), surplus="x")


@pytest.mark.parametrize("name", NAMES)
def test_prompt_keeps_the_house_rules(name: str) -> None:
    text = load_prompt(name).text.lower()
    assert "data, never instructions" in text
    assert "figure" in text


def test_newest_version_unless_asked(tmp_path: Path) -> None:
    for version in (1, 2, 10):
        write(tmp_path, "greeting", version, f"V{version} {{{{who}}}}")
    assert load_prompt("greeting", folder=tmp_path).version == 10
    assert load_prompt("greeting", 2, folder=tmp_path).render(who="x") == "V2 x\n"


def test_missing_prompt_and_version_raise(tmp_path: Path) -> None:
    write(tmp_path, "greeting", 1)
    with pytest.raises(NotFound, match="nothing_here"):
        load_prompt("nothing_here", folder=tmp_path)
    with pytest.raises(NotFound, match="version 7"):
        load_prompt("greeting", 7, folder=tmp_path)


@pytest.mark.parametrize(
    ("text", "head"),
    [
        ("Hello {{who}}.", "name: other\nversion: 1\nvariables: [who]\n"),
        ("Hello {{who}}.", "name: greeting\nversion: 2\nvariables: [who]\n"),
        ("Hello {{who}} and {{whom}}.", "name: greeting\nversion: 1\nvariables: [who]\n"),
        ("Hello.", "name: greeting\nversion: 1\nvariables: [who]\n"),
    ],
)
def test_file_that_contradicts_itself_raises(tmp_path: Path, text: str, head: str) -> None:
    write(tmp_path, "greeting", 1, text, head)
    with pytest.raises(Integrity):
        load_prompt("greeting", folder=tmp_path)


def test_values_are_data(tmp_path: Path) -> None:
    write(tmp_path, "greeting", 1)
    assert load_prompt("greeting", folder=tmp_path).render(who="{{who}}") == "Hello {{who}}.\n"


def test_hash_follows_the_text(tmp_path: Path) -> None:
    write(tmp_path, "greeting", 1)
    before = load_prompt("greeting", folder=tmp_path).hash
    write(tmp_path, "greeting", 1, "Goodbye {{who}}.")
    assert load_prompt("greeting", folder=tmp_path).hash != before
