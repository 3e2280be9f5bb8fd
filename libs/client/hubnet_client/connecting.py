"""Connect to a service of the network."""

import ssl
from collections.abc import Callable
from typing import Literal, Protocol, TypeVar

import httpx

from hubnet_client.credentials import Credentials
from hubnet_client.patience import PATIENCE_S, AsyncPatient, Patient
from hubnet_client.signing import Signing

TIMEOUT_S = 60.0  # more than the longest poll


class Connected(Protocol):
    """As much of a generated client as is set here."""

    def set_httpx_client(self, client: httpx.Client) -> "Connected": ...

    def set_async_httpx_client(self, async_client: httpx.AsyncClient) -> "Connected": ...


C = TypeVar("C", bound=Connected)


def connect(
    kind: Callable[..., C],
    url: str,
    by: Credentials | None = None,
    *,
    hub: str | None = None,
    language: Literal["zh", "en"] = "zh",
    patience_s: float = PATIENCE_S,
    timeout_s: float = TIMEOUT_S,
    verify: ssl.SSLContext | None = None,
    trust_env: bool = True,
) -> C:
    """A client of one service, for calls of both kinds: `connect(window.Client, url, by, hub=...)`.

    Shape: `hub` issues the tokens; without it the service itself does, as the hub. Close what you use:
    `with` for `sync` calls, `async with` for `asyncio` ones.
    Raises: out of every call: Refused, or httpx.TransportError when nobody answers.
    """
    client = kind(base_url=url)
    trust = verify or ssl.create_default_context()
    signing = Signing(hub or url, by)
    headers = {"Accept-Language": language}
    client.set_httpx_client(
        Patient(
            base_url=url, auth=signing, headers=headers, timeout=timeout_s, verify=trust, trust_env=trust_env,
            patience_s=patience_s,
        )
    )  # fmt: skip
    client.set_async_httpx_client(
        AsyncPatient(
            base_url=url, auth=signing, headers=headers, timeout=timeout_s, verify=trust, trust_env=trust_env,
            patience_s=patience_s,
        )
    )  # fmt: skip
    return client
