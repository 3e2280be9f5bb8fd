"""The one decision (授标): which quotation may win today."""

from datetime import datetime

from common.contracts.quotations import Quotation
from common.errors import Conflict

from window.bids.domain import stands
from window.demands.domain import Demand, check_awardable, today
from window.invitations.domain import Invitation

RELAPSED = "quotation-withdrawn"
LOST = "另一家机构中选（another provider was chosen）"


def check(demand: Demand, invitation: Invitation, quotation: Quotation, at: datetime) -> None:
    """Raises: Conflict naming why this demand or this quotation cannot be awarded now."""
    check_awardable(demand)
    if invitation.state == "lost":
        raise Conflict(
            "quotation-lapsed",
            zh="该机构已被告知未中选，其报价随之失效；请重新邀请该机构报价",
            en="this provider was told that it lost, and its offer has lapsed; invite it to quote again",
            field="quotation_id",
        )
    if quotation.state != "submitted":
        raise Conflict(
            "quotation-not-submitted",
            zh=f"该报价当前状态为 {quotation.state}，不能中选；请选择已提交的报价",
            en=f"the quotation is {quotation.state}; choose one that is submitted",
            field="quotation_id",
        )
    if not stands(quotation, today(at)):
        raise Conflict(
            "quotation-expired",
            zh=f"该报价已于 {quotation.valid_until} 过有效期；请选择其他报价或请机构重新报价",
            en=f"the quotation was valid until {quotation.valid_until}; choose another or ask for a new one",
            field="quotation_id",
        )
