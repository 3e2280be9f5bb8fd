"""The steps of a comparison: as the holder of a platform's records, and as their teller for matchmaking."""

from collections.abc import Awaitable, Callable

from common.clock import Clock
from common.contracts import digests
from common.inbox import Message, Routes
from common.runtime import Job, Runtime, every
from prometheus_client import CollectorRegistry, Gauge
from sqlalchemy.ext.asyncio import AsyncSession

from hub.drift import service
from hub.members.domain import Membership

FIGURES_EVERY_S = 5.0


def figures(registry: CollectorRegistry) -> Job:
    """A job that keeps the figures of drift; both labels are ids of nodes."""
    drifting = Gauge(
        "catalogue_drift",
        "Copies that differ from their owner's records",
        ("node", "observer"),
        registry=registry,
    )
    compared = Gauge(
        "catalogue_compared_timestamp_seconds", "When copies were last compared", ("node", "observer"),
        registry=registry,
    )  # fmt: skip
    fenced = Gauge("node_fenced", "Whether what a node says is held", ("node",), registry=registry)

    async def figures(runtime: Runtime) -> None:
        async with runtime.transaction() as tx:
            found, held = await service.comparisons(tx), await service.fenced(tx)
        for one in found:
            if one.compared_at is not None:
                drifting.labels(one.owner, one.observer).set(one.total)
                compared.labels(one.owner, one.observer).set(one.compared_at.timestamp())
        for node, is_held in held.items():
            fenced.labels(node).set(is_held)

    return every(FIGURES_EVERY_S, figures, everywhere=True)


def routes(known: Callable[[AsyncSession], Awaitable[Membership]], now: Clock) -> Routes:
    async def on_taken(tx: AsyncSession, message: Message) -> None:
        assert isinstance(message.fact, digests.DigestTaken)
        await service.on_taken(tx, await known(tx), message.fact, at=now())

    async def on_listed(tx: AsyncSession, message: Message) -> None:
        assert isinstance(message.fact, digests.DigestListed)
        await service.on_listed(tx, await known(tx), message.fact, at=now())

    async def on_disowned(tx: AsyncSession, message: Message) -> None:
        assert isinstance(message.fact, digests.DigestDisowned)
        await service.on_disowned(tx, await known(tx), message.fact, message.envelope)

    async def on_questioned(tx: AsyncSession, message: Message) -> None:
        assert isinstance(message.fact, digests.DigestQuestioned)
        await service.on_questioned(tx, await known(tx), message.fact, by=message.envelope.source, at=now())

    async def on_wanted(tx: AsyncSession, message: Message) -> None:
        assert isinstance(message.fact, digests.DigestWanted)
        await service.on_wanted(tx, await known(tx), message.fact, by=message.envelope.source, at=now())

    async def on_compared(tx: AsyncSession, message: Message) -> None:
        assert isinstance(message.fact, digests.DigestCompared)
        await service.on_compared(tx, message.fact, by=message.envelope.source, at=now())

    return (
        ("digest.taken.v1", on_taken),
        ("digest.listed.v1", on_listed),
        ("digest.disowned.v1", on_disowned),
        ("digest.questioned.v1", on_questioned),
        ("digest.wanted.v1", on_wanted),
        ("digest.compared.v1", on_compared),
    )
