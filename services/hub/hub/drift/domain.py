"""How a comparison stands, and what differs."""

from datetime import datetime
from typing import Literal
from uuid import UUID

from common.contracts.envelope import Contract

State = Literal["asked", "questioned", "repairing", "equal"]


class Comparison(Contract):
    """An owner's records against the copies an observer holds of them.

    Shape: `drift` counts by kind: missing, stale, extra, content (same version, other content), ahead.
    """

    observer: str
    owner: str
    exchange: UUID
    round: int
    state: State
    drift: dict[str, int]
    records: int
    asked_at: datetime
    compared_at: datetime | None
    equal_at: datetime | None
    repaired_at: datetime | None

    @property
    def total(self) -> int:
        return sum(self.drift.values())


class Difference(Contract):
    """A record that differs. Version 0: there is none."""

    noun: Literal["provider", "offering"]
    id: UUID
    kind: str
    epoch: int
    version: int
    held_epoch: int
    held_version: int
    found_at: datetime
    asked: int
