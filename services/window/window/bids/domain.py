"""The demand side's view of quotations (报价): whose they must be, which still stand, and their order."""

from collections.abc import Iterable
from datetime import date

from common.contracts.quotations import Quotation
from common.errors import Conflict, Forbidden, Invalid

from window.demands.domain import Demand
from window.invitations.domain import Invitation


def check(quotation: Quotation, invitation: Invitation, *, source: str) -> None:
    """A quotation counts only from the platform and for the provider that was invited, in time.

    Raises: Forbidden for a foreign one; Invalid for one without price; Conflict for one sent too late.
    """
    said = (source, quotation.platform, quotation.provider_id, quotation.demand_id)
    if said != (invitation.platform, invitation.platform, invitation.provider_id, invitation.demand_id):
        raise Forbidden(
            "foreign-quotation",
            zh="报价与受邀机构或其所在平台不符",
            en="the quotation is not from the invited provider's platform",
            field="invitation_id",
        )
    if quotation.state != "submitted":
        return
    if quotation.price_cents is None:
        raise Invalid(
            "quotation-without-price", zh="报价缺少价格", en="the quotation has no price", field="price_cents"
        )
    if quotation.answered_at is not None and quotation.answered_at > invitation.respond_by:
        raise Conflict(
            "answered-late",
            zh="报价提交时已过答复期限",
            en="the quotation was submitted after the deadline",
            field="answered_at",
        )


def stands(quotation: Quotation, today: date) -> bool:
    """Whether it could be accepted today; a quotation is valid through its last day."""
    return quotation.state == "submitted" and (
        quotation.valid_until is None or today <= quotation.valid_until
    )


def ranked(quotations: Iterable[Quotation]) -> list[Quotation]:
    """Those with a price first, cheapest first, then the faster."""

    def order(quotation: Quotation) -> tuple[bool, int, int, str]:
        price, days = quotation.price_cents, quotation.lead_days
        return (
            quotation.state not in ("submitted", "accepted") or price is None,
            price or 0,
            days if days is not None else 10_000,
            str(quotation.id),
        )

    return sorted(quotations, key=order)


def over_budget(quotation: Quotation, demand: Demand) -> bool | None:
    """None where one of the two names no figure."""
    if quotation.price_cents is None or demand.budget.to_cents is None:
        return None
    return quotation.price_cents > demand.budget.to_cents


def in_time(quotation: Quotation, demand: Demand, today: date) -> bool | None:
    """Whether work that starts today would be done when needed; None where one names no figure."""
    if quotation.lead_days is None or demand.needed_by is None:
        return None
    return quotation.lead_days <= (demand.needed_by - today).days
