"""Bring platforms into the network, hold them back, let them go. Every act is audited."""

from collections.abc import Sequence
from datetime import datetime, timedelta

from common import audit
from common.auth import Principal
from common.errors import Conflict, Forbidden, absent
from common.node import Topology
from common.preconditions import Match
from sqlalchemy.ext.asyncio import AsyncSession

from hub.clients import service as clients
from hub.members import domain, repository
from hub.members.domain import Contact, DeletionPolicy, Kind, Member, Membership


async def enrol(tx: AsyncSession, network: Topology, *, at: datetime) -> None:
    """Every node of the topology is a member; those already known stay as they are."""
    await repository.enrol(tx, [domain.settled(node, at) for node in network.spokes])


async def get(tx: AsyncSession, id: str, *, lock: bool = False) -> Member | None:
    return await repository.get(tx, id, lock=lock)


async def everything(tx: AsyncSession) -> Sequence[Member]:
    return await repository.everything(tx)


async def membership(tx: AsyncSession, topology: Topology) -> Membership:
    """Everybody who belongs to the network now."""
    return Membership(topology, await repository.everything(tx))


async def join(
    tx: AsyncSession, who: Principal, topology: Topology, *, id: str, kind: Kind, zh: str, en: str,
    places: tuple[str, ...], deletion_policy: DeletionPolicy, contacts: tuple[Contact, ...],
    feed_url: str | None, at: datetime,
) -> Member:  # fmt: skip
    """Register a platform that talks over HTTP.

    Raises: Invalid for an unknown division; Conflict for a taken id or division, or too many at once.
    """
    member = Member(
        id=id, kind=kind, zh=zh, en=en, divisions=places, deletion_policy=deletion_policy, contacts=contacts,
        feed_url=feed_url, via="http", state="registered", since=at, subject=who.subject, created_at=at,
    )  # fmt: skip
    domain.check_divisions(places)
    others = [m.node() for m in await repository.everything(tx) if m.state != "retired"]
    listed = {node.id for node in topology.nodes}
    domain.check_free(member, Topology((*topology.nodes, *(n for n in others if n.id not in listed))))
    if (
        "operator" not in who.roles
        and await repository.on_the_way(tx, who.subject) >= domain.OPEN_APPLICATIONS
    ):
        raise Conflict(
            "applications-open",
            zh=f"您已有 {domain.OPEN_APPLICATIONS} 个平台正在接入；请先完成或退出其中之一",
            en=f"{domain.OPEN_APPLICATIONS} platforms of yours are on their way in; finish or retire one first",
        )
    if not await repository.add(tx, member):
        raise Conflict(
            "node-id-taken",
            zh=f"平台编号 {id} 曾被使用，不能再用；请换一个",
            en=f"the id {id} was used before and is not given again; choose another",
            field="id",
        )
    await audit.add(
        tx, who.subject, "member.registered", id, at=at, detail={"kind": kind, "divisions": list(places)}
    )
    return member


async def own(tx: AsyncSession, who: Principal, id: str, *, lock: bool = False) -> Member:
    """A member the caller may act for: its staff, its machine, who joined it, or an operator.

    Raises: NotFound for everybody else.
    """
    member = await repository.get(tx, id, lock=lock)
    if member is None or not (who.staff_of(id) or member.subject == who.subject):
        raise absent("平台", "platform")
    return member


async def edit(
    tx: AsyncSession, who: Principal, id: str, match: Match, changes: dict[str, object], *, at: datetime
) -> Member:
    """Change its names, contacts, feed or deletion policy. Raises: Stale, NotFound."""
    member = await own(tx, who, id, lock=True)
    match.check(member)
    edited = Member.model_validate(member.model_dump() | changes | {"version": member.version + 1})
    await _keep(tx, who, edited, "member.edited", at, {"fields": sorted(changes)})
    return edited


