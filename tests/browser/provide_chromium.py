"""Finds a Chromium for the browser tests, or installs one: from Debian when root, playwright's elsewhere."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")


def find() -> str | None:
    """Path of a Chromium on this machine, or None."""
    for name in NAMES:
        if path := shutil.which(name):
            return path
    try:
        from playwright.sync_api import sync_playwright

        with sync_playwright() as playwright:
            path = playwright.chromium.executable_path
    except Exception as error:  # noqa: BLE001 - any failure means the same here: no browser
        sys.stderr.write(f"playwright has no browser: {error}\n")
        return None
    return path if os.path.exists(path) else None


def install() -> None:
    if hasattr(os, "geteuid") and os.geteuid() == 0 and shutil.which("apt-get"):
        quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
        subprocess.run(["apt-get", "update"], check=False, **quiet)  # type: ignore[call-overload]
        subprocess.run(["apt-get", "install", "-y", "chromium"], check=False, **quiet)  # type: ignore[call-overload]
    else:
        subprocess.run([sys.executable, "-m", "playwright", "install", "chromium"], check=False)


def main() -> None:
    if find() is None:
        sys.stdout.write("▸ Installing Chromium for the browser tests\n")
        install()
    if find() is None:
        sys.stdout.write("▸ No Chromium could be had: the browser tests will be skipped\n")


if __name__ == "__main__":
    main()
