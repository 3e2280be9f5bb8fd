"""What the hub's routes ask for."""

import contextlib
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from typing import Annotated

from common import db
from common.auth import Principal, allow, caller
from common.db import Tx
from common.errors import Conflict, Forbidden, Unavailable
from common.fields import NodeId
from common.limits import Limiter
from common.node import Topology
from common.runtime import Runtime
from common.settings import Settings
from fastapi import Depends, Request
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncSession

from hub.fences.domain import Fences
from hub.members import service as members
from hub.members.domain import Membership

# Guessing a password: five tries a minute for one account from one address (ASVS 5.0 6.3.1).
TRIES_PER_MINUTE = 5
# And for one address over all accounts: an office behind one address signs in in the morning.
TRIES_PER_ADDRESS = 60
# A secret of 256 bits cannot be guessed; this only bounds the work.
MACHINE_TRIES_PER_MINUTE = 60
# A training room behind one address registers together.
REGISTRATIONS_PER_MINUTE = 30


class Attempts:
    """How often somebody may try to sign in or register; counted per process.

    Raises: TooMany.
    """

    def __init__(self) -> None:
        self._person = Limiter(TRIES_PER_MINUTE)
        self._address = Limiter(TRIES_PER_ADDRESS)
        self._machine = Limiter(MACHINE_TRIES_PER_MINUTE)
        self._registration = Limiter(REGISTRATIONS_PER_MINUTE)

    def person(self, account: str, ip: str) -> None:
        self._address.hit(ip)
        self._person.hit(account.casefold()[:100], ip)

    def forget(self, account: str, ip: str) -> None:
        """The right password was given: earlier slips no longer count."""
        self._person.forget(account.casefold()[:100], ip)

    def machine(self, id: str, ip: str) -> None:
        self._machine.hit(id[:100], ip)

    def registration(self, ip: str) -> None:
        self._registration.hit(ip)


class Roster:
    """The members of the network as this process knows them; `refresh` reads them again."""

    def __init__(self, topology: Topology) -> None:
        self._topology = topology
        self._known: Membership | None = None

    async def known(self, tx: AsyncSession) -> Membership:
        if self._known is None:
            self._known = await members.membership(tx, self._topology)
        return self._known

    async def refresh(self, runtime: Runtime) -> None:
        """With the database away what was known stays known."""
        with contextlib.suppress(Unavailable, SQLAlchemyError):
            async with db.begin(runtime.sessions) as tx:
                self._known = await members.membership(tx, self._topology)


@dataclass(frozen=True)
class Hub:
    """What this process has beside the common runtime. `pepper` is None without a pepper file."""

    pepper: bytes | None
    attempts: Attempts
    roster: Roster
    fences: Fences


def _runtime(request: Request) -> Runtime:
    return request.app.state.runtime


def _settings(request: Request) -> Settings:
    return _runtime(request).settings


async def _membership(request: Request, tx: Tx) -> Membership:
    return await request.app.state.hub.roster.known(tx)


def _network(membership: Annotated[Membership, Depends(_membership)]) -> Topology:
    """The topology, widened by the platforms that joined."""
    return membership.network


async def _afterwards(request: Request) -> AsyncIterator[None]:
    yield
    await request.app.state.hub.roster.refresh(_runtime(request))


def _ip(request: Request) -> str:
    return request.client.host if request.client else "unknown"


def _pepper(request: Request) -> bytes:
    pepper: bytes | None = request.app.state.hub.pepper
    if pepper is None:
        raise Unavailable(
            "no-pepper",
            zh="枢纽未配置 HUBNET_PEPPER_FILE，无法处理身份；请联系运维",
            en="the hub has no HUBNET_PEPPER_FILE and cannot handle identity; tell operations",
        )
    return pepper


def _reading(request: Request) -> Callable[[], AbstractAsyncContextManager[AsyncSession]]:
    return _runtime(request).sessions


def attempts(request: Request) -> Attempts:
    return request.app.state.hub.attempts


def elsewhere(settings: Settings) -> bool:
    """Whether an external identity provider issues the tokens."""
    return settings.issuer is not None and settings.issuer != settings.hub_url


def own_identity(settings: Annotated[Settings, Depends(_settings)]) -> None:
    """Raises: Conflict when accounts are kept by an external identity provider."""
    if elsewhere(settings):
        raise Conflict(
            "identity-elsewhere",
            zh=f"账号由外部身份提供方管理：{settings.token_issuer}；请在那里办理",
            en=f"accounts are kept by the identity provider {settings.token_issuer}; go there",
        )


def registration_rate(request: Request) -> None:
    attempts(request).registration(_ip(request))


def password_rate(request: Request, who: Annotated[Principal, Depends(caller)]) -> None:
    """Whoever found an open session must not be able to guess the password from it."""
    attempts(request).person(who.subject, _ip(request))


def public_rate(request: Request) -> None:
    """Anybody may read; nobody may empty the catalogue in a minute."""
    _runtime(request).limiter.hit("public", _ip(request))


async def _visitor(request: Request) -> Principal | None:
    """The caller if there is a token, else nobody; a bad token is refused."""
    if "authorization" in request.headers:
        return await caller(request)
    public_rate(request)
    return None


async def _case_reader(who: Annotated[Principal, Depends(caller)]) -> Principal:
    """Staff of a window read their own window's cases here, far from home, so `allow` does not fit."""
    if who.roles & {"operator", "department"} or ("window_staff" in who.roles and who.home):
        return who
    raise Forbidden(
        "role-needed",
        zh="案件登记仅供运营人员、主管部门和窗口工作人员查看；您的需求请在本窗口平台查看",
        en="the case register is for operators, departments and staff of windows; see your demands at your window",
    )


async def own_node(id: NodeId, request: Request, who: Annotated[Principal, Depends(caller)]) -> None:
    """The caller may act for this platform. In a moment of its own: the call itself may wait long.

    Raises: NotFound.
    """
    async with db.begin(_runtime(request).sessions) as tx:
        await members.own(tx, who, id)


CaseReader = Annotated[Principal, Depends(_case_reader)]
Config = Annotated[Settings, Depends(_settings)]
Ip = Annotated[str, Depends(_ip)]
Known = Annotated[Membership, Depends(_membership)]
Network = Annotated[Topology, Depends(_network)]
# Of a route that changes members: begun before its transaction, so that it ends after the commit.
known_afterwards = Depends(_afterwards, scope="function")
Operator = Annotated[Principal, allow("operator")]
Pepper = Annotated[bytes, Depends(_pepper)]
Reading = Annotated[Callable[[], AbstractAsyncContextManager[AsyncSession]], Depends(_reading)]
Visitor = Annotated[Principal | None, Depends(_visitor)]
