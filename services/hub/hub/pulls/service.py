"""Fetch what platforms publish of their catalogues, where an operator approved of the address."""

from collections.abc import Sequence
from datetime import datetime
from uuid import uuid4

from common import audit, log
from common.auth import Principal
from common.errors import absent
from common.settings import Settings
from pydantic import ValidationError
from sqlalchemy.ext.asyncio import AsyncSession

from hub.changes import service as changes
from hub.members import service as members
from hub.members.domain import Membership
from hub.pulls import domain, repository
from hub.pulls.domain import Feed, Pull
from hub.signing_keys import service as signing_keys
from hub.tokens import domain as tokens
from hub.tokens.domain import Holder

# As long as one round takes; what a platform gets to see is soon worth nothing.
TOKEN_S = 120


async def approve(tx: AsyncSession, who: Principal, node: str, url: str, *, at: datetime) -> Pull:
    """Raises: NotFound, Invalid, Conflict."""
    member = await members.own(tx, who, node)
    pull = domain.approved(node, url, member.feed_url, who.subject, at)
    held = await repository.get(tx, node, lock=True)
    if held is not None and held.url == url:
        pull = pull.model_copy(update={"cursor": held.cursor, "heard_at": held.heard_at})
    await repository.put(tx, pull)
    await audit.add(tx, who.subject, "pull.approved", node, at=at, detail={"url": url})
    return pull


async def get(tx: AsyncSession, who: Principal, node: str) -> Pull:
    """Raises: NotFound."""
    await members.own(tx, who, node)
    pull = await repository.get(tx, node)
    if pull is None:
        raise absent("拉取", "pull")
    return pull


async def end(tx: AsyncSession, who: Principal, node: str, *, at: datetime) -> None:
    """Raises: NotFound."""
    if not await repository.remove(tx, node):
        raise absent("拉取", "pull")
    await audit.add(tx, who.subject, "pull.ended", node, at=at, detail={})


async def take_up(tx: AsyncSession, *, at: datetime) -> Pull | None:
    """One that is due; from now on this process fetches it."""
    pull = await repository.due(tx, at)
    if pull is None:
        return None
    member = await members.get(tx, pull.node)
    if member is None or member.feed_url != pull.url:
        await repository.put(tx, domain.failed(pull, "feed-changed", at))
        return None
    pull = domain.leased(pull, at)
    await repository.put(tx, pull)
    return pull


async def token(
    tx: AsyncSession, node: str, membership: Membership, settings: Settings, pepper: bytes, *, at: datetime
) -> str:
    """What the hub shows a platform: the rights of that very platform, and to a foreign one nowhere else."""
    holder = Holder(subject=f"node:{settings.node}", roles=("platform",), home=node)
    claims = tokens.claims(
        holder, issuer=settings.token_issuer, roles_claim=settings.roles_claim, id=str(uuid4()), at=at,
        lifetime_s=TOKEN_S, audience=node if node in membership.over_http else settings.audience,
    )  # fmt: skip
    return await signing_keys.sign(tx, claims, pepper, at=at)


async def take(
    tx: AsyncSession, pull: Pull, membership: Membership, body: bytes, *, at: datetime
) -> tuple[Pull, bool]:
    """Take over a page, and note the position in the same transaction. Whether there is more.

    Raises: Conflict while nothing of the platform is taken over; ValueError for what is no page.
    """
    try:
        feed = Feed.model_validate_json(body)
    except ValidationError as error:
        raise ValueError("no-page") from error
    goal = await changes.aim(tx, membership, pull.node)
    read = [domain.line(number, item) for number, item in enumerate(feed.items, 1)]
    results = await changes.take_read(tx, goal, read, at=at)
    _tell(pull, [f"{r.field}: {r.rule}" for r in results if r.outcome == "rejected"])
    more = feed.more and feed.next_cursor != pull.cursor
    pull = domain.read_on(pull, feed.next_cursor, at, more=more)
    await repository.put(tx, pull)
    return pull, more


def _tell(pull: Pull, rejected: Sequence[str]) -> None:
    if rejected:
        log.get("pulls").error("pulled-rejected", node=pull.node, count=len(rejected), first=rejected[0])


async def fail(tx: AsyncSession, pull: Pull, error: str, *, at: datetime) -> None:
    """The platform did not answer, or nothing usable."""
    pull = domain.restarted(pull, at) if error == "cursor-unknown" else domain.failed(pull, error, at)
    await repository.put(tx, pull)
    told = log.get("pulls").error if pull.failures >= domain.ALERT_AFTER else log.get("pulls").warning
    told("feed-silent", node=pull.node, failures=pull.failures, error=error, heard_at=str(pull.heard_at))


async def failures(tx: AsyncSession) -> dict[str, int]:
    """How often in a row each platform's feed gave nothing usable."""
    return await repository.failures(tx)
