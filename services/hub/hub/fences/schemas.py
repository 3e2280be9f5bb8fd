from datetime import datetime
from typing import Literal
from uuid import UUID

from common.http import Out
from pydantic import BaseModel


class LostCaseOut(Out):
    """A demand the restored window does not know any more; see it at /v1/cases/{id}."""

    id: UUID
    number: str
    state: str


class RestorationOut(Out):
    """A node that begins anew after its database was restored from an older copy.

    Shape: it takes on `epoch` and numbers its messages above `feed_seq`; a node on the bus does both by
    itself at its next beat. `ended`: it has said all it has again.
    """

    node: str
    epoch: int
    feed_seq: int
    state: Literal["ordered", "taken", "ended"]
    ordered_at: datetime
    ordered_by: str
    taken_at: datetime | None
    ended_at: datetime | None
    lost_cases: tuple[LostCaseOut, ...]


class Restorations(BaseModel):
    """Newest first."""

    items: list[RestorationOut]
