"""Gather what the status page shows."""

from datetime import datetime

from common.node import Node, Topology
from reference import divisions
from sqlalchemy.ext.asyncio import AsyncSession

from hub.cases import service as cases
from hub.catalogue import service as catalogue
from hub.dead_letters import service as dead_letters
from hub.nodes import service as nodes
from hub.status.domain import Place, Status


def _seat(node: Node) -> tuple[float | None, float | None]:
    """Where the node's first division is governed from."""
    try:
        found = divisions.get(node.divisions[0].ljust(6, "0"))
    except (divisions.UnknownDivision, IndexError):
        return None, None
    return found.lon, found.lat


async def now(tx: AsyncSession, network: Topology, *, at: datetime) -> Status:
    offerings = await catalogue.by_platform(tx)
    places: list[Place] = []
    for view in await nodes.overview(tx, network, at=at):
        if view.member is not None and view.member.state not in ("active", "quarantined"):
            continue  # it is on its way in
        lon, lat = _seat(view.node)
        place = Place(
            id=view.node.id,
            kind=view.node.kind,
            zh=view.node.zh,
            en=view.node.en,
            state=view.health.state,
            since=view.health.since,
            lag=view.lag,
            lon=lon,
            lat=lat,
            offerings=offerings.get(view.node.id, 0),
        )
        places.append(place)
    return Status(
        at=at,
        places=tuple(places),
        cases=await cases.by_state(tx),
        dead_letters=await dead_letters.open_count(tx),
    )
