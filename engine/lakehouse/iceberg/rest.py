"""pyiceberg's REST catalog (watsonx.data, Polaris, any other) with our files and exact answers."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import requests
from pyiceberg.catalog.rest import CommitTableResponse, RestCatalog, TableResponse
from pyiceberg.exceptions import (
    CommitFailedException,
    CommitStateUnknownException,
    ForbiddenError,
    NoSuchTableError,
    OAuthError,
    ServerError,
    ServiceUnavailableError,
    TooManyRequestsError,
    UnauthorizedError,
)
from pyiceberg.table import CreateTableTransaction, Table
from pyiceberg.table.update import AddSnapshotUpdate
from requests.adapters import HTTPAdapter

from smart_reach.engine.errors import Unavailable
from smart_reach.engine.lakehouse.iceberg.iam import TOKEN_URL, IamKey
from smart_reach.engine.lakehouse.iceberg.remote import RemoteStore
from smart_reach.engine.settings import LakeSettings

_TIMEOUT = (10.0, 60.0)  # seconds to connect, to answer
_DOWN = (requests.RequestException, ServerError, ServiceUnavailableError, TooManyRequestsError)
_REFUSED = (UnauthorizedError, ForbiddenError, OAuthError)


class _Patient(HTTPAdapter):
    """Waits, but not for ever: the writers' lock may be held meanwhile."""

    def send(self, *args: Any, **options: Any) -> requests.Response:
        options["timeout"] = options.get("timeout") or _TIMEOUT
        return super().send(*args, **options)


class RestLake(RestCatalog):  # type: ignore[misc]  # pyiceberg is not typed for us
    """Safe to share between threads. Raises `Unavailable` when the catalog is down or refuses us."""

    def __init__(self, settings: LakeSettings, root: Path) -> None:
        self.store = RemoteStore(root, settings.cache_bytes)
        self._places = settings.warehouse if settings.warehouse and "://" in settings.warehouse else None
        with _answering():
            super().__init__("lake", **_properties(settings))

    def _create_session(self) -> requests.Session:
        session: requests.Session = super()._create_session()
        for scheme in ("http://", "https://"):
            session.mount(scheme, _Patient())
        return session

    def metadata_location(self, identifier: tuple[str, str]) -> str | None:
        """The address of the table's metadata file, which every commit changes."""
        try:
            location: str = self.load_table(identifier).metadata_location
        except NoSuchTableError:
            return None
        return location

    def load_table(self, identifier: Any) -> Table:
        with _answering():
            return super().load_table(identifier)

    def create_namespace_if_not_exists(self, namespace: Any, properties: Any = None) -> None:
        with _answering():
            super().create_namespace_if_not_exists(namespace, properties or {})

    def create_table_transaction(
        self, identifier: Any, schema: Any, location: str | None = None, **options: Any
    ) -> CreateTableTransaction:
        """Our tables are where the warehouse says; without one the catalog chooses."""
        if location is None and self._places is not None:
            location = "/".join((self._places.rstrip("/"), *self.identifier_to_tuple(identifier)))
        with _answering():
            return super().create_table_transaction(identifier, schema, location, **options)

    def commit_table(self, table: Table, requirements: Any, updates: Any) -> CommitTableResponse:
        """Commit; when the answer was lost or says no, look whether it was made all the same.

        A gateway that repeats a request makes the second fail because the first succeeded.
        """
        try:
            return super().commit_table(table, requirements, updates)
        except (CommitFailedException, CommitStateUnknownException, *_DOWN) as error:
            made = self._made(table, updates)
            if made is not None:
                return made
            if isinstance(error, CommitFailedException):
                raise
            raise Unavailable("The lake's catalog did not confirm a commit.") from error

    def _made(self, table: Table, updates: Any) -> CommitTableResponse | None:
        ids = {update.snapshot.snapshot_id for update in updates if isinstance(update, AddSnapshotUpdate)}
        if not ids:
            return None
        now = self.load_table(table.name())
        if not ids <= {snapshot.snapshot_id for snapshot in now.metadata.snapshots}:
            return None
        return CommitTableResponse(metadata=now.metadata, metadata_location=now.metadata_location)

    def _response_to_table(self, identifier_tuple: tuple[str, ...], table_response: TableResponse) -> Table:
        table = super()._response_to_table(identifier_tuple, table_response)
        self.store.learn(table.location(), table.io)
        return table


def _properties(settings: LakeSettings) -> dict[str, Any]:
    given = {
        "warehouse": settings.warehouse,
        "token": settings.token,
        "s3.endpoint": settings.s3_endpoint,
        "s3.access-key-id": settings.s3_key_id,
        "s3.secret-access-key": settings.s3_secret,
        "s3.session-token": settings.s3_session,
        "s3.region": settings.region,
    }
    properties: dict[str, Any] = {name: value for name, value in given.items() if value}
    if settings.credential:
        properties["auth"] = _auth(settings, settings.credential)
    return properties | {
        "uri": settings.url,
        "py-io-impl": "pyiceberg.io.pyarrow.PyArrowFileIO",
        "s3.connect-timeout": "10",
        "s3.request-timeout": "60",
    }


def _auth(settings: LakeSettings, credential: str) -> dict[str, Any]:
    """How to come by tokens: OAuth for a client's id and secret, IBM Cloud's way for an API key alone."""
    client, colon, secret = credential.partition(":")
    if not colon:
        key = {"api_key": credential, "token_url": settings.token_url or TOKEN_URL}
        return {"type": "custom", "impl": f"{IamKey.__module__}.{IamKey.__name__}", "custom": key}
    url = settings.token_url or f"{settings.url.rstrip('/')}/v1/oauth/tokens"
    grant = {"client_id": client, "client_secret": secret, "token_url": url, "expires_in": 3600}
    return {"type": "oauth2", "oauth2": grant | {"scope": settings.scope}}


@contextlib.contextmanager
def _answering() -> Iterator[None]:
    try:
        yield
    except _REFUSED as error:
        raise Unavailable(
            "The lake's catalog refuses us.",
            hint="Check SMART_REACH_LAKE_TOKEN or SMART_REACH_LAKE_CREDENTIAL; a token may have run out.",
        ) from error
    except _DOWN as error:
        raise Unavailable("The lake's catalog does not answer.") from error
