"""The example people of the network, registered at the hub as anybody would."""

import asyncio
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

from localnet.api import OPERATOR, Api, Refused
from localnet.trouble import Trouble

Role = Literal["sme", "agency", "window_staff", "cluster_staff", "department"]
AT_ONCE = 2  # a password's hash is work for a whole core of the hub


@dataclass(frozen=True)
class Account:
    """One person. `zh` and `en` say who they are in the example."""

    username: str
    role: Role
    home: str | None
    zh: str
    en: str


STAFF = (
    Account("ex-staff-hohhot", "window_staff", "hohhot", "呼和浩特窗口工作人员", "staff of the Hohhot window"),
    Account("ex-staff-hohhot-dairy", "cluster_staff", "hohhot-dairy", "乳业集聚区工作人员", "staff of the dairy cluster"),
    Account("ex-department", "department", None, "主管部门", "government department"),
)  # fmt: skip


async def open_accounts(api: Api, accounts: Iterable[Account]) -> list[str]:
    """Make every account exist; the usernames that were opened now.

    Raises: Trouble when a username is somebody else's.
    """
    wanted = list(accounts)
    held = await _held(api)
    for account in wanted:
        if account.username in held and account.username not in api.passwords.known:
            raise _taken(api, account)
    api.passwords.make([account.username for account in wanted])
    missing = [account for account in wanted if account.username not in held]
    gate = asyncio.Semaphore(AT_ONCE)

    async def one(account: Account) -> None:
        async with gate:
            await _open(api, account)

    async with asyncio.TaskGroup() as tasks:
        for account in missing:
            tasks.create_task(one(account))
    return [account.username for account in missing]


async def _held(api: Api) -> set[str]:
    from hubnet_client import aitems
    from hubnet_client.hub import Client
    from hubnet_client.hub.api.users import get_users

    hub = api.endpoints.hub
    with api.telling(hub, OPERATOR):
        listed = aitems(get_users.asyncio, client=api.at(Client, hub, OPERATOR), limit=200)
        return {user.username async for user in listed}


async def _open(api: Api, account: Account) -> None:
    said = {
        "username": account.username,
        "password": api.passwords.of(account.username),
        "home": account.home,
    }
    try:
        if account.role in ("sme", "agency"):
            await api.post(api.endpoints.hub, "/v1/users", said | {"role": account.role})
        else:
            await api.post(api.endpoints.hub, "/v1/staff", said | {"roles": [account.role]}, who=OPERATOR)
    except Refused as error:
        if error.status != 409:  # taken a moment ago: by a call of ours whose answer was lost
            raise


def _taken(api: Api, account: Account) -> Trouble:
    return Trouble(
        (f"用户名 {account.username} 已存在，密码不在这里", f"the user {account.username} exists, with a password not kept here"),
        (f"示例用户的密码保存在 {api.passwords.path}", f"the example users' passwords are in {api.passwords.path}"),
        (
            "恢复该文件，或 hubnet reset 后重新开始",
            "restore that file, or begin anew with hubnet reset",
        ),
    )  # fmt: skip
