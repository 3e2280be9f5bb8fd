"""Money sought and money offered (融资需求, 金融产品), in the terms both sides compare by."""

from typing import Annotated, Literal

from pydantic import Field

from common.contracts.envelope import Contract
from common.fields import Cents, Line

Collateral = Literal[
    "real_estate", "land_use", "equipment", "vehicle", "inventory", "receivables", "livestock",
    "intellectual_property", "equity", "deposit",
]  # fmt: skip
Guarantee = Literal["company", "person", "guarantee_company", "mutual_fund", "government_fund"]
Months = Annotated[int, Field(ge=1, le=600)]


class FinanceNeed(Contract):
    """What an enterprise seeks. `collateral` and `guarantees` are what it can bring; none: it has none."""

    amount_cents: Cents
    term_months: Months | None = None
    purpose: Line | None = None
    collateral: Annotated[tuple[Collateral, ...], Field(max_length=10)] = ()
    guarantees: Annotated[tuple[Guarantee, ...], Field(max_length=5)] = ()


class FinanceTerms(Contract):
    """What a product gives. It takes any one of `collateral` and any one of `guarantees`; none: it asks for none."""

    amount_from_cents: Cents | None = None
    amount_to_cents: Cents | None = None
    term_from_months: Months | None = None
    term_to_months: Months | None = None
    collateral: Annotated[tuple[Collateral, ...], Field(max_length=10)] = ()
    guarantees: Annotated[tuple[Guarantee, ...], Field(max_length=5)] = ()
