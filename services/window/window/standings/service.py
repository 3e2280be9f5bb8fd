from uuid import UUID

from agency.providers import service as own_providers
from common import platforms
from common.auth import Principal
from common.contracts.envelope import Envelope
from common.contracts.providers import Provider
from common.errors import Conflict
from sqlalchemy.ext.asyncio import AsyncSession

from window.standings import repository

_AWAY_ZH = {"away": "长时间失联", "quarantined": "已被隔离", "retired": "已退出"}
BARRED = frozenset({"suspended", "retired", "rejected"})


async def hear(tx: AsyncSession, envelope: Envelope, provider: Provider) -> None:
    await repository.store(tx, envelope, provider)


async def check_platform(tx: AsyncSession, platform: str, *, field: str) -> None:
    """Raises: Conflict while an invitation to a provider of the platform would reach nobody."""
    standing = await platforms.standing(tx, platform)
    if standing != platforms.READY:
        zh = _AWAY_ZH.get(standing, standing)
        raise Conflict(
            "platform-away",
            zh=f"该机构所属平台 {platform} {zh}，暂不能邀请；请选择其他机构",
            en=f"the provider's platform {platform} is {standing} and cannot be invited from now; choose another provider",
            field=field,
        )


async def check(tx: AsyncSession, node: str, platform: str, provider_id: UUID, *, field: str) -> None:
    """Of a provider at home here we know it; of others what their platforms last told us.

    Shape: `field` is the input that named the provider.

    Raises: Conflict when the provider may not take work.
    """
    if platform == node:
        provider = await own_providers.lookup(tx, Principal.system(node), provider_id)
        state = None if provider is None else provider.state
    else:
        state = await repository.state(tx, platform, provider_id)
    if state in BARRED:
        raise Conflict(
            "provider-barred",
            zh=f"该机构当前状态为 {state}，不能承接；请选择其他机构",
            en=f"the provider is {state} and cannot take work; choose another provider",
            field=field,
        )
