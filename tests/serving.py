"""Runs the real command in a process of its own: what API, browser and fault tests talk to."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx

BANK = 20_000


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


class Server:
    """`smart-reach serve` on a free port. `start` waits for health; `kill` is kill −9."""

    def __init__(self, home: Path, *, customers: int = BANK, **env: str) -> None:
        self.home = home
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.log = home / "server.log"
        self._customers = customers
        self._env = {**os.environ, **env, "SMART_REACH_HOME": str(home)}
        self._process: subprocess.Popen[bytes] | None = None

    def start(self, timeout: float = 240) -> Server:
        command = [sys.executable, "-m", "smart_reach.api", "serve", "--no-open"]
        command += ["--port", str(self.port), "--customers", str(self._customers)]
        self.home.mkdir(parents=True, exist_ok=True)
        with self.log.open("ab") as log:
            self._process = subprocess.Popen(
                command, env=self._env, stdout=log, stderr=log, start_new_session=True
            )
        deadline = time.monotonic() + timeout
        while time.monotonic() < deadline:
            if self._process.poll() is not None:
                break
            try:
                if httpx.get(f"{self.url}/api/health", timeout=2).status_code == 200:
                    return self
            except httpx.TransportError:
                time.sleep(0.2)
        self.kill()
        raise RuntimeError(f"the server did not start:\n{self.log.read_text()[-4000:]}")

    def command(self, *arguments: str, **options: Any) -> subprocess.CompletedProcess[str]:
        """Another command on the same home folder."""
        return run_command(self.home, *arguments, **options)

    def kill(self) -> None:
        self._signal(signal.SIGKILL)

    def stop(self) -> None:
        self._signal(signal.SIGTERM)

    def _signal(self, number: int) -> None:
        if self._process is None:
            return
        if self._process.poll() is None:
            self._process.send_signal(number)
        try:
            self._process.wait(timeout=30)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._process = None

    @contextmanager
    def client(self, name: str) -> Iterator[httpx.Client]:
        """A client signed in as one of the demo users."""
        who = {"email": f"{name}@demo-bank.example", "password": f"demo-{name}-2026"}
        with httpx.Client(base_url=self.url, timeout=60) as client:
            client.post("/api/session", json=who).raise_for_status()
            yield client


def run_command(home: Path, *arguments: str, **options: Any) -> subprocess.CompletedProcess[str]:
    """`smart-reach …` with its own home folder; output captured, exit code not checked."""
    return subprocess.run(
        [sys.executable, "-m", "smart_reach.api", *arguments],
        env={**os.environ, "SMART_REACH_HOME": str(home)},
        capture_output=True,
        text=True,
        check=False,
        timeout=600,
        **options,
    )
