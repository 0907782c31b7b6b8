"""A small Iceberg REST catalog on loopback, to the published OpenAPI: what watsonx.data speaks.

One pointer a table to its metadata file, moved by compare-and-set; the pointers outlive a restart in a JSON
file. `next_commits` says what becomes of the commits to come: "lost" is made, its answer is not heard;
"repeated" is made twice, as a gateway does; "down" is not made.
"""

from __future__ import annotations

import base64
import json
import threading
import uuid
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

from pyiceberg.catalog.rest import CreateTableRequest
from pyiceberg.exceptions import CommitFailedException
from pyiceberg.io.pyarrow import PyArrowFileIO
from pyiceberg.partitioning import UNPARTITIONED_PARTITION_SPEC
from pyiceberg.serializers import FromInputFile, ToOutputFile
from pyiceberg.table import CommitTableRequest
from pyiceberg.table.metadata import TableMetadata, new_table_metadata
from pyiceberg.table.sorting import UNSORTED_SORT_ORDER
from pyiceberg.table.update import AssertCreate, update_table_metadata

PREFIX = "main"
CLIENT, SECRET, TOKEN = "reach", "loopback-secret", "loopback-token"


class Refused(Exception):
    def __init__(self, code: int, kind: str, message: str = "") -> None:
        super().__init__(message)
        self.answer = code, {"error": {"message": message or kind, "type": kind, "code": code}}


