"""Accounts: made, changed, and proved by a password."""

import asyncio
import unicodedata
from datetime import datetime
from uuid import UUID

from common import audit, ids
from common.auth import Principal
from common.errors import Conflict, Invalid, absent
from common.node import Topology
from pwdlib import PasswordHash
from pwdlib.hashers.argon2 import Argon2Hasher
from sqlalchemy.ext.asyncio import AsyncSession

from hub.users import domain, repository
from hub.users.domain import Role, User

# OWASP's lower memory setting: 19 MiB, 2 passes, one lane. The library's 64 MiB on 4 lanes takes ten times as
# long, and a burst of sign-ins would hold all cores.
HASHER = Argon2Hasher(time_cost=2, memory_cost=19_456, parallelism=1)
PASSWORDS = PasswordHash((HASHER,))
# Verified when there is no such user, so that both answers take as long. It is the hash of nothing known.
DECOY = "$argon2id$v=19$m=19456,t=2,p=1$SpYNbE2MtrB1IQo0lCrTMA$B4fsF3RhaDeERV8sr9Fcnt+MF0zj2o1I+Y+EwAGcHws"


def _nfkc(password: str) -> str:
    # The same keys on another system's keyboard may compose characters differently.
    return unicodedata.normalize("NFKC", password)


async def hashed(password: str) -> str:
    return await asyncio.to_thread(PASSWORDS.hash, _nfkc(password))


async def proves(password: str, user: User | None) -> bool:
    """Whether this is the password of an active user; as slow when there is no such user."""
    stored = user.password_hash if user is not None else DECOY
    right = await asyncio.to_thread(PASSWORDS.verify, _nfkc(password), stored)
    return right and user is not None and user.active


async def find(tx: AsyncSession, username: str) -> User | None:
    return await repository.by_key(tx, domain.key(username))


async def holder(tx: AsyncSession, subject: UUID) -> User | None:
    """The active user behind a subject."""
    user = await repository.by_subject(tx, subject)
    return user if user is not None and user.active else None


async def has_operator(tx: AsyncSession) -> bool:
    return await repository.any_operator(tx)


async def register(
    tx: AsyncSession, *, username: str, password: str, role: Role, home: str | None, network: Topology,
    at: datetime,
) -> User:  # fmt: skip
    """Open an account for oneself, as a party.

    Raises: Invalid, Conflict.
    """
    if role not in domain.OPEN_ROLES:
        raise Invalid(
            "role-not-open",
            zh="自行注册只能选择 sme 或 agency；工作人员账号由运营人员开通",
            en="only sme and agency can register themselves; an operator opens accounts of staff",
            field="role",
        )
    username = domain.check_username(username, open_to_all=True)
    return await create(
        tx, None, username=username, password=password, roles=(role,), home=home, network=network, at=at
    )


async def create(
    tx: AsyncSession, who: Principal | None, *, username: str, password: str, roles: tuple[Role, ...],
    home: str | None, network: Topology, at: datetime,
) -> User:  # fmt: skip
    """Open an account with any role; `who` None means the person themself.

    Raises: Invalid, Conflict.
    """
    username = domain.check_username(username, open_to_all=False)
    domain.check_password(password, username)
    domain.check_home(roles, home, network)
    user = User(
        id=ids.new(),
        username=username,
        username_key=domain.key(username),
        password_hash=await hashed(password),
        roles=tuple(dict.fromkeys(roles)),
        home=home,
        created_at=at,
    )
    if not await repository.add(tx, user):
        raise Conflict(
            "username-taken",
            zh="该用户名（或与之相似的写法）已被使用；请换一个",
            en="this username, or one that compares alike, is taken; take another",
            field="username",
        )
    actor = who.subject if who else str(user.id)
    await audit.add(
        tx, actor, "user.created", user.id, at=at, detail={"roles": list(user.roles), "home": home}
    )
    return user


async def change_password(tx: AsyncSession, who: Principal, *, old: str, new: str, at: datetime) -> User:
    """Raises: Invalid when the old one is wrong or the new one too weak."""
    user = await _own(tx, who)
    if not await proves(old, user):
        raise Invalid(
            "password-wrong",
            zh="原密码不正确；请重新输入",
            en="the old password is not right; enter it again",
            field="old_password",
        )
    domain.check_password(new, user.username, field="new_password")
    changed = user.model_copy(update={"password_hash": await hashed(new), "version": user.version + 1})
    await repository.save(tx, changed)
    await audit.add(tx, who.subject, "user.password-changed", user.id, at=at, detail={})
    return changed


async def _own(tx: AsyncSession, who: Principal) -> User:
    user = await repository.myself(tx, who)
    if user is None:
        raise absent("用户", "user")
    return user


async def deactivate(tx: AsyncSession, who: Principal, id: UUID, *, at: datetime) -> User:
    """No new tokens from now on; those given out end within their lifetime."""
    user = await repository.get(tx, who, id, lock=True)
    if user is None:
        raise absent("用户", "user")
    changed = domain.deactivate(user, by=who.subject, at=at)
    await repository.save(tx, changed)
    await audit.add(tx, who.subject, "user.deactivated", id, at=at, detail={})
    return changed


async def reactivate(tx: AsyncSession, who: Principal, id: UUID, *, at: datetime) -> User:
    user = await repository.get(tx, who, id, lock=True)
    if user is None:
        raise absent("用户", "user")
    changed = domain.reactivate(user)
    await repository.save(tx, changed)
    await audit.add(tx, who.subject, "user.reactivated", id, at=at, detail={})
    return changed