async def key(
    tx: AsyncSession, who: Principal, id: str, *, overlap: timedelta, pepper: bytes, at: datetime
) -> tuple[str, str]:
    """A key for the platform: what it signs in with, and the secret, which is not kept.

    Raises: NotFound, Conflict.
    """
    member = await own(tx, who, id, lock=True)
    await _keep(tx, who, domain.key(member, at), "member.keyed", at, {})
    client, secret = await clients.rotate(tx, who, home=id, overlap=overlap, pepper=pepper, at=at)
    return client.client_id, secret


async def test(tx: AsyncSession, who: Principal, id: str, *, at: datetime) -> Member:
    """Note that a conformance run begins."""
    member = await own(tx, who, id, lock=True)
    if member.state == "registered" and who.home == id:
        # Its token is an external issuer's: it has a key, though none of ours.
        member = await _keep(tx, who, domain.key(member, at), "member.keyed", at, {})
    return await _keep(tx, who, domain.test(member, at), "member.tested", at, {})


async def tested(tx: AsyncSession, who: Principal, id: str, *, passed: bool, at: datetime) -> Member:
    """Note how a conformance run ended."""
    member = await own(tx, who, id, lock=True)
    change = domain.tested(member, at, passed=passed)
    if change is None:
        return member
    return await _keep(tx, who, change, "member.conformed" if passed else "member.failed", at, {})


async def activate(tx: AsyncSession, who: Principal, id: str, match: Match | None, *, at: datetime) -> Member:
    """Raises: Stale, NotFound, Conflict."""
    member = await _locked(tx, id, match)
    return await _keep(tx, who, domain.activate(member, at), "member.activated", at, {})


async def quarantine(
    tx: AsyncSession, who: Principal, id: str, match: Match, *, reason: str, at: datetime
) -> Member:
    member = await _locked(tx, id, match)
    if member.kind == "matchmaking":
        raise Forbidden(
            "matchmaking-needed",
            zh="供需对接平台不能隔离；全网对接依赖它",
            en="matchmaking cannot be quarantined; the whole network depends on it",
        )
    change = domain.quarantine(member, at, reason=reason)
    return await _keep(tx, who, change, "member.quarantined", at, {"reason": reason})


async def release(tx: AsyncSession, who: Principal, id: str, match: Match, *, at: datetime) -> Member:
    member = await _locked(tx, id, match)
    return await _keep(tx, who, domain.release(member, at), "member.released", at, {})


async def retire(
    tx: AsyncSession, who: Principal, id: str, match: Match, *, reason: str, at: datetime
) -> Member:
    """It leaves for good. Raises: NotFound, Stale, Conflict; Forbidden for a node of the topology."""
    member = await own(tx, who, id, lock=True)
    match.check(member)
    if member.via == "bus":
        raise Forbidden(
            "node-of-the-topology",
            zh="该平台列于网络拓扑（deploy/topology.yaml）；请从中删除，或先将其隔离",
            en="this platform is listed in deploy/topology.yaml; remove it there, or quarantine it",
        )
    change = domain.retire(member, at, reason=reason)
    await clients.end(tx, who, id, at=at, until=at)
    await repository.drop_feed(tx, domain.pulled(id))
    return await _keep(tx, who, change, "member.retired", at, {"reason": reason})


async def due(tx: AsyncSession, days: float | None, *, at: datetime) -> list[str]:
    """Members whose probation has lasted long enough."""
    return [member.id for member in await repository.everything(tx) if domain.due(member, at, days)]


async def _locked(tx: AsyncSession, id: str, match: Match | None) -> Member:
    member = await repository.get(tx, id, lock=True)
    if member is None:
        raise absent("平台", "platform")
    if match is not None:
        match.check(member)
    return member


async def _keep(
    tx: AsyncSession, who: Principal, member: Member, action: str, at: datetime, detail: dict[str, object]
) -> Member:
    """Store a member's next state, and note who did it."""
    await repository.save(tx, member)
    await audit.add(tx, who.subject, action, member.id, at=at, detail={"state": member.state, **detail})
    return member
