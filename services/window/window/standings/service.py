from uuid import UUID

from agency.providers import service as own_providers
from common.auth import Principal
from common.contracts.envelope import Envelope
from common.contracts.providers import Provider
from common.errors import Conflict
from sqlalchemy.ext.asyncio import AsyncSession

from window.standings import repository

BARRED = frozenset({"suspended", "retired", "rejected"})


async def hear(tx: AsyncSession, envelope: Envelope, provider: Provider) -> None:
    await repository.store(tx, envelope, provider)


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
