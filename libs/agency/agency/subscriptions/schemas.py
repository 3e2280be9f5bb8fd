"""Subscriptions over HTTP."""

from datetime import datetime
from typing import Literal
from uuid import UUID

from common.http import In, Out
from pydantic import ConfigDict

from agency.subscriptions.domain import Wish


class SubscriptionIn(Wish, In):
    """What to be told of; empty lists mean everything that fits the provider's offerings."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {"categories": ["technology_quality.testing"], "areas": ["1502"], "least_score": 0.3}
            ]
        }
    )


class SubscriptionOut(Out):
    """A subscription."""

    id: UUID
    epoch: int
    version: int
    provider_id: UUID
    categories: tuple[str, ...]
    areas: tuple[str, ...]
    least_score: float
    state: Literal["active", "ended"]
    changed_at: datetime
