"""The page a visitor sees while Chainlit is being imported, in the cockpit's colours."""

from __future__ import annotations

import html

_STYLE = """
:root{color-scheme:light dark;--page:#f6f6f8;--ink:#15161c;--muted:#5b5f6b;--accent:#4f46e5}
@media (prefers-color-scheme:dark){
  :root{--page:#0d0e12;--ink:#f0f1f5;--muted:#a0a5b4;--accent:#818cf8}
}
body{margin:0;min-height:100vh;display:grid;place-items:center;background:var(--page);color:var(--ink);
  font:15px/1.5 Inter,ui-sans-serif,system-ui,sans-serif;text-align:center}
h1{font-size:19px;margin:18px 0 4px} p{margin:0;padding:0 16px;color:var(--muted)} a{color:var(--accent)}
i{display:inline-block;width:26px;height:26px;border-radius:50%;
  border:3px solid color-mix(in srgb,var(--accent) 25%,transparent);
  border-top-color:var(--accent);animation:turn .8s linear infinite}
@keyframes turn{to{transform:rotate(1turn)}}
@media (prefers-reduced-motion:reduce){i{animation:none}}
"""


def waiting_page(*, failed: bool) -> str:
    """HTML that reloads itself each second, or says that the chat could not start."""
    title = "The chat could not start" if failed else "Opening the chat…"
    text = "The reason is in the server's log." if failed else "The first visit takes a few seconds."
    refresh = "" if failed else '<meta http-equiv="refresh" content="1">'
    spinner = "" if failed else '<i role="img" aria-label="loading"></i>'
    return (
        f'<!doctype html><html lang="en"><head><meta charset="utf-8"><title>{html.escape(title)}</title>'
        f'<link rel="icon" href="data:,">{refresh}'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<style>{_STYLE}</style></head><body><main>{spinner}<h1>{html.escape(title)}</h1>"
        f'<p>{html.escape(text)} The <a href="/copilot">Copilot page</a> holds the same conversations.</p>'
        "</main></body></html>"
    )
