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


def _port(text: str) -> int:
    if not text.isdigit() or not 0 < int(text) < 65536:
        raise InvalidInput("SMART_REACH_PORT", text, "Use a whole number from 1 to 65535.")
    return int(text)
