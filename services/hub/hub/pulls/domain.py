"""Fetching a platform's changes: from where, how far, and when again."""

import ipaddress
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from common.contracts.envelope import Contract
from common.errors import Conflict, Invalid
from pydantic import AnyHttpUrl, BaseModel, ConfigDict, Field, ValidationError

from hub.changes import lines
from hub.changes.lines import Noun, Read, Rejected

EVERY = timedelta(seconds=30)
LONGEST = timedelta(minutes=15)
# Who fetches keeps it for so long; another process of the hub takes it up after that.
LEASE = timedelta(minutes=5)
# So many failures in a row are told to operations.
ALERT_AFTER = 3
PAGE = 1000
PAGES = 20
MAX_BYTES = 32 * 1024 * 1024


class Pull(Contract):
    """How the fetching of a platform's changes goes."""

    node: str
    url: str
    approved_by: str
    approved_at: datetime
    cursor: str | None = None
    pulled_at: datetime | None = None
    heard_at: datetime | None = None
    failures: int = 0
    error: str | None = None
    next_at: datetime


class Item(BaseModel):
    """A change as a feed says it; its content hash is counted here anew."""

    model_config = ConfigDict(extra="ignore")
    noun: Noun
    id: UUID
    epoch: int | None = None
    version: int | None = None
    deleted: bool = False
    data: dict[str, Any] | None = None


class Feed(BaseModel):
    """A page of a feed."""

    model_config = ConfigDict(extra="ignore")
    items: list[Any] = Field(max_length=PAGE)
    next_cursor: str = Field(max_length=500, pattern=r"^[\x21-\x7e]+$")
    more: bool = False


def check(url: str) -> None:
    """Raises: Invalid for an address the hub may not ask."""
    try:
        said = AnyHttpUrl(url)
    except ValidationError:
        said = None
    if said is not None and not (said.username or said.password or said.fragment):
        host = (said.host or "").strip("[]")
        if said.scheme == "https" or _loopback(host):
            return
    raise Invalid(
        "feed-address",
        zh="数据源须为 https 地址（本机可用 http），不含账号和片段",
        en="a feed must be at an https address (http on this machine), without account and fragment",
        field="url",
    )


def _loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def approved(node: str, url: str, declared: str | None, who: str, at: datetime) -> Pull:
    """Raises: Invalid for an address the hub may not ask; Conflict when the platform declared another."""
    check(url)
    if declared != url:
        raise Conflict(
            "feed-not-declared",
            zh="该地址不是平台登记的 feed_url；请先由平台登记同一地址",
            en="this is not the feed_url that the platform declared; have it declare the same address first",
            field="url",
        )
    return Pull(node=node, url=url, approved_by=who, approved_at=at, next_at=at)


def leased(pull: Pull, at: datetime) -> Pull:
    return pull.model_copy(update={"pulled_at": at, "next_at": at + LEASE})


def read_on(pull: Pull, cursor: str, at: datetime, *, more: bool) -> Pull:
    """A page was taken over."""
    after = timedelta() if more else EVERY
    return pull.model_copy(
        update={"cursor": cursor, "heard_at": at, "failures": 0, "error": None, "next_at": at + after}
    )


def failed(pull: Pull, error: str, at: datetime) -> Pull:
    """Asked again after a pause that grows."""
    pause = min(EVERY * 2 ** min(pull.failures, 10), LONGEST)
    return pull.model_copy(
        update={"failures": pull.failures + 1, "error": error[:200], "next_at": at + pause}
    )


def restarted(pull: Pull, at: datetime) -> Pull:
    """The platform no longer knows our position: read from its start."""
    return failed(pull, "cursor-unknown", at).model_copy(update={"cursor": None})


def line(number: int, said: Any) -> Read | Rejected:
    """An item of a feed as a line."""
    try:
        return lines.checked(number, Item.model_validate(said).model_dump())
    except ValidationError as error:
        return lines.refused(number, error)