class CatalogServer:
    """`url` while it runs. Asks every request for the bearer token. Tables without a place go in `home`."""

    def __init__(self, pointers: Path, storage: dict[str, str], home: str, port: int = 0) -> None:
        self._pointers = pointers
        self.home = home
        self._guard = threading.RLock()
        self.io = PyArrowFileIO(storage)
        self.next_commits: list[str] = []
        self.requests: list[str] = []
        handler = type("Bound", (_Handler,), {"catalog": self})
        self._http = ThreadingHTTPServer(("127.0.0.1", port), handler)
        self._http.daemon_threads = True
        self.port = self._http.server_address[1]
        self.url = f"http://127.0.0.1:{self.port}"
        threading.Thread(target=self._http.serve_forever, args=(0.05,), daemon=True).start()

    def stop(self) -> None:
        self._http.shutdown()
        self._http.server_close()

    def known(self) -> dict[str, Any]:
        return dict(json.loads(self._pointers.read_text())) if self._pointers.exists() else {}

    def keep(self, state: dict[str, Any]) -> None:
        self._pointers.write_text(json.dumps(state))

    def create_namespace(self, name: str) -> dict[str, Any]:
        with self._guard:
            state = self.known()
            if name in state:
                raise Refused(409, "AlreadyExistsException")
            self.keep(state | {name: {}})
        return {"namespace": [name], "properties": {}}

    def namespace(self, name: str) -> dict[str, Any]:
        if name not in self.known():
            raise Refused(404, "NoSuchNamespaceException")
        return {"namespace": [name], "properties": {}}

    def tables(self, space: str) -> dict[str, Any]:
        self.namespace(space)
        return {"identifiers": [{"namespace": [space], "name": name} for name in self.known()[space]]}

    def load(self, space: str, name: str) -> dict[str, Any]:
        location = self.known().get(space, {}).get(name)
        if location is None:
            raise Refused(404, "NoSuchTableException")
        return _table(location, FromInputFile.table_metadata(self.io.new_input(location)))

    def drop(self, space: str, name: str) -> None:
        with self._guard:
            state = self.known()
            if state.get(space, {}).pop(name, None) is None:
                raise Refused(404, "NoSuchTableException")
            self.keep(state)

    def create(self, space: str, body: bytes) -> dict[str, Any]:
        self.namespace(space)
        request = CreateTableRequest.model_validate({"location": None} | json.loads(body))
        metadata = new_table_metadata(
            schema=request.table_schema,
            partition_spec=request.partition_spec or UNPARTITIONED_PARTITION_SPEC,
            sort_order=request.write_order or UNSORTED_SORT_ORDER,
            location=request.location or f"{self.home}/{space}/{request.name}-{uuid.uuid4().hex}",
            properties=request.properties,
        )
        if request.name in self.known()[space]:
            raise Refused(409, "AlreadyExistsException")
        if request.stage_create:
            return _table(None, metadata)
        return self._put(space, request.name, metadata, None)

    def commit(self, space: str, name: str, body: bytes) -> dict[str, Any]:
        fate = self.next_commits.pop(0) if self.next_commits else "made"
        if fate == "down":
            raise Refused(503, "ServiceUnavailableException")
        answer = self._commit(space, name, body)
        if fate == "repeated":
            self._commit(space, name, body)
        if fate == "lost":
            raise ConnectionAbortedError
        return answer

    def _commit(self, space: str, name: str, body: bytes) -> dict[str, Any]:
        request = CommitTableRequest.model_validate_json(body)
        with self._guard:
            location = self.known().get(space, {}).get(name)
            base = None if location is None else FromInputFile.table_metadata(self.io.new_input(location))
            if base is None and not any(isinstance(one, AssertCreate) for one in request.requirements):
                raise Refused(404, "NoSuchTableException")
            try:
                for requirement in request.requirements:
                    requirement.validate(base)
            except CommitFailedException as error:
                raise Refused(409, "CommitFailedException", str(error)) from error
            metadata = update_table_metadata(
                base or _empty(), request.updates, enforce_validation=base is None, metadata_location=location
            )
            return self._put(space, name, metadata, location)

    def _put(self, space: str, name: str, metadata: TableMetadata, old: str | None) -> dict[str, Any]:
        number = 0 if old is None else int(old.rpartition("/")[2].partition("-")[0]) + 1
        location = f"{metadata.location}/metadata/{number:05d}-{uuid.uuid4()}.metadata.json"
        ToOutputFile.table_metadata(metadata, self.io.new_output(location))
        with self._guard:
            state = self.known()
            if state[space].get(name) != old:
                raise Refused(409, "CommitFailedException")
            state[space][name] = location
            self.keep(state)
        return _table(location, metadata)


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    catalog: CatalogServer

    def _serve(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        try:
            code, answer = self._answer(body)
        except Refused as refused:
            code, answer = refused.answer
        except ConnectionAbortedError:
            self.close_connection = True
            return
        data = b"" if answer is None else json.dumps(answer).encode()
        self.send_response(code)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    do_GET = do_POST = do_DELETE = do_HEAD = _serve

    def log_message(self, format: str, *args: Any) -> None:
        """Quiet."""

    def _answer(self, body: bytes) -> tuple[int, Any]:
        parts = [unquote(part) for part in urlsplit(self.path).path.strip("/").split("/")]
        self.catalog.requests.append(f"{self.command} {self.path}")
        if parts == ["v1", "oauth", "tokens"]:
            return 200, self._token(body)
        if self.headers.get("Authorization") != f"Bearer {TOKEN}":
            raise Refused(401, "NotAuthorizedException")
        if parts == ["v1", "config"]:
            return 200, {"defaults": {}, "overrides": {"prefix": PREFIX}}
        if parts[:3] != ["v1", PREFIX, "namespaces"]:
            raise Refused(404, "NoSuchPath", self.path)
        return self._named(parts[3:], body)

    def _named(self, parts: list[str], body: bytes) -> tuple[int, Any]:
        match self.command, parts:
            case "POST", []:
                return 200, self.catalog.create_namespace(json.loads(body)["namespace"][0])
            case "GET", [space]:
                return 200, self.catalog.namespace(space)
            case "GET", [space, "tables"]:
                return 200, self.catalog.tables(space)
            case "POST", [space, "tables"]:
                return 200, self.catalog.create(space, body)
            case "GET", [space, "tables", name]:
                return 200, self.catalog.load(space, name)
            case "POST", [space, "tables", name]:
                return 200, self.catalog.commit(space, name, body)
            case "DELETE", [space, "tables", name]:
                return 204, self.catalog.drop(space, name)
        raise Refused(404, "NoSuchPath", self.path)

    def _token(self, body: bytes) -> dict[str, Any]:
        form = parse_qs(body.decode())
        if form.get("apikey") == [SECRET] and form["grant_type"][0].endswith(":apikey"):
            return {"access_token": TOKEN, "expires_in": 3600}
        given = base64.b64decode(self.headers.get("Authorization", "").removeprefix("Basic ")).decode()
        if given != f"{CLIENT}:{SECRET}" or form.get("grant_type") != ["client_credentials"]:
            raise Refused(401, "invalid_client")
        return {"access_token": TOKEN, "token_type": "bearer", "expires_in": 3600}


def _table(location: str | None, metadata: TableMetadata) -> dict[str, Any]:
    answer = {"metadata": json.loads(metadata.model_dump_json()), "config": {}}
    return answer if location is None else answer | {"metadata-location": location}


def _empty() -> TableMetadata:
    from pyiceberg.catalog import MetastoreCatalog

    return MetastoreCatalog._empty_table_metadata()
