"""Copies in; standings and results out. Providers' records and results carry nobody's name or text."""

from collections.abc import Collection, Sequence
from typing import Any
from uuid import UUID

from common import copies
from common.contracts.engagements import Engagement
from common.contracts.envelope import Envelope
from common.contracts.invitations import Invitation
from common.contracts.quotations import Quotation
from common.contracts.ratings import Rating
from sqlalchemy import ARRAY, Text, and_, extract, func, literal, or_, select, tuple_, update
from sqlalchemy.dialects.postgresql import UUID as UUIDColumn
from sqlalchemy.ext.asyncio import AsyncSession

from matchmaking.outcomes import domain
from matchmaking.outcomes.domain import Ended, Gained
from matchmaking.outcomes.tables import EngagementRow, InvitationRow, QuotationRow, RatingRow

Pair = tuple[str, UUID]


async def apply_invitation(tx: AsyncSession, envelope: Envelope, said: Invitation) -> copies.Outcome:
    return await copies.apply(
        tx,
        InvitationRow,
        envelope,
        demand_id=said.demand_id,
        platform=said.platform,
        provider_id=said.provider_id,
        offering_id=said.offering_id,
        state=said.state,
        issued_at=said.issued_at,
    )


async def apply_quotation(tx: AsyncSession, envelope: Envelope, said: Quotation) -> copies.Outcome:
    outcome = await copies.apply(
        tx,
        QuotationRow,
        envelope,
        demand_window=said.demand_window,
        invitation_id=said.invitation_id,
        provider_id=said.provider_id,
        state=said.state,
        state_reason=said.state_reason,
        revision=said.revision,
    )
    # A better offer later is no later answer: the least of all versions counts, also of those overtaken.
    if said.answered_at is not None:
        await tx.execute(
            update(QuotationRow)
            .where(QuotationRow.owner == envelope.source, QuotationRow.id == said.id)
            .values(first_answered_at=func.least(QuotationRow.first_answered_at, said.answered_at))
        )
    return outcome


async def apply_engagement(tx: AsyncSession, envelope: Envelope, said: Engagement) -> copies.Outcome:
    return await copies.apply(
        tx,
        EngagementRow,
        envelope,
        invitation_id=said.invitation_id,
        platform=said.platform,
        provider_id=said.provider_id,
        state=said.state,
        state_reason=said.state_reason,
    )


async def apply_rating(tx: AsyncSession, envelope: Envelope, said: Rating) -> copies.Outcome:
    return await copies.apply(
        tx,
        RatingRow,
        envelope,
        engagement_id=said.engagement_id,
        platform=said.platform,
        provider_id=said.provider_id,
        grade=said.grade,
    )


def _given(pairs: Collection[Pair]) -> Any:
    """The pairs as a table of two columns: two arrays, for any number of them."""
    names = literal([name for name, _ in pairs], ARRAY(Text))
    uuids = literal([id for _, id in pairs], ARRAY(UUIDColumn(as_uuid=True)))
    return func.unnest(names, uuids).table_valued("platform", "id").render_derived("given")


# A quotation counts for an invitation only if its platform was the one invited.
_ANSWER = and_(
    QuotationRow.demand_window == InvitationRow.owner,
    QuotationRow.invitation_id == InvitationRow.id,
    QuotationRow.owner == InvitationRow.platform,
    QuotationRow.provider_id == InvitationRow.provider_id,
)


def _asked(given: Any) -> Any:
    """Counts of invitations by provider."""
    answer, state = QuotationRow.first_answered_at, InvitationRow.state
    answered = or_(answer.is_not(None), state.in_(("quoted", "declined", "awarded", "withdrawn")))
    hours = extract("epoch", answer - InvitationRow.issued_at) / 3600
    return (
        select(
            InvitationRow.platform,
            InvitationRow.provider_id,
            func.count().label("asked"),
            func.count().filter(answered).label("answered"),
            func.count().filter(state == "declined").label("declined"),
            func.count().filter(state == "expired", ~answered).label("expired"),
            func.count().filter(state == "awarded").label("awarded"),
            func.percentile_cont(0.5).within_group(hours).label("median_answer_hours"),
        )
        .join(given, _of(InvitationRow, given))
        .outerjoin(QuotationRow, _ANSWER)
        .where(func.coalesce(QuotationRow.state_reason, "").not_in(domain.UNASKED))
        .group_by(InvitationRow.platform, InvitationRow.provider_id)
        .subquery("asked")
    )


