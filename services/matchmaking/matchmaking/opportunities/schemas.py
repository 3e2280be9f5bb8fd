"""Open demands for an offering, as operators and the staff of its platform read them."""

from uuid import UUID

from common.contracts.matches import Component
from common.contracts.opportunities import DemandNotice
from common.http import Out


class FittingDemandOut(Out):
    """A demand that fits now, with the parts of its score and the reason; not whose it is."""

    demand_window: str
    demand_id: UUID
    demand_version: int
    state: str
    demand: DemandNotice
    score: float
    components: tuple[Component, ...]
    reason_zh: str
    reason_en: str


class FittingDemandsOut(Out):
    """Best first."""

    items: tuple[FittingDemandOut, ...]
