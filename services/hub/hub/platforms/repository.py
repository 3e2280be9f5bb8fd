from common import ids, platforms
from common.contracts.platforms import PlatformChanged
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

# Any number: of several processes of the hub one tells at a time.
LOCK = 0x48554226


async def hold(tx: AsyncSession) -> None:
    """Wait for whoever is telling now."""
    await tx.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": LOCK})


async def told(tx: AsyncSession) -> dict[str, PlatformChanged]:
    """What was said last of each platform."""
    return {
        node: PlatformChanged.model_validate(
            {
                "id": ids.derived("platform", node), "epoch": row.epoch, "version": row.version, "node": node,
                "standing": row.standing, "as_of": row.as_of,
            }
        )
        for node, row in (await platforms.known(tx)).items()
    }  # fmt: skip


async def keep(tx: AsyncSession, platform: PlatformChanged) -> None:
    await platforms.keep(tx, platform)
