"""Take over what a platform says of its catalogue, however it came, and show what was taken over."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from common import audit, feeds, ids, log
from common.auth import Principal
from common.errors import Forbidden, Invalid, TooLarge
from common.feeds import Changes, Position, Source
from sqlalchemy.ext.asyncio import AsyncSession

from hub.changes import domain, lines, repository, statements
from hub.changes.domain import NOUNS, Fork, Lines, Result, Role
from hub.changes.lines import Held, Item, Noun, Read, Rejected, Row
from hub.members import service as members
from hub.members.domain import Membership
from hub.nodes import service as nodes
from hub.routing.domain import MAY_SAY

SOURCES = tuple(
    Source(
        noun,
        "SELECT changed_xid, id, epoch, version, deleted, content_hash, body"
        f" FROM {statements.TABLES[noun]} WHERE owner = $1",
    )
    for noun in NOUNS
)


@dataclass(frozen=True)
class Aim:
    """Whose lines they are, and who is told of them.

    Shape: `to` is the feed to matchmaking, None while the platform is not found; `told` the feeds of all
    platforms, which must know a provider's standing.
    """

    node: str
    epoch: int
    absence: bool
    to: str | None
    told: tuple[str, ...]


async def aim(tx: AsyncSession, membership: Membership, node: str) -> Aim:
    """Raises: Conflict while nothing of the platform is taken over; Forbidden for one without a catalogue."""
    standing = await nodes.standing(tx, node)
    assert standing is not None
    standing.admit()
    if not MAY_SAY[standing.kind] >= set(NOUNS):
        raise Forbidden(
            "noun-not-allowed",
            zh=f"{node} 无权发布服务机构和服务产品；只有窗口和集群平台可以",
            en=f"{node} may not say providers and offerings; windows and clusters may",
        )
    network, absence = membership.network, standing.deletion_policy == "absence"
    if not standing.searchable:
        return Aim(node, standing.epoch, absence, None, ())
    platforms = [
        membership.feed(other.id) for other in network.of_kind("window", "cluster") if other.id != node
    ]
    return Aim(node, standing.epoch, absence, network.of_kind("matchmaking")[0].id, tuple(platforms))


async def push(
    tx: AsyncSession, who: Principal, node: str, body: bytes, membership: Membership, *, at: datetime
) -> list[Result]:
    """Take over lines of changes; every line answers for itself.

    Raises: NotFound, Conflict, Forbidden; Invalid for nothing; TooLarge for too many lines.
    Emits: ProviderAnnounced, OfferingAnnounced, in the platform's name.
    """
    await members.own(tx, who, node)
    goal = await aim(tx, membership, node)
    texts = [(number, line) for number, line in enumerate(body.split(b"\n"), 1) if line.strip()]
    if not texts:
        raise Invalid(
            "no-lines",
            zh="没有可处理的行；每行一个 JSON 对象",
            en="there is no line; send one JSON object a line",
            field="body",
        )
    if len(texts) > domain.MAX_LINES:
        raise TooLarge(
            "too-many-lines",
            zh=f"一次最多 {domain.MAX_LINES} 行；请分批提交，或提交完整快照",
            en=f"at most {domain.MAX_LINES} lines at once; send them in parts, or hand in a snapshot",
        )
    results = await take(tx, goal, texts, at=at)
    counts = {name: sum(result.outcome == name for result in results) for name in domain.OUTCOMES}
    told = {name: count for name, count in counts.items() if count}
    await audit.add(tx, who.subject, "catalogue.pushed", node, at=at, detail=told)
    return results


async def take(
    tx: AsyncSession, goal: Aim, texts: Sequence[tuple[int, bytes]], *, at: datetime
) -> list[Result]:
    """Lines of changes into the catalogue, in this transaction."""
    return await take_read(
        tx, goal, await asyncio.to_thread(lambda: [lines.read(number, text) for number, text in texts]), at=at
    )


async def take_read(
    tx: AsyncSession, goal: Aim, read: Sequence[Read | Rejected], *, at: datetime
) -> list[Result]:
    """Lines that are read already into the catalogue, in this transaction."""
    batch, judge = ids.new(), Lines()
    await repository.one_at_a_time(tx, goal.node)
    judge.take(await complete(tx, goal, read))
    ready, results = judge.taken()
    await repository.stage(tx, batch, ready)
    results += [result async for result in apply(tx, goal, batch, at=at)]
    await repository.unstage(tx, batch)
    return sorted(results, key=lambda result: result.line)


async def complete(tx: AsyncSession, goal: Aim, read: Sequence[Item]) -> list[Row | Rejected]:
    """The state each line leads to, with what is held where a line does not say all of it."""
    held: dict[UUID, Held] = {}
    wanted: dict[Noun, list[UUID]] = {noun: [] for noun in NOUNS}
    unfinished = False
    for line in read:
        if isinstance(line, Read):
            unfinished = True
            if line.needs_held:
                wanted[line.noun].append(line.id)
    if not unfinished:
        return [line for line in read if not isinstance(line, Read)]
    if any(wanted.values()):
        held = await repository.held(tx, goal.node, wanted)
    return await asyncio.to_thread(
        lambda: [
            lines.completed(line, held.get(line.id), goal.epoch) if isinstance(line, Read) else line
            for line in read
        ]
    )


async def stage(
    tx: AsyncSession, batch: UUID, ready: Sequence[tuple[Role, Row]], judged: Sequence[Result]
) -> None:
    """Keep lines for the switch, and which records the wrong ones speak of."""
    await repository.stage(tx, batch, ready)
    await repository.stage_present(tx, batch, [line for line in judged if line.outcome == "rejected"])


async def unstage(tx: AsyncSession, batch: UUID) -> None:
    await repository.unstage(tx, batch)


async def apply(tx: AsyncSession, goal: Aim, batch: UUID, *, at: datetime) -> AsyncIterator[Result]:
    """Take over what is staged and pass it on; the same rules as for what comes over the bus."""
    async for result in repository.apply(tx, batch, goal.node, to=goal.to, told=goal.told, at=at):
        if result.outcome == "fork":
            log.get("changes").error("fork", owner=goal.node, id=str(result.id), noun=result.noun)
        yield result


async def apply_into(tx: AsyncSession, goal: Aim, batch: UUID, table: str, *, at: datetime) -> None:
    """The same for a whole catalogue: what became of each line is kept in a table."""
    await repository.apply_into(tx, batch, goal.node, table, to=goal.to, told=goal.told, at=at)


async def transaction(tx: AsyncSession) -> int:
    """The number that what this transaction takes over is stamped with."""
    return await repository.transaction(tx)


async def pass_on(
    tx: AsyncSession, goal: Aim, xid: int, after: UUID | None, limit: int, *, at: datetime
) -> UUID | None:
    """Owe matchmaking some of the offerings a whole catalogue brought; the last of them, None when all are."""
    return (
        None
        if goal.to is None
        else await repository.pass_on(tx, goal.node, goal.to, xid, after, limit, at=at)
    )


async def index(tx: AsyncSession, limit: int) -> int:
    """Bring words of what came in bulk into the index; of how many offerings."""
    return await repository.index(tx, limit)


async def leaving(tx: AsyncSession, goal: Aim, batch: UUID, nouns: Sequence[Noun]) -> tuple[int, int]:
    """How many living records a staged catalogue would remove, and how many there are."""
    removals = held = 0
    for noun in NOUNS:
        gone, living = await repository.leaving(tx, batch, goal.node, noun)
        removals, held = removals + gone, held + living
        if goal.absence and noun in nouns:
            removals += await repository.missing_count(tx, batch, goal.node, noun)
    return removals, held


async def stage_removals(tx: AsyncSession, goal: Aim, batch: UUID, nouns: Sequence[Noun], after: int) -> None:
    """Tombstones for what a staged catalogue no longer has; their lines follow the file's."""
    line = after
    for noun in nouns:
        async for part in repository.missing(tx, batch, goal.node, noun):
            rows: list[tuple[Role, Row]] = []
            for id, held in part:
                line += 1
                rows.append(("removal", lines.removed(line, noun, id, held)))
            await repository.stage(tx, batch, rows)


async def one_at_a_time(tx: AsyncSession, node: str) -> None:
    await repository.one_at_a_time(tx, node)


async def changes(tx: AsyncSession, node: str, after: Position, limit: int) -> Changes:
    """What was taken over of a platform, newest state of each record, in the order of commits."""
    return await feeds.page(tx, SOURCES, node, after, limit)


async def forks(
    tx: AsyncSession, who: Principal, node: str, *, after: UUID | None, limit: int
) -> tuple[list[Fork], UUID | None]:
    """Records of which two states with one version were said."""
    await members.own(tx, who, node)
    found = await repository.forks(tx, node, after, limit + 1)
    return found[:limit], found[limit - 1].id if len(found) > limit else None


async def announce(tx: AsyncSession, membership: Membership, node: str, *, at: datetime) -> None:
    """Owe matchmaking all that is held of a platform: it has just become one that is found."""
    to = membership.network.of_kind("matchmaking")[0].id
    await repository.announce(tx, node, to, at=at)
