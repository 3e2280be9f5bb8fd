from datetime import datetime
from typing import Literal
from uuid import UUID

from common.http import In, Out
from pydantic import BaseModel, ConfigDict, Field

from hub.drift.domain import State


class DigestIn(In):
    """Shape: `repair` also mends what is no loss but a contradiction: the owner says it under a new version."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"repair": False}]})

    repair: bool = False


class ExchangeOut(Out):
    """A comparison that was begun; GET drift says how it ends."""

    exchange: UUID
    node: str
    asked_at: datetime


class ComparisonOut(Out):
    """An owner's records against the copies an observer holds. `drift` counts by kind; empty: none known."""

    observer: str
    owner: str
    exchange: UUID
    round: int
    state: State
    drift: dict[str, int]
    total: int
    records: int
    asked_at: datetime
    compared_at: datetime | None
    equal_at: datetime | None
    repaired_at: datetime | None


class DifferenceOut(Out):
    """A record that differs at the hub. Version 0: there is none."""

    noun: Literal["provider", "offering"]
    id: UUID
    kind: str
    epoch: int
    version: int
    held_epoch: int
    held_version: int
    found_at: datetime
    asked: int


class DriftOut(BaseModel):
    """How the copies of a node's records stand; of matchmaking, how the copies it holds stand."""

    node: str
    total: int
    comparisons: list[ComparisonOut]
    differences: list[DifferenceOut]


class DigestOut(BaseModel):
    """The digest of what the hub holds of a node: a member compares it with its own.

    Shape: of each bucket count (8 hexadecimal digits), xor (16) and sum (16) of its records' marks; empty
    without records.
    """

    node: str
    records: int
    digest: str = Field(description="SHA-256 over all buckets")
    buckets: list[str]


class RecordOut(Out):
    noun: Literal["provider", "offering"]
    id: UUID
    epoch: int
    version: int
    content_hash: str


class BucketOut(BaseModel):
    """Every living record of a bucket that the hub holds of a node."""

    node: str
    bucket: int
    records: list[RecordOut]
