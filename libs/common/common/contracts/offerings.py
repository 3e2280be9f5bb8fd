"""What a provider offers (服务产品), as every platform may know it."""

from typing import Annotated, Literal
from uuid import UUID

from pydantic import Field

from common.contracts.demands import SizeClass
from common.contracts.envelope import Contract, Fact, State
from common.contracts.finance import FinanceTerms
from common.contracts.technology import Achievement
from common.fields import AreaPrefix, Attributes, Cents, DivisionCode, Line, Slug

OfferingKind = Literal[
    "service", "instrument", "technology_achievement", "finance_product", "training", "space"
]
OfferingState = Literal["draft", "in_review", "returned", "published", "paused", "full", "retired"]
PriceUnit = Literal["case", "hour", "day", "sample", "month", "year", "person", "percent", "square_metre"]


class Price(Contract):
    """A price range; both ends missing means by agreement, both zero free of charge."""

    from_cents: Cents | None = None
    to_cents: Cents | None = None
    unit: PriceUnit = "case"


class Offering(State):
    """An offering. `service_area` holds GB/T 2260 prefixes; an empty one means the whole region.

    Shape: empty `size_classes` serve every size; `qualifications` are names of the provider's own that
    it rests on; `capacity` is how many engagements it takes at once, None for no limit.
    """

    provider_id: UUID
    provider_name: Line
    kind: OfferingKind
    title: Line
    summary: Annotated[str, Field(max_length=20_000)]
    category: Slug
    division: DivisionCode
    service_area: tuple[AreaPrefix, ...] = ()
    price: Price = Price()
    lead_days: Annotated[int, Field(ge=0, le=3650)] | None = None
    size_classes: Annotated[tuple[SizeClass, ...], Field(max_length=6)] = ()
    qualifications: Annotated[tuple[Line, ...], Field(max_length=10)] = ()
    capacity: Annotated[int, Field(ge=0, le=1_000_000)] | None = None
    finance: FinanceTerms | None = None
    achievement: Achievement | None = None
    attributes: Attributes = {}
    example: bool = False
    state: OfferingState
    state_reason: str | None = None


class OfferingSubmitted(Offering, Fact):
    type = "offering.submitted.v1"


class OfferingPublished(Offering, Fact):
    type = "offering.published.v1"


class OfferingReturned(Offering, Fact):
    type = "offering.returned.v1"


class OfferingChanged(Offering, Fact):
    type = "offering.changed.v1"


class OfferingPaused(Offering, Fact):
    type = "offering.paused.v1"


class OfferingRetired(Offering, Fact):
    """The tombstone: it is never published again."""

    type = "offering.retired.v1"


class OfferingAnnounced(Offering, Fact):
    """Said again, or for the first time here: the state as it stands, whatever led to it."""

    type = "offering.announced.v1"
