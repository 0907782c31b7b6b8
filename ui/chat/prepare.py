"""The folder Chainlit lives in: its pages without outside links, its settings, our theme and elements.

Chainlit's own pages load fonts and KaTeX from CDNs and carry 25 MB of source maps and video players.
A copy without them is made once for each version, beside `config.toml`, `public/` and translations.
"""

from __future__ import annotations

import importlib.util
import json
import os
import re
import shutil
from dataclasses import dataclass
from importlib.metadata import version
from importlib.resources import files
from importlib.resources.abc import Traversable
from pathlib import Path
from typing import Any

from smart_reach.engine.errors import Integrity, Unavailable
from smart_reach.ui.chat.protocol import ROOT

TESTED_VERSION = "2.12.0"
_REVISION = 1  # raise when the treatment below changes
_LINK = re.compile(r"\s*<link\b[^>]*https?://[^>]*>", re.DOTALL)
# Lazy parts that load media from elsewhere or that nothing here uses.
_LEFT_OUT = re.compile(
    r"\.map$|^(react-plotly|DailyMotion|Facebook|Kaltura|Mixcloud|Mux|Preview|SoundCloud|Streamable"
    r"|Twitch|Vidyard|Vimeo|Wistia|YouTube|FilePlayer)-"
)
# Chainlit forgets that it is mounted: without these the address never becomes /chat/thread/<id>, so a
# reload would open an empty chat, and a resume would leave /chat.
_REPAIRS: tuple[tuple[str, str], ...] = (
    ('i&&A.pathname==="/"&&t(', f"i&&/^\\{ROOT}\\/?$/.test(A.pathname)&&t("),
    ('v&&N.pathname==="/"?u(', f"v&&/^\\{ROOT}\\/?$/.test(N.pathname)?u("),
    ("window.location.href=`/thread/", f"window.location.href=`{ROOT}/thread/"),
)


@dataclass(frozen=True)
class Prepared:
    """Where Chainlit's application root and its treated pages are."""

    root: Path
    build: Path


def prepare(home: Path, *, title: str) -> Prepared:
    """Make or refresh the folder; quick when nothing changed. Raises Unavailable, Integrity."""
    root = home / "chainlit"
    root.mkdir(parents=True, exist_ok=True)
    stamp = f"{version('chainlit')}-{_REVISION}"
    build = root / f"ui-{stamp}"
    if not (build / "index.html").is_file():
        _treat(_original(), build)
        _remove_older(root, build)
    _copy_assets(files("smart_reach.ui.chat") / "assets", root / "public")
    _write(root / ".chainlit" / "config.toml", settings(title, build.name))
    _write(root / ".chainlit" / "translations" / "en-US.json", json.dumps(_words(), indent=1))
    _write(root / "chainlit.md", "")
    return Prepared(root, build)


def settings(title: str, build: str) -> str:
    """Chainlit's config.toml: everything off that the chat does not use."""
    link = "".join(
        f"\n{key} = {json.dumps(value)}"
        for key, value in {
            "name": "cockpit",
            "display_name": "Cockpit",
            "icon_url": f"{ROOT}/public/cockpit.svg",
            "url": "/",
            "target": "_self",
        }.items()
    )
    return f"""# Written by Smart Reach at each start; changes are lost.
[project]
allow_origins = []
session_timeout = 3600
user_session_timeout = 43200
cache = false

[features]
unsafe_allow_html = false
latex = false
edit_message = false
allow_thread_sharing = false
favorites = false

[features.spontaneous_file_upload]
enabled = false
accept = ["text/plain"]

[features.audio]
enabled = false

[features.mcp]
enabled = false

[UI]
name = {json.dumps(title)}
description = "Ask, decide and approve over your campaigns."
language = "en-US"
default_theme = "light"
cot = "full"
confirm_new_chat = false
custom_css = "/public/chat.css"
custom_js = "/public/theme.js"
custom_meta_url = "{ROOT}/"
custom_meta_image_url = "{ROOT}/public/logo_light.svg"
custom_build = {json.dumps(build)}

[[UI.header_links]]{link}

[meta]
generated_by = "{TESTED_VERSION}"
"""


def _package() -> Path:
    """Chainlit's folder, found without importing it."""
    spec = importlib.util.find_spec("chainlit")
    if spec is None or spec.origin is None:
        raise Unavailable("Chainlit is not installed.", hint="Run make, or set SMART_REACH_CHAINLIT=off.")
    return Path(spec.origin).parent


def _original() -> Path:
    return _package() / "frontend" / "dist"


def _treat(source: Path, target: Path) -> None:
    """Copy the pages without maps, players and outside links; whole or not at all."""
    unfinished = target.with_name(f"{target.name}.{os.getpid()}.part")
    shutil.rmtree(unfinished, ignore_errors=True)
    shutil.copytree(
        source, unfinished, ignore=lambda _, names: [name for name in names if _LEFT_OUT.search(name)]
    )
    page = unfinished / "index.html"
    page.write_text(_LINK.sub("", page.read_text(encoding="utf-8")), encoding="utf-8")
    _repair(next(iter(sorted((unfinished / "assets").glob("index-*.js")))))
    if target.exists():
        shutil.rmtree(target)
    unfinished.rename(target)


def _repair(script: Path) -> None:
    text = script.read_text(encoding="utf-8")
    for old, new in _REPAIRS:
        if text.count(old) != 1:
            raise Integrity(
                f"Chainlit {version('chainlit')} is not the version the chat was made for.",
                hint="Install the locked requirements, or set SMART_REACH_CHAINLIT=off.",
            )
        text = text.replace(old, new)
    script.write_text(re.sub(r"\n?//# sourceMappingURL=\S+\s*$", "\n", text), encoding="utf-8")


def _remove_older(root: Path, current: Path) -> None:
    for folder in root.glob("ui-*"):
        if folder != current:
            shutil.rmtree(folder, ignore_errors=True)


def _copy_assets(source: Traversable, target: Path) -> None:
    target.mkdir(parents=True, exist_ok=True)
    for item in source.iterdir():
        if item.is_dir():
            _copy_assets(item, target / item.name)
        else:
            _write(target / item.name, item.read_text(encoding="utf-8"))


def _words() -> dict[str, Any]:
    """Chainlit's English with our words; steps carry an agent's name, so "Used" in front goes."""
    path = _package() / "translations" / "en-US.json"
    words: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    words["chat"]["messages"]["status"] = {"using": "", "used": ""}
    words["chat"]["input"]["placeholder"] = "Ask the campaign team…"
    words["chat"]["watermark"] = "Figures come from the engine. Nothing is sent before a person approves it."
    words["threadHistory"]["sidebar"]["title"] = "Conversations"
    words["threadHistory"]["sidebar"]["empty"] = "No conversations yet"
    words["navigation"]["user"]["menu"]["logout"] = "Sign out"
    return words


def _write(path: Path, text: str) -> None:
    if path.is_file() and path.read_text(encoding="utf-8") == text:
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
