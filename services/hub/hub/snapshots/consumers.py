"""The work on snapshots: one at a time over all processes of the hub, and every one of them ends."""

from collections.abc import Awaitable, Callable

from common import log
from common.errors import Conflict, Unavailable
from common.runtime import Job, Runtime
from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession

from hub.members.domain import Membership
from hub.snapshots import service
from hub.snapshots.domain import Snapshot

# A lock of the session: it goes with the process, and another goes on where this one was.
LOCK = 0x48554245


def work(known: Callable[[AsyncSession], Awaitable[Membership]]) -> Job:
    async def snapshots(runtime: Runtime) -> None:
        """Bring every snapshot that came in to its end."""
        try:
            await _work(runtime, known)
        except Unavailable as error:
            log.get("snapshots").info("snapshots-wait", error=error.code)

    return snapshots


def follow_up(known: Callable[[AsyncSession], Awaitable[Membership]]) -> Job:
    async def followed_up(runtime: Runtime) -> None:
        """Pass on and index what whole catalogues brought, part by part."""
        try:
            more = True
            while more:
                async with runtime.transaction() as tx:
                    more = await service.pass_on(tx, await known(tx), at=runtime.clock())
            while await _indexed(runtime):
                pass
        except Unavailable as error:
            log.get("snapshots").info("snapshots-wait", error=error.code)

    return followed_up


async def _indexed(runtime: Runtime) -> bool:
    async with runtime.transaction() as tx:
        return await service.index(tx)


async def _work(runtime: Runtime, known: Callable[[AsyncSession], Awaitable[Membership]]) -> None:
    async with runtime.transaction() as tx:
        await service.give_up_on_the_silent(tx, at=runtime.clock())
        if await service.due(tx) is None:
            return
    async with runtime.engine.connect() as connection:
        await connection.execution_options(isolation_level="AUTOCOMMIT")
        if not (await connection.execute(select(func.pg_try_advisory_lock(LOCK)))).scalar_one():
            return
        try:
            while True:
                async with runtime.transaction() as tx:
                    membership, snapshot = await known(tx), await service.due(tx)
                if snapshot is None or not await _bring(runtime, snapshot, membership):
                    return
        finally:
            await connection.execute(select(func.pg_advisory_unlock(LOCK)))


async def _bring(runtime: Runtime, snapshot: Snapshot, membership: Membership) -> bool:
    """One snapshot to its end. Whether to go on: what failed is tried again after a pause."""
    try:
        async with runtime.transaction() as tx:
            begun = await service.begin_work(tx, snapshot, at=runtime.clock())
        if begun is None:
            return True
        staged = await service.stage(runtime.transaction, begun, membership, runtime.clock)
        if staged.state == "staged":
            await _switch(runtime, staged, membership)
        async with runtime.transaction() as tx:
            await service.tidy(tx)
        return True
    except Unavailable:
        raise
    except Exception:
        # Counted at its next beginning; after a few it is rejected.
        log.get("snapshots").exception("snapshot-failed", node=snapshot.node, number=snapshot.number)
        return False


async def _switch(runtime: Runtime, staged: Snapshot, membership: Membership) -> None:
    try:
        async with runtime.transaction() as tx:
            await service.switch(tx, staged, membership, at=runtime.clock())
    except Conflict as error:
        async with runtime.transaction() as tx:
            await service.refuse(tx, staged, error, at=runtime.clock())
