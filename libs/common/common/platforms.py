"""How the other platforms are, as the hub tells: whether their providers may be invited, and how old it all is."""

from collections.abc import Mapping

from sqlalchemy import select, tuple_
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from common.contracts.platforms import Platform
from common.errors import Forbidden
from common.inbox import Message, Routes
from common.outbox import HUB
from common.tables import PlatformRow

READY = "ready"


async def follow(tx: AsyncSession, message: Message) -> None:
    """Take over what the hub says, if it is news."""
    assert isinstance(message.fact, Platform)
    if message.envelope.source != HUB:
        raise Forbidden(
            "foreign-platform",
            zh="平台状态只能来自枢纽",
            en="how a platform is, the hub alone says",
            field="source",
        )
    await keep(tx, message.fact)


async def keep(tx: AsyncSession, platform: Platform) -> None:
    statement = insert(PlatformRow).values(
        node=platform.node, epoch=platform.epoch, version=platform.version, standing=platform.standing,
        as_of=platform.as_of,
    )  # fmt: skip
    new = statement.excluded
    await tx.execute(
        statement.on_conflict_do_update(
            index_elements=["node"],
            set_={name: new[name] for name in ("epoch", "version", "standing", "as_of")},
            where=tuple_(new.epoch, new.version) > tuple_(PlatformRow.epoch, PlatformRow.version),
        )
    )


async def known(tx: AsyncSession) -> Mapping[str, PlatformRow]:
    """Those anything was said of; of the others nothing is wrong."""
    rows = (await tx.execute(select(PlatformRow), execution_options={"populate_existing": True})).scalars()
    return {row.node: row for row in rows}


async def standing(tx: AsyncSession, node: str) -> str:
    query = select(PlatformRow.standing).where(PlatformRow.node == node)
    return (await tx.execute(query)).scalar_one_or_none() or READY


routes: Routes = (("platform.changed.v1", follow),)
