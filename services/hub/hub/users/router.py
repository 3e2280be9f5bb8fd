from typing import Annotated
from uuid import UUID

from common.db import Tx
from common.errors import absent
from common.http import PAGE_LIMIT, Caller, Now, Page
from fastapi import APIRouter, Depends, Query

from hub.deps import Network, Operator, own_identity, password_rate, registration_rate
from hub.users import repository, service
from hub.users.schemas import PasswordIn, RegistrationIn, StaffIn, UserOut

router = APIRouter(tags=["users"], dependencies=[Depends(own_identity)])

# No Idempotency-Key where a body holds a password: the stored hash of the body would be a fast hash of the
# password. A repeated call is told that the username is taken.


@router.post(
    "/v1/users",
    status_code=201,
    summary="自行注册 Register yourself",
    dependencies=[Depends(registration_rate)],
)
async def register(body: RegistrationIn, tx: Tx, network: Network, now: Now) -> UserOut:
    """中小企业或服务机构自行注册账号。Open an account as an enterprise or an agency; no token needed."""
    user = await service.register(
        tx,
        username=body.username,
        password=body.password,
        role=body.role,
        home=body.home,
        network=network,
        at=now,
    )
    return UserOut.model_validate(user)


@router.post("/v1/staff", status_code=201, summary="开通账号 Open an account with any role")
async def create(body: StaffIn, tx: Tx, who: Operator, network: Network, now: Now) -> UserOut:
    """由运营人员开通工作人员、主管部门等账号。An operator opens accounts of staff, departments, operators."""
    user = await service.create(
        tx, who, username=body.username, password=body.password, roles=body.roles, home=body.home,
        network=network, at=now,
    )  # fmt: skip
    return UserOut.model_validate(user)


@router.get("/v1/users", summary="用户列表 Users")
async def page(
    tx: Tx, who: Operator, after: UUID | None = None, limit: Annotated[int, Query(ge=1, le=PAGE_LIMIT)] = 50
) -> Page[UserOut]:
    """仅运营人员。Operators only."""
    found, cursor = await repository.page(tx, who, after=after, limit=limit)
    return Page(items=[UserOut.model_validate(user) for user in found], next_cursor=cursor)


@router.get("/v1/users/me", summary="当前用户 Who am I")
async def me(tx: Tx, who: Caller) -> UserOut:
    """当前令牌所属的用户；机器客户端没有用户。The person behind this token; machines have none."""
    user = await repository.myself(tx, who)
    if user is None:
        raise absent("用户", "user")
    return UserOut.model_validate(user)


@router.post(
    "/v1/users/me/password", summary="修改密码 Change your password", dependencies=[Depends(password_rate)]
)
async def password(body: PasswordIn, tx: Tx, who: Caller, now: Now) -> UserOut:
    """验证原密码后更换。Give the old password and the new one."""
    user = await service.change_password(tx, who, old=body.old_password, new=body.new_password, at=now)
    return UserOut.model_validate(user)


@router.get("/v1/users/{id}", summary="用户 A user")
async def get(id: UUID, tx: Tx, who: Caller) -> UserOut:
    """本人或运营人员。Yourself, or anybody for an operator."""
    user = await repository.get(tx, who, id)
    if user is None:
        raise absent("用户", "user")
    return UserOut.model_validate(user)


@router.post("/v1/users/{id}/deactivation", summary="停用账号 Deactivate an account")
async def deactivate(id: UUID, tx: Tx, who: Operator, now: Now) -> UserOut:
    """停用后不再签发令牌，接口密钥同时失效。No more tokens, also not for its API keys."""
    return UserOut.model_validate(await service.deactivate(tx, who, id, at=now))


@router.post("/v1/users/{id}/reactivation", summary="恢复账号 Reactivate an account")
async def reactivate(id: UUID, tx: Tx, who: Operator, now: Now) -> UserOut:
    """恢复登录。They may sign in again."""
    return UserOut.model_validate(await service.reactivate(tx, who, id, at=now))
