"""Campaigns, their plans with inputs and lines, and allocations."""

from datetime import date, datetime
from typing import Any
from uuid import UUID

from common.db import Versioned
from sqlalchemy import ForeignKey, Index, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from matchmaking.db import Base

Json = dict[str, Any]


class CampaignRow(Versioned, Base):
    __tablename__ = "campaigns"
    name: Mapped[str]
    kind: Mapped[str]
    opens_on: Mapped[date]
    closes_on: Mapped[date]
    budget_cents: Mapped[int | None]
    support: Mapped[Json] = mapped_column(JSONB)
    demands: Mapped[Json] = mapped_column(JSONB)
    providers: Mapped[Json] = mapped_column(JSONB)
    rules: Mapped[Json] = mapped_column(JSONB)
    state: Mapped[str]
    state_reason: Mapped[str | None]
    plans: Mapped[int]
    accepted_plan: Mapped[int | None]
    created_by: Mapped[str]
    created_at: Mapped[datetime]
    changed_at: Mapped[datetime]


class PlanRow(Base):
    """At most one plan of a campaign is being computed, and at most one is ever accepted."""

    __tablename__ = "campaign_plans"
    id: Mapped[UUID] = mapped_column(primary_key=True)
    campaign_id: Mapped[UUID] = mapped_column(ForeignKey("campaigns.id"))
    number: Mapped[int]
    state: Mapped[str]
    state_reason: Mapped[str | None]
    attempts: Mapped[int]
    lease_until: Mapped[datetime | None]
    done: Mapped[int]
    total: Mapped[int]
    requested_by: Mapped[str]
    requested_at: Mapped[datetime]
    finished_at: Mapped[datetime | None]
    method: Mapped[str | None]
    gap: Mapped[float | None]
    versions: Mapped[Json] = mapped_column(JSONB)
    comparison: Mapped[Json | None] = mapped_column(JSONB(none_as_null=True))
    binding: Mapped[list[Json]] = mapped_column(JSONB)
    clashes: Mapped[list[Json]] = mapped_column(JSONB)
    failure: Mapped[Json | None] = mapped_column(JSONB(none_as_null=True))

    __table_args__ = (
        Index("uq_campaign_plans_number", "campaign_id", "number", unique=True),
        Index(
            "uq_campaign_plans_active", "campaign_id", unique=True,
            postgresql_where=text("state IN ('queued', 'running')"),
        ),
        Index(
            "uq_campaign_plans_accepted", "campaign_id", unique=True,
            postgresql_where=text("state = 'accepted'"),
        ),
    )  # fmt: skip


class InputsRow(Base):
    """What a plan was made from."""

    __tablename__ = "campaign_inputs"
    plan_id: Mapped[UUID] = mapped_column(ForeignKey("campaign_plans.id"), primary_key=True)
    body: Mapped[Json] = mapped_column(JSONB)


class LineRow(Base):
    __tablename__ = "campaign_lines"
    id: Mapped[UUID] = mapped_column(primary_key=True)
    plan_id: Mapped[UUID] = mapped_column(ForeignKey("campaign_plans.id"))
    outcome: Mapped[str]
    demand_window: Mapped[str]
    demand_id: Mapped[UUID]
    demand_version: Mapped[int]
    demand_number: Mapped[str]
    demand_title: Mapped[str]
    amount_cents: Mapped[int]
    reason: Mapped[str | None]
    platform: Mapped[str | None]
    provider_id: Mapped[UUID | None]
    provider_name: Mapped[str | None]
    offering_id: Mapped[UUID | None]
    offering_version: Mapped[int | None]
    offering_title: Mapped[str | None]
    utility: Mapped[float | None]

    __table_args__ = (Index("ix_campaign_lines_plan", "plan_id", "outcome", "id"),)


class AllocationRow(Versioned, Base):
    """A demand has one standing allocation of a kind, whichever campaign made it."""

    __tablename__ = "allocations"
    campaign_id: Mapped[UUID] = mapped_column(ForeignKey("campaigns.id"), index=True)
    campaign_name: Mapped[str]
    kind: Mapped[str]
    plan_number: Mapped[int]
    demand_id: Mapped[UUID]
    demand_number: Mapped[str]
    demand_title: Mapped[str]
    demand_window: Mapped[str]
    platform: Mapped[str]
    provider_id: Mapped[UUID]
    provider_name: Mapped[str]
    offering_id: Mapped[UUID]
    offering_title: Mapped[str]
    amount_cents: Mapped[int]
    state: Mapped[str]
    state_reason: Mapped[str | None]
    decided_at: Mapped[datetime]

    __table_args__ = (
        Index(
            "uq_allocations_standing", "demand_window", "demand_id", "kind", unique=True,
            postgresql_where=text("state = 'assigned'"),
        ),
    )  # fmt: skip
