"""The online technology market (网上技术市场): what is needed and what has been achieved.

Source: the fields of the technology demand form in libs/reference (form_fields.json).
"""

from typing import Annotated, Literal

from pydantic import Field

from common.contracts.envelope import Contract
from common.fields import Answer, Line

Keywords = Annotated[tuple[Line, ...], Field(min_length=1, max_length=5)]
# 技术成熟度 by GB/T 22900: 1 basic principle … 9 proven in use.
Maturity = Annotated[int, Field(ge=1, le=9)]
Year = Annotated[int, Field(ge=2000, le=2100)]
Cooperation = Literal["transfer", "licence", "commission", "joint_development", "equity", "consulting"]
Activity = Literal["basic", "applied", "experimental_development", "commercialisation", "service"]


class TechnologyNeed(Contract):
    """A technology need (技术需求) beside the title, budget and industry of its demand."""

    main_problem: Answer
    key_technology: Answer
    expected_goal: Answer
    keywords: Keywords
    from_year: Year | None = None
    to_year: Year | None = None
    cooperation: Annotated[tuple[Cooperation, ...], Field(max_length=6)] = ()
    intended_partner: Line | None = None
    activity: Activity | None = None
    discipline: Line | None = None
    field: Line | None = None
    least_maturity: Maturity | None = None


class IntellectualProperty(Contract):
    """A right in an achievement."""

    kind: Literal["invention", "utility_model", "design", "software", "plant_variety", "know_how"]
    number: Line | None = None
    status: Literal["applied", "granted", "expired"] = "granted"


class Achievement(Contract):
    """A technology achievement (科技成果); its abstract is the summary of its offering."""

    owner: Line
    maturity: Maturity
    keywords: Annotated[tuple[Line, ...], Field(max_length=5)] = ()
    field: Line | None = None
    cooperation: Annotated[tuple[Cooperation, ...], Field(max_length=6)] = ()
    intellectual_property: Annotated[tuple[IntellectualProperty, ...], Field(max_length=20)] = ()
