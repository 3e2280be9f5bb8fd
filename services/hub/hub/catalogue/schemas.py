from datetime import datetime
from uuid import UUID

from common.contracts.demands import SizeClass
from common.contracts.finance import FinanceTerms
from common.contracts.offerings import OfferingKind, Price
from common.contracts.technology import Achievement
from common.fields import Attributes
from pydantic import BaseModel

from hub.catalogue.domain import Copy, Item


class OrganisationOut(BaseModel):
    """The provider that speaks for one organisation with several records."""

    platform: str
    id: UUID
    name: str


class ItemOut(BaseModel):
    """A published offering.

    Shape: `platform` owns it; `example` marks one that is shown as an example only; `as_of` is when its
    platform was last heard, null while it is being heard; `organisation` is told where its provider was merged.
    """

    platform: str
    id: UUID
    epoch: int
    version: int
    kind: OfferingKind
    category: str
    title: str
    summary: str
    provider_id: UUID
    provider_name: str
    division: str
    service_area: list[str]
    price: Price
    lead_days: int | None
    size_classes: list[SizeClass] = []
    qualifications: list[str] = []
    capacity: int | None = None
    finance: FinanceTerms | None = None
    achievement: Achievement | None = None
    attributes: Attributes
    example: bool
    forked: bool
    as_of: datetime | None = None
    organisation: OrganisationOut | None = None

    @classmethod
    def of(cls, item: Item, as_of: datetime | None = None, primary: Copy | None = None) -> "ItemOut":
        known = {name: item.body[name] for name in cls.model_fields if name in item.body}
        if primary is not None:
            known["organisation"] = {
                "platform": primary.owner,
                "id": primary.id,
                "name": primary.body["name"],
            }
        return cls.model_validate(known | {"platform": item.owner, "forked": item.forked, "as_of": as_of})


class Facets(BaseModel):
    """How many are found, by kind, category and platform."""

    kind: dict[str, int]
    category: dict[str, int]
    platform: dict[str, int]
