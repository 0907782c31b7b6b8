"""The pages can be built on a machine without Node."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
pytestmark = pytest.mark.packaging
PROBE = (
    "import runpy, subprocess; npm = runpy.run_path({web!r})['npm']; command, env = npm(); "
    "subprocess.run([*command, '--version'], env=env, check=True)"
)


def test_npm_from_the_wheel_runs_where_the_machine_has_none(tmp_path: Path) -> None:
    (tmp_path / "sh").symlink_to("/bin/sh")
    done = subprocess.run(
        [sys.executable, "-c", PROBE.format(web=str(ROOT / "deploy" / "web.py"))],
        env={"PATH": str(tmp_path), "HOME": str(tmp_path)},
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip().splitlines()[-1][0].isdigit()
