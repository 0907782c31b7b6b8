"""A watsonx.ai service on loopback, as strict as IBM's documented HTTP contract.

TLS with a self-signed certificate, since the client refuses plain http. It wants what the service wants:
a token from the identity endpoint, a known project, a known model, a version in the query.
"""

from __future__ import annotations

import base64
import datetime as dt
import ipaddress
import json
import socket
import ssl
import threading
import time
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

API_KEY = "k-loopback"
PROJECT = "11111111-2222-4333-8444-555555555555"
MODEL = "ibm/granite-4-h-small"
EMBEDDING_MODEL = "ibm/slate-125m-english-rtrvr-v2"


@dataclass
class WatsonxServer:
    """The running service. `faults` are served, one a chat call, before anything else is."""

    url: str
    certificate: Path
    faults: deque[str] = field(default_factory=deque)
    answers: deque[dict[str, Any]] = field(default_factory=deque)
    calls: list[tuple[str, str]] = field(default_factory=list)
    bodies: list[dict[str, Any]] = field(default_factory=list)
    tokens: dict[str, float] = field(default_factory=dict)
    token_seconds: int = 3600

    def issue(self) -> dict[str, Any]:
        """A JWT-shaped token with `exp`, as the identity service gives it."""
        expires = int(time.time()) + self.token_seconds
        head, claims = (
            base64.urlsafe_b64encode(json.dumps(part).encode()).decode().rstrip("=")
            for part in ({"alg": "none"}, {"exp": expires, "iat": expires - 3600, "n": len(self.tokens)})
        )
        token = f"{head}.{claims}.loopback"
        self.tokens[token] = expires
        return {
            "access_token": token,
            "refresh_token": "not_supported",
            "token_type": "Bearer",
            "expires_in": self.token_seconds,
            "expiration": expires,
        }


class _Handler(BaseHTTPRequestHandler):
    state: WatsonxServer
    protocol_version = "HTTP/1.1"

    def log_message(self, format: str, *args: Any) -> None:
        """Keep the test's output quiet."""

    def do_GET(self) -> None:
        path, query = self._note("GET")
        if path.startswith("/v2/projects/"):
            if not self._authorised():
                return
            known = path.rsplit("/", 1)[-1] == PROJECT
            self._send(200, _PROJECT_BODY) if known else self._error(404, "project_not_found")
        elif path == "/ml/v1/foundation_model_specs":
            self._send(200, {"resources": _models(query)}) if "version" in query else self._error(
                400, "missing_version"
            )
        else:
            self._error(404, "not_found")

    def do_POST(self) -> None:
        path, query = self._note("POST")
        raw = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        if path == "/identity/token":
            self._identity(raw)
            return
        if not self._authorised():
            return
        if "version" not in query:
            self._error(400, "missing_version")
            return
        body = json.loads(raw)
        self.state.bodies.append(body)
        if body.get("project_id") != PROJECT:
            self._error(403, "no_associated_service_instance_error")
        elif body.get("model_id") not in {MODEL, EMBEDDING_MODEL}:
            self._error(404, "model_not_supported")
        elif path == "/ml/v1/text/embeddings":
            rows = [{"embedding": [float(len(text)), 1.0]} for text in body["inputs"]]
            self._send(
                200,
                {"model_id": body["model_id"], "results": rows, "created_at": _now(), "input_token_count": 3},
            )
        elif path in {"/ml/v1/text/chat", "/ml/v1/text/chat_stream"}:
            self._chat(body, stream=path.endswith("_stream"))
        else:
            self._error(404, "not_found")

    def _note(self, method: str) -> tuple[str, dict[str, list[str]]]:
        parts = urlsplit(self.path)
        self.state.calls.append((method, parts.path))
        return parts.path, parse_qs(parts.query)

    def _identity(self, raw: bytes) -> None:
        form = parse_qs(raw.decode())
        wanted = {"grant_type": ["urn:ibm:params:oauth:grant-type:apikey"], "apikey": [API_KEY]}
        if all(form.get(name) == value for name, value in wanted.items()):
            self._send(200, self.state.issue())
        else:
            self._send(
                400, {"errorCode": "BXNIM0415E", "errorMessage": "Provided API key could not be found."}
            )

    def _authorised(self) -> bool:
        token = self.headers.get("Authorization", "").removeprefix("Bearer ")
        if self.state.tokens.get(token, 0) > time.time():
            return True
        self.rfile.read(0)
        self._error(
            401,
            "authentication_token_expired"
            if token in self.state.tokens
            else "authentication_token_not_valid",
        )
        return False

    def _chat(self, body: dict[str, Any], *, stream: bool) -> None:
        fault = self.state.faults.popleft() if self.state.faults else None
        if fault == "429":
            self._error(429, "rate_limit_reached_requests", {"Retry-After": "0"})
        elif fault == "500":
            self._error(500, "internal_error")
        elif fault == "drop":
            self.close_connection = True
            self.connection.shutdown(socket.SHUT_RDWR)
        elif fault == "truncated":
            self._send_raw(
                200, json.dumps(_completion(body, {"role": "assistant", "content": "cut"})).encode()[:40]
            )
        elif stream:
            self._stream(body)
        else:
            message = (
                self.state.answers.popleft()
                if self.state.answers
                else {"role": "assistant", "content": "hello"}
            )
            self._send(200, _completion(body, message))

    def _stream(self, body: dict[str, Any]) -> None:
        self.send_response(200)
        self.send_header("Content-Type", "text/event-stream")
        self.send_header("Connection", "close")
        self.end_headers()
        for number, (text, finish) in enumerate((("Good ", None), ("morning", None), ("", "stop"))):
            delta = {"role": "assistant", "content": text}
            data = _completion(body, delta, delta=True, finish=finish)
            self.wfile.write(f"id: {number}\nevent: message\ndata: {json.dumps(data)}\n\n".encode())
        self.close_connection = True

    def _error(self, status: int, code: str, headers: dict[str, str] | None = None) -> None:
        errors = [{"code": code, "message": code.replace("_", " "), "more_info": ""}]
        self._send(status, {"trace": "t", "status_code": status, "errors": errors}, headers)

    def _send(self, status: int, body: dict[str, Any], headers: dict[str, str] | None = None) -> None:
        self._send_raw(status, json.dumps(body).encode(), headers)

    def _send_raw(self, status: int, data: bytes, headers: dict[str, str] | None = None) -> None:
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(data)))
        for name, value in (headers or {}).items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(data)


