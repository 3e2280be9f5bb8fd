"""What is kept of others' cases, and what a result is worth.

Only what is counted is kept: no account, name, text or amount of a case is stored here.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

from common.contracts.engagements import Engagement, EngagementState
from common.contracts.envelope import Contract, Fact
from common.contracts.invitations import Invitation, InvitationState
from common.contracts.quotations import Quotation
from common.contracts.ratings import Rating

_STATE = frozenset({"id", "epoch", "version", "state", "state_reason"})
_PARTIES = frozenset({"demand_id", "demand_window", "platform", "provider_id"})
KEPT: Mapping[type[Contract], frozenset[str]] = {
    Invitation: _STATE | _PARTIES | {"offering_id", "offering_version", "respond_by", "issued_at"},
    Quotation: _STATE | _PARTIES | {"invitation_id", "offering_id", "revision", "answered_at"},
    Engagement: _STATE | _PARTIES | {"invitation_id", "quotation_id", "created_at", "delivered_at"},
    Rating: _STATE | _PARTIES | {"engagement_id", "grade", "rated_at"},
}
# Waiting for an answer, or for a decision.
OPEN: tuple[InvitationState, ...] = ("issued", "quoted")
# Agreed and not delivered: what keeps a provider busy.
BUSY: tuple[EngagementState, ...] = ("created", "confirmed", "in_progress", "disputed")
# Declined by the provider's platform, not by the provider: it never had the question.
UNASKED = ("provider-unknown", "provider-not-active", "arrived-after-deadline")
# Why an engagement is cancelled when its provider had taken the quotation back.
BY_PROVIDER = ("quotation-withdrawn",)
GOOD_GRADE = 4


class Gained(Contract):
    """What an invited offering came to: see `gain`."""

    platform: str
    provider_id: UUID
    offering_id: UUID
    gain: int


class Ended(Contract):
    """A demand whose every invitation has its end."""

    owner: str
    demand_id: UUID
    last_issued_at: datetime
    gained: tuple[Gained, ...]


def kept(fact: Fact, data: Mapping[str, Any]) -> dict[str, Any]:
    """The part of a message's data that is stored."""
    names = next(names for kind, names in KEPT.items() if isinstance(fact, kind))
    return {name: value for name, value in data.items() if name in names}


def moves_standing(fact: Fact) -> bool:
    """Reading an invitation changes nothing that is counted."""
    return not (isinstance(fact, Quotation) and fact.state in ("invited", "viewed"))


def gain(state: InvitationState, *, quoted: bool, grade: int | None) -> int:
    """0 came to nothing, 1 was invited, 2 quoted, 3 was awarded, 4 was awarded and rated 4 or 5.

    Shape: who declined, let it expire or took a quotation back served the enterprise as little as one that
    was not invited.
    """
    if state == "awarded":
        return 4 if grade is not None and grade >= GOOD_GRADE else 3
    if state in ("declined", "expired", "withdrawn"):
        return 0
    return 2 if quoted else 1
