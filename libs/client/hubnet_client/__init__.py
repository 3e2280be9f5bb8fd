"""Typed calls of the network's services: `hub`, `window`, `cluster` and `matchmaking`, and what all calls need."""

from hubnet_client.connecting import connect
from hubnet_client.credentials import ApiKey, Bearer, ClientSecret, Credentials, Password
from hubnet_client.paging import aitems, items
from hubnet_client.refusals import Refused

__all__ = [
    "ApiKey",
    "Bearer",
    "ClientSecret",
    "Credentials",
    "Password",
    "Refused",
    "aitems",
    "connect",
    "items",
]
