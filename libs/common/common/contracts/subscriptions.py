"""A provider's wish to hear of demands that fit what it offers (商机订阅)."""

from typing import Annotated, Literal
from uuid import UUID

from pydantic import Field

from common.contracts.envelope import Fact, State
from common.fields import AreaPrefix, NodeId, Score, Slug


class Subscription(State):
    """Shape: empty `categories` or `areas` mean every one. One provider has at most one subscription."""

    platform: NodeId
    provider_id: UUID
    categories: Annotated[tuple[Slug, ...], Field(max_length=50)] = ()
    areas: Annotated[tuple[AreaPrefix, ...], Field(max_length=130)] = ()
    least_score: Score = 0.0
    state: Literal["active", "ended"] = "active"


class SubscriptionChanged(Subscription, Fact):
    type = "subscription.changed.v1"


class SubscriptionEnded(Subscription, Fact):
    type = "subscription.ended.v1"