def _engaged(given: Any) -> Any:
    """Counts of engagements by provider and, when the invitation is known, offering."""
    busy = EngagementRow.state.in_(domain.BUSY)
    cancelled = and_(EngagementRow.state == "cancelled", EngagementRow.state_reason.in_(domain.BY_PROVIDER))
    by_offering = (
        select(
            EngagementRow.platform,
            EngagementRow.provider_id,
            InvitationRow.offering_id,
            func.count().filter(busy).label("open"),
            func.count().filter(cancelled).label("cancelled"),
        )
        .join(given, _of(EngagementRow, given))
        .outerjoin(
            InvitationRow,
            and_(
                InvitationRow.owner == EngagementRow.owner,
                InvitationRow.id == EngagementRow.invitation_id,
                InvitationRow.platform == EngagementRow.platform,
                InvitationRow.provider_id == EngagementRow.provider_id,
            ),
        )
        .group_by(EngagementRow.platform, EngagementRow.provider_id, InvitationRow.offering_id)
        .subquery()
    )
    known = and_(by_offering.c.offering_id.is_not(None), by_offering.c.open > 0)
    return (
        select(
            by_offering.c.platform,
            by_offering.c.provider_id,
            func.sum(by_offering.c.open).label("open"),
            func.sum(by_offering.c.cancelled).label("cancelled"),
            func.jsonb_object_agg(by_offering.c.offering_id, by_offering.c.open)
            .filter(known)
            .label("by_offering"),
        )
        .group_by(by_offering.c.platform, by_offering.c.provider_id)
        .subquery("engaged")
    )


def _graded(given: Any) -> Any:
    return (
        select(
            RatingRow.platform,
            RatingRow.provider_id,
            func.count().label("count"),
            func.sum(RatingRow.grade).label("sum"),
        )
        .join(given, _of(RatingRow, given))
        .group_by(RatingRow.platform, RatingRow.provider_id)
        .subquery("graded")
    )


def _of(rows: Any, given: Any) -> Any:
    """A row is of the given provider."""
    return and_(rows.platform == given.c.platform, rows.provider_id == given.c.id)


async def counted(tx: AsyncSession, pairs: Collection[Pair]) -> Sequence[Any]:
    """Every count of each provider in one statement; a provider of whom nothing is known has none."""
    given = _given(pairs)
    asked, engaged, graded = _asked(given), _engaged(given), _graded(given)

    def same(table: Any) -> Any:
        return and_(table.c.platform == given.c.platform, table.c.provider_id == given.c.id)

    statement = (
        select(
            given.c.platform,
            given.c.id.label("provider_id"),
            *(asked.c[name] for name in ("asked", "answered", "declined", "expired", "awarded")),
            asked.c.median_answer_hours,
            engaged.c.open,
            engaged.c.cancelled,
            engaged.c.by_offering,
            graded.c.count.label("grade_count"),
            graded.c["sum"].label("grade_sum"),
        )
        .select_from(given)
        .outerjoin(asked, same(asked))
        .outerjoin(engaged, same(engaged))
        .outerjoin(graded, same(graded))
        .where(or_(asked.c.asked.is_not(None), engaged.c.open.is_not(None), graded.c.count.is_not(None)))
    )
    return (await tx.execute(statement)).all()


async def ended(tx: AsyncSession, after: Pair | None, limit: int) -> Sequence[Ended]:
    """The next demands whose every invitation has its end, by window and id."""
    demands = (
        select(
            InvitationRow.owner,
            InvitationRow.demand_id,
            func.max(InvitationRow.issued_at).label("last_issued_at"),
        )
        .group_by(InvitationRow.owner, InvitationRow.demand_id)
        .having(func.bool_and(InvitationRow.state.not_in(domain.OPEN)))
        .order_by(InvitationRow.owner, InvitationRow.demand_id)
        .limit(limit)
    )
    if after is not None:
        demands = demands.where(tuple_(InvitationRow.owner, InvitationRow.demand_id) > after)
    page = demands.subquery("page")
    statement = (
        select(
            InvitationRow.owner,
            InvitationRow.demand_id,
            page.c.last_issued_at,
            InvitationRow.platform,
            InvitationRow.provider_id,
            InvitationRow.offering_id,
            InvitationRow.state,
            func.coalesce(QuotationRow.revision, 0).label("revision"),
            func.max(RatingRow.grade).label("grade"),
        )
        .join(page, and_(page.c.owner == InvitationRow.owner, page.c.demand_id == InvitationRow.demand_id))
        .outerjoin(QuotationRow, _ANSWER)
        .outerjoin(
            EngagementRow,
            and_(EngagementRow.owner == InvitationRow.owner, EngagementRow.invitation_id == InvitationRow.id),
        )
        .outerjoin(
            RatingRow,
            and_(RatingRow.owner == EngagementRow.owner, RatingRow.engagement_id == EngagementRow.id),
        )
        .group_by(InvitationRow.owner, InvitationRow.id, page.c.last_issued_at, QuotationRow.revision)
        .order_by(InvitationRow.owner, InvitationRow.demand_id, InvitationRow.id)
    )
    found: dict[Pair, tuple[Any, list[Gained]]] = {}
    for row in (await tx.execute(statement)).all():
        _, gained = found.setdefault((row.owner, row.demand_id), (row.last_issued_at, []))
        worth = domain.gain(row.state, quoted=row.revision > 0, grade=row.grade)
        gained.append(
            Gained(
                platform=row.platform, provider_id=row.provider_id, offering_id=row.offering_id, gain=worth
            )
        )
    return [
        Ended(owner=owner, demand_id=id, last_issued_at=issued, gained=tuple(gained))
        for (owner, id), (issued, gained) in found.items()
    ]
