"""Calls of the hub by one person or machine, here or elsewhere, in the words of both languages."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import quote

import httpx
from hubnet_client import Bearer, Refused
from hubnet_client.patience import Patient
from hubnet_client.signing import Signing

from localnet import api
from localnet.commands.screen import folder_of
from localnet.commands.tokens import CLIENT, credentials, hub_url
from localnet.trouble import Trouble

TIMEOUT_S = 90.0
PATIENCE_S = 2.0  # somebody waits for the answer
# Whoever works with a hub elsewhere signs in with this; else the operator of the network here does.
TOKEN = "HUBNET_HUB_TOKEN"


class Calls:
    """Calls of the hub, as whoever the connection is of."""

    def __init__(self, base: str, http: httpx.Client) -> None:
        self._base, self._http = base, http

    def __call__(self, method: str, path: str, body: Any = None, tag: str | None = None) -> Any:
        """The parsed answer. Raises: Trouble with the hub's own words, or when it is away."""
        headers = {"Accept-Language": "zh"} | ({"If-Match": tag} if tag else {})
        try:
            return self._http.request(method, f"{self._base}{path}", json=body, headers=headers).json()
        except Refused as error:
            raise api.Refused(
                error.call, error.status, error.code, error.zh, error.en, error.field
            ) from error
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
    token = os.environ.get(TOKEN)
    signing = Signing(base, Bearer(token) if token else credentials(folder, CLIENT))
    with Patient(auth=signing, trust_env=False, timeout=TIMEOUT_S, patience_s=PATIENCE_S) as http:
        yield Calls(base, http)


def of_node(id: str, rest: str) -> str:
    """A path below a node's own."""
    return f"/v1/nodes/{quote(id, safe='')}/{rest}"
