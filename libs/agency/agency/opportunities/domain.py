"""An opportunity (商机) at the provider's platform: matchmaking's record, and what the provider made of it."""

from typing import Literal
from uuid import UUID

from common.contracts import opportunities as contract
from common.errors import Forbidden
from common.fields import Line, Moment

OpportunityState = Literal["open", "closed"]


class Opportunity(contract.Opportunity):
    """Shape: `position` grows with every change of any of them; `place` is where it stands in the list."""

    owner_subject: str
    place: UUID
    position: int
    heard_at: Moment
    read_at: Moment | None
    dismissed_at: Moment | None
    dismissed_reason: Line | None


def ours(opportunity: contract.Opportunity, *, node: str, source: str, matchmaking: str, known: bool) -> None:
    """Raises: Forbidden unless matchmaking sends it, for a provider that is known here."""
    if source != matchmaking or opportunity.platform != node or not known:
        raise Forbidden(
            "foreign-opportunity",
            zh="商机只能由对接服务发给机构所在的平台；请核对来源与机构",
            en="an opportunity comes from matchmaking alone, to the platform of its provider; check both",
            field="source" if source != matchmaking else "provider_id",
        )
