"""Follow what becomes of cases; say what it makes of providers, and what each case came to."""

from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from uuid import UUID

from common import copies
from common.contracts.engagements import Engagement
from common.contracts.invitations import Invitation
from common.contracts.quotations import Quotation
from common.contracts.ratings import Rating
from common.inbox import Message
from sqlalchemy.ext.asyncio import AsyncSession

from matchmaking.matching.standing import Standing
from matchmaking.outcomes import domain, repository
from matchmaking.outcomes.domain import Ended

# Told (tx, platform, provider_id) when a provider's standing may have changed.
Touched = Callable[[AsyncSession, str, UUID], Awaitable[None]]


async def follow(tx: AsyncSession, message: Message, touched: Touched) -> None:
    """Apply an invitation, quotation, engagement or rating if it is news, and say whose standing it moves."""
    fact = message.fact
    envelope = message.envelope.model_copy(update={"data": domain.kept(fact, message.envelope.data)})
    if isinstance(fact, Invitation):
        outcome = await repository.apply_invitation(tx, envelope, fact)
    elif isinstance(fact, Quotation):
        outcome = await repository.apply_quotation(tx, envelope, fact)
    elif isinstance(fact, Engagement):
        outcome = await repository.apply_engagement(tx, envelope, fact)
    else:
        assert isinstance(fact, Rating)
        outcome = await repository.apply_rating(tx, envelope, fact)
    if outcome is copies.Outcome.APPLIED and domain.moves_standing(fact):
        await touched(tx, fact.platform, fact.provider_id)


async def standings(
    tx: AsyncSession, pairs: Collection[tuple[str, UUID]]
) -> Mapping[tuple[str, UUID], Standing]:
    """The records of providers (platform, id); who is missing has none yet: `standing.UNKNOWN`."""
    if not pairs:
        return {}
    return {
        (row.platform, row.provider_id): Standing(
            asked=row.asked or 0,
            answered=row.answered or 0,
            declined=row.declined or 0,
            expired=row.expired or 0,
            median_answer_hours=None if row.median_answer_hours is None else float(row.median_answer_hours),
            awarded=row.awarded or 0,
            open_engagements=int(row.open or 0),
            cancelled_by_provider=int(row.cancelled or 0),
            grade_count=row.grade_count or 0,
            grade_sum=int(row.grade_sum or 0),
            open_by_offering={UUID(id): count for id, count in (row.by_offering or {}).items()},
        )
        for row in await repository.counted(tx, set(pairs))
    }


async def ended(tx: AsyncSession, after: tuple[str, UUID] | None, limit: int) -> Sequence[Ended]:
    """The next demands whose every invitation has its end, with what each came to."""
    return await repository.ended(tx, after, limit)
