"""Calls of the hub by one person or machine, here or elsewhere, in the words of both languages."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import quote

import httpx

from localnet.api import refused
from localnet.commands.screen import folder_of
from localnet.commands.tokens import CLIENT, credentials, fetch, hub_url
from localnet.trouble import Trouble

TIMEOUT_S = 90.0
# Whoever works with a hub elsewhere signs in with this; else the operator of the network here does.
TOKEN = "HUBNET_HUB_TOKEN"


class Calls:
    """Calls of the hub, as whoever the token is of."""

    def __init__(self, base: str, token: str, http: httpx.Client) -> None:
        self._base, self._token, self._http = base, token, http

    def __call__(self, method: str, path: str, body: Any = None, tag: str | None = None) -> Any:
        """The parsed answer. Raises: Trouble with the hub's own words, or when it is away."""

        def send(language: str) -> httpx.Response:
            headers = {"Authorization": f"Bearer {self._token}", "Accept-Language": language}
            headers |= {"If-Match": tag} if tag else {}
            return self._http.request(method, f"{self._base}{path}", json=body, headers=headers)

        try:
            answer = send("zh")
            if not answer.is_success:
                # What was refused saved nothing, so asking again in English is harmless.
                again = send("en")
                if not again.is_success:
                    raise refused(f"{method} {path}", answer, again)
                answer = again
            return answer.json()
        except (httpx.HTTPError, ValueError) as error:
            raise Trouble(
                (f"枢纽没有应答：{self._base}", f"the hub does not answer: {self._base}: {error}"),
                ("成员由枢纽登记", "the hub keeps the members"),
                ("hubnet status 查看，或核对 --hub", "see hubnet status, or check --hub"),
            ) from error


@contextmanager
def calling(hub: str, data_dir: Path | None) -> Iterator[Calls]:
    """The hub named, or the one of the network here."""
    folder = folder_of(data_dir)
    base = hub.rstrip("/") or hub_url(folder)
    token = os.environ.get(TOKEN) or fetch(base, credentials(folder, CLIENT))["access_token"]
    with httpx.Client(trust_env=False, timeout=TIMEOUT_S) as http:
        yield Calls(base, token, http)


def of_node(id: str, rest: str) -> str:
    """A path below a node's own."""
    return f"/v1/nodes/{quote(id, safe='')}/{rest}"
