"""IBM Cloud: an API key for tokens that last an hour, each fetched again before it runs out."""

from __future__ import annotations

import threading
import time

import requests
from pyiceberg.catalog.rest.auth import AuthManager

TOKEN_URL = "https://iam.cloud.ibm.com/identity/token"
_GRANT = "urn:ibm:params:oauth:grant-type:apikey"
_MARGIN_S = 120.0


class IamKey(AuthManager):  # type: ignore[misc]  # pyiceberg is not typed for us
    """The `Authorization` of a catalog on IBM Cloud (watsonx.data). Safe to share between threads."""

    def __init__(self, api_key: str, token_url: str = TOKEN_URL) -> None:
        self._form = {"grant_type": _GRANT, "apikey": api_key}
        self._url = token_url
        self._guard = threading.Lock()
        self._token = ""
        self._until = 0.0

    def auth_header(self) -> str:
        with self._guard:
            if time.monotonic() >= self._until:
                response = requests.post(self._url, data=self._form, timeout=30)
                response.raise_for_status()
                found = response.json()
                self._token = str(found["access_token"])
                self._until = time.monotonic() + float(found["expires_in"]) - _MARGIN_S
            return f"Bearer {self._token}"