_PROJECT_BODY = {
    "metadata": {"guid": PROJECT},
    "entity": {
        "name": "loopback",
        "storage": {"type": "bmcos_object_storage", "guid": "s"},
        "compute": [{"guid": "w", "name": "wml", "type": "machine_learning"}],
    },
}


def _models(query: dict[str, list[str]]) -> list[dict[str, Any]]:
    tasks = [{"id": "summarization"}]
    chat = {"model_id": MODEL, "label": "granite", "provider": "IBM", "source": "IBM", "tasks": tasks,
            "functions": [{"id": "text_chat"}, {"id": "text_generation"}],
            "lifecycle": [{"id": "available"}]}  # fmt: skip
    embedding = {**chat, "model_id": EMBEDDING_MODEL, "functions": [{"id": "embedding"}]}
    wanted = query.get("filters", [""])[0]
    return [
        model
        for model in (chat, embedding)
        if "function_" not in wanted or any(f"function_{f['id']}" in wanted for f in model["functions"])
    ]


def _completion(
    body: dict[str, Any], message: dict[str, Any], *, delta: bool = False, finish: str | None = "stop"
) -> dict[str, Any]:
    if message.get("tool_calls"):
        finish = "tool_calls"
    return {
        "id": "chat-1",
        "model_id": body["model_id"],
        "created": int(time.time()),
        "created_at": _now(),
        "choices": [{"index": 0, "delta" if delta else "message": message, "finish_reason": finish}],
        "usage": {"completion_tokens": 2, "prompt_tokens": 3, "total_tokens": 5},
    }


def _now() -> str:
    return dt.datetime.now(dt.UTC).isoformat()


@contextmanager
def running(folder: Path) -> Iterator[WatsonxServer]:
    """Serve on a free port of 127.0.0.1 until the block ends."""
    certificate, key = _certificate(folder)
    handler = type("Handler", (_Handler,), {})
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    server.daemon_threads = True
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    server.socket = context.wrap_socket(server.socket, server_side=True)
    handler.state = WatsonxServer(f"https://127.0.0.1:{server.server_port}", certificate)  # type: ignore[attr-defined]
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
    thread.start()
    try:
        yield handler.state  # type: ignore[attr-defined]
    finally:
        server.shutdown()
        server.server_close()
        thread.join(timeout=5)


def _certificate(folder: Path) -> tuple[Path, Path]:
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec

    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.oid.NameOID.COMMON_NAME, "127.0.0.1")])
    now = dt.datetime.now(dt.UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - dt.timedelta(days=1))
        .not_valid_after(now + dt.timedelta(days=2))
        .add_extension(
            x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]), critical=False
        )
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    files = folder / "watsonx.crt", folder / "watsonx.key"
    files[0].write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    files[1].write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
    )
    return files
