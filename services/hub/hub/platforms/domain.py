"""How a platform is for those who would invite its providers."""

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta

from common import ids
from common.contracts.platforms import PlatformChanged, PlatformStanding

from hub.members.domain import Member

# Nobody hears of a platform before it is active.
KNOWN = ("active", "quarantined", "retired")


def standing(member: Member, silent_since: datetime | None, at: datetime, limit_s: float) -> PlatformStanding:
    if member.state == "quarantined":
        return "quarantined"
    if member.state == "retired":
        return "retired"
    away = silent_since is not None and at - silent_since > timedelta(seconds=limit_s)
    return "away" if away else "ready"


def news(
    members: Iterable[Member],
    silent: Mapping[str, datetime],
    told: Mapping[str, PlatformChanged],
    *,
    at: datetime,
    limit_s: float,
) -> list[PlatformChanged]:
    """What is to be said now: of each platform that differs from what was said of it last.

    Shape: `silent` are those not being heard, with when they were last.
    """
    found: list[PlatformChanged] = []
    for member in members:
        if member.kind == "matchmaking" or member.state not in KNOWN:
            continue
        as_of = silent.get(member.id)
        before = told.get(member.id)
        now = PlatformChanged(
            id=ids.derived("platform", member.id),
            epoch=before.epoch if before else 1,
            version=before.version + 1 if before else 1,
            node=member.id,
            standing=standing(member, as_of, at, limit_s),
            as_of=as_of,
        )
        if (now.standing, now.as_of) != ((before.standing, before.as_of) if before else ("ready", None)):
            found.append(now)
    return found
