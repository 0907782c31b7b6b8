"""Serves the built pages: assets first, then any other path gets the single page."""

from __future__ import annotations

from pathlib import Path

from fastapi import FastAPI, Request, Response
from fastapi.responses import FileResponse, HTMLResponse, JSONResponse

import smart_reach.ui

DIST = Path(smart_reach.ui.__file__).parent / "web" / "dist"
NOT_BUILT = "<h1>The pages are not built</h1><p>Run <code>make web</code>. The API answers at /api.</p>"
STYLE = (
    "body{font:15px system-ui;margin:2rem auto;max-width:64rem}"
    "td{padding:.35rem .75rem;border-top:1px solid #ddd}"
)
FOREVER = "public, max-age=31536000, immutable"


def mount_pages(app: FastAPI) -> None:
    """Add the API's reference, the assets and, last of all, the catch-all."""

    @app.get("/api/docs", include_in_schema=False)
    def docs() -> HTMLResponse:
        return reference(app)

    @app.api_route(
        "/api/{path:path}", methods=["GET", "POST", "PUT", "DELETE", "PATCH"], include_in_schema=False
    )
    def unknown(path: str) -> JSONResponse:
        error = {"code": "not_found", "message": f"There is no /api/{path}.", "hint": "See /api/docs."}
        return JSONResponse({"error": error}, status_code=404)

    @app.api_route("/{path:path}", methods=["GET", "HEAD"], include_in_schema=False)
    def page(path: str, request: Request) -> Response:
        return asset(path, request) or index()


def asset(path: str, request: Request) -> Response | None:
    """A built file, compressed when the browser takes it; None when there is no such file."""
    file = (DIST / path).resolve()  # a link or `..` that leaves the folder is caught below
    if not path or not file.is_relative_to(DIST) or not file.is_file():
        return Response(status_code=404) if path.startswith("assets/") else None
    headers = {"cache-control": FOREVER} if path.startswith("assets/") else {"cache-control": "no-cache"}
    return FileResponse(file, headers=headers)


def index() -> Response:
    """The single page; never cached, because it names the current assets."""
    file = DIST / "index.html"
    if not file.is_file():
        return HTMLResponse(NOT_BUILT, status_code=503)
    return FileResponse(file, headers={"cache-control": "no-cache"})


def reference(app: FastAPI) -> HTMLResponse:
    """A plain reference made from the OpenAPI document: no script and nothing from outside."""
    from html import escape

    rows = "".join(
        f"<tr><td><code>{escape(method.upper())}</code></td><td><code>{escape(path)}</code></td>"
        f"<td>{escape(operation.get('description') or operation.get('summary') or '')}</td></tr>"
        for path, operations in app.openapi()["paths"].items()
        for method, operation in operations.items()
    )
    return HTMLResponse(
        f"<!doctype html><html lang=en><title>Smart Reach API</title><style>{STYLE}</style>"
        "<h1>Smart Reach API</h1><p>Machine-readable: <a href=/api/openapi.json>/api/openapi.json</a></p>"
        f"<table>{rows}</table></html>"
    )
