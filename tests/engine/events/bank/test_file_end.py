"""A file that was cut at the end of a row is not taken for a whole one."""

from __future__ import annotations

from pathlib import Path

import pytest

from smart_reach.engine.errors import InvalidInput
from smart_reach.engine.events.bank.file import read_bank_file


def test_a_last_line_without_an_end_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "cut.csv"
    file.write_text("age;job\n30;admin.\n31;ser")
    with pytest.raises(InvalidInput, match=r"cut\.csv, row 2.*cut off"):
        read_bank_file(file)
