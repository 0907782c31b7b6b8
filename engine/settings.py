"""Settings from the environment; secrets come from here only and are never logged."""

from __future__ import annotations

import os
import re
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from smart_reach.engine.errors import InvalidInput

_NAME = re.compile(r"[a-z][a-z0-9-]{0,39}")


@dataclass(frozen=True)
class LakeSettings:
    """A lake whose catalog is an Iceberg REST catalog (watsonx.data) and whose files are in object storage.

    `credential`: client id and secret with a colon between, for which `token_url` (else the catalog itself)
    gives tokens, or an API key of IBM Cloud. `warehouse`: an address below which the tables are, or a name
    that the catalog knows.
    """

    url: str
    namespace: str
    warehouse: str | None = None
    token: str | None = field(default=None, repr=False)
    credential: str | None = field(default=None, repr=False)
    token_url: str | None = None
    scope: str | None = None
    s3_endpoint: str | None = None
    s3_key_id: str | None = field(default=None, repr=False)
    s3_secret: str | None = field(default=None, repr=False)
    s3_session: str | None = field(default=None, repr=False)
    region: str = "us-east-1"
    cache_bytes: int = 20_000_000_000

    @classmethod
    def from_env(cls, env: Mapping[str, str], workspace: str) -> LakeSettings | None:
        """From `SMART_REACH_LAKE_*` and `AWS_*`; None when `SMART_REACH_LAKE_CATALOG` is not set."""
        catalog = env.get("SMART_REACH_LAKE_CATALOG")
        if not catalog:
            return None
        if not catalog.startswith(("rest:http://", "rest:https://")):
            raise InvalidInput(
                "SMART_REACH_LAKE_CATALOG", catalog, "Use rest: and the catalog's http address."
            )
        values = {name: env.get(variable) or None for name, variable in _LAKE.items()}
        return cls(
            url=catalog.removeprefix("rest:"),
            namespace=env.get("SMART_REACH_LAKE_NAMESPACE") or f"smart_reach_{workspace.replace('-', '_')}",
            region=env.get("AWS_REGION") or env.get("AWS_DEFAULT_REGION") or "us-east-1",
            cache_bytes=_megabytes(env.get("SMART_REACH_LAKE_CACHE_MB") or "20000") * 1_000_000,
            **values,
        )


_LAKE = {
    "warehouse": "SMART_REACH_LAKE_WAREHOUSE",
    "token": "SMART_REACH_LAKE_TOKEN",
    "credential": "SMART_REACH_LAKE_CREDENTIAL",
    "token_url": "SMART_REACH_LAKE_TOKEN_URL",
    "scope": "SMART_REACH_LAKE_SCOPE",
    "s3_endpoint": "SMART_REACH_LAKE_S3_ENDPOINT",
    "s3_key_id": "AWS_ACCESS_KEY_ID",
    "s3_secret": "AWS_SECRET_ACCESS_KEY",
    "s3_session": "AWS_SESSION_TOKEN",
}


@dataclass(frozen=True)
class Settings:
    """Everything an entry point needs to compose the product."""

    home: Path
    workspace: str = "demo"
    database_url: str | None = field(default=None, repr=False)
    llm: str = "embedded"
    vector_store: str = "pgvector"
    feature_store: str = "local"
    host: str = "127.0.0.1"
    port: int = 8000
    chainlit: bool = True
    public_url: str | None = None
    lake: LakeSettings | None = None

    def __post_init__(self) -> None:
        if not 0 < self.port < 65536:
            raise InvalidInput("port", self.port, "Use a whole number from 1 to 65535.")
        if not _NAME.fullmatch(self.workspace):
            raise InvalidInput(
                "workspace", self.workspace, "Use 1 to 40 lower-case letters, digits and hyphens."
            )

    @classmethod
    def from_env(cls, env: Mapping[str, str] | None = None, **changes: object) -> Settings:
        """Read `SMART_REACH_*`; keyword arguments that are not None win over the environment."""
        env = os.environ if env is None else env
        values: dict[str, object] = {
            "home": Path(env.get("SMART_REACH_HOME") or ".smart-reach").expanduser().resolve(),
            "workspace": env.get("SMART_REACH_WORKSPACE") or "demo",
            "database_url": env.get("SMART_REACH_DATABASE_URL") or None,
            "llm": env.get("SMART_REACH_LLM") or "embedded",
            "vector_store": env.get("VECTOR_STORE") or "pgvector",
            "feature_store": env.get("FEATURE_STORE") or "local",
            "host": env.get("SMART_REACH_HOST") or "127.0.0.1",
            "port": _port(env.get("SMART_REACH_PORT") or "8000"),
            "chainlit": (env.get("SMART_REACH_CHAINLIT") or "on").lower() not in {"off", "0", "false"},
            "public_url": env.get("SMART_REACH_PUBLIC_URL") or None,
        }
        workspace = str(changes.get("workspace") or values["workspace"])
        values["lake"] = LakeSettings.from_env(env, workspace)
        values.update({name: value for name, value in changes.items() if value is not None})
        return cls(**values)  # type: ignore[arg-type]

    @property
    def root(self) -> Path:
        """Folder of this workspace's files (lake, models, exports)."""
        return self.home / "workspaces" / self.workspace

    def secret_key(self) -> str:
        """Key that signs sessions: `SMART_REACH_SECRET`, else one made once and kept at mode 0600."""
        if given := os.environ.get("SMART_REACH_SECRET"):
            return given
        path = self.home / "secret.key"
        path.parent.mkdir(parents=True, exist_ok=True)
        try:
            with open(os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600), "w") as file:
                file.write(secrets.token_urlsafe(48))
        except FileExistsError:
            pass
        return path.read_text().strip()


def _megabytes(text: str) -> int:
    if not text.isdigit() or int(text) < 1:
        raise InvalidInput("SMART_REACH_LAKE_CACHE_MB", text, "Use a whole number of megabytes from 1.")
    return int(text)


def _port(text: str) -> int:
    if not text.isdigit() or not 0 < int(text) < 65536:
        raise InvalidInput("SMART_REACH_PORT", text, "Use a whole number from 1 to 65535.")
    return int(text)
