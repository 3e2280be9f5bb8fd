"""One line of an import: a provider and one of its offerings."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Annotated, Literal
from uuid import UUID

from common import ids
from common.contracts.envelope import Fact
from common.contracts.finance import FinanceTerms
from common.contracts.offerings import OfferingKind, Price
from common.contracts.providers import Qualification, Recognition
from common.contracts.technology import Achievement, IntellectualProperty
from common.errors import Conflict, Invalid
from common.fields import Attributes, DivisionCode, Line, OptionalText, Slug
from pydantic import BaseModel, ConfigDict, Field

from agency.offerings import domain as offerings
from agency.offerings import terms
from agency.offerings.domain import Offering
from agency.providers import domain as providers
from agency.providers import official
from agency.providers.domain import Provider

MAX_ROWS = 5000  # what 4 MB hold when every line is short
Outcome = Literal["created", "updated", "unchanged", "rejected"]
_FORM = ConfigDict(extra="forbid", allow_inf_nan=False, frozen=True)


class RecognitionPart(Recognition):
    """A recognition of a line's agency."""

    model_config = _FORM


class ProviderPart(BaseModel):
    """The agency of a line.

    Shape: `note` stands in for a missing profile; without `recognitions` those entered before stay.
    """

    model_config = _FORM
    external_ref: offerings.Ref | None = None
    name: Line
    credit_code: Line
    division: DivisionCode
    categories: Annotated[tuple[Slug, ...], Field(max_length=30)] = ()
    qualifications: Annotated[tuple[Qualification, ...], Field(max_length=50)] = ()
    recognitions: Annotated[tuple[RecognitionPart, ...], Field(max_length=20)] | None = None
    profile: OptionalText = ""
    note: OptionalText = ""
    example: bool = False

    def draft(self) -> providers.Draft:
        named = self.model_dump(exclude={"external_ref", "note", "recognitions"})
        return providers.Draft.model_validate(named | {"profile": self.profile or self.note})


class PricePart(Price):
    """The price of a line."""

    model_config = _FORM


class FinancePart(FinanceTerms):
    """The finance terms of a line."""

    model_config = _FORM


class PropertyPart(IntellectualProperty):
    """A right in the achievement of a line."""

    model_config = _FORM


class AchievementPart(Achievement):
    """The achievement of a line."""

    model_config = _FORM
    intellectual_property: Annotated[tuple[PropertyPart, ...], Field(max_length=20)] = ()  # pyright: ignore[reportIncompatibleVariableOverride]


class OfferingPart(BaseModel):
    """The offering of a line; without a division it is its provider's."""

    model_config = _FORM
    external_ref: offerings.Ref
    kind: OfferingKind = "service"
    title: Line
    summary: OptionalText = ""
    category: Slug
    division: DivisionCode | None = None
    service_area: offerings.Areas = ()
    price: PricePart = PricePart()
    lead_days: offerings.LeadDays | None = None
    size_classes: terms.SizeClasses = ()
    qualifications: terms.Qualifications = ()
    capacity: terms.Capacity | None = None
    finance: FinancePart | None = None
    achievement: AchievementPart | None = None
    attributes: Attributes = {}
    example: bool = False

    def draft(self) -> offerings.Draft:
        return offerings.Draft.model_validate(self.model_dump(exclude={"external_ref"}))


class Row(BaseModel):
    """A line as it is sent."""

    model_config = _FORM
    provider: ProviderPart
    offering: OfferingPart


@dataclass
class Batch:
    """What is known before the first line, and what the lines so far have made of it.

    Shape: `epoch` is the node's, of which what is made anew must be: its ids come from what the lines say.
    """

    node: str
    owner: str
    at: datetime
    epoch: int
    providers: dict[str, Provider]
    offerings: dict[UUID, Offering]
    new_providers: dict[str, Provider] = field(default_factory=dict)
    changed_providers: dict[str, Provider] = field(default_factory=dict)
    new_offerings: list[Offering] = field(default_factory=list)
    changed_offerings: list[Offering] = field(default_factory=list)
    provider_facts: dict[str, Fact] = field(default_factory=dict)
    offering_facts: list[Fact] = field(default_factory=list)
    seen: set[UUID] = field(default_factory=set)

    @property
    def facts(self) -> list[Fact]:
        """Providers first: a reader of the feed never meets an offering before its provider."""
        return [*self.provider_facts.values(), *self.offering_facts]


def offering_id(node: str, row: Row) -> UUID:
    code = official.credit_code.normalise(row.provider.credit_code)
    return ids.derived("offering", node, code, row.offering.external_ref)


def provider_code(row: Row) -> str:
    return official.credit_code.normalise(row.provider.credit_code)


def apply(batch: Batch, row: Row) -> Outcome:
    """Make one line's provider and offering what the line says. Nothing is kept of a line that is refused.

    Raises: Invalid, Conflict naming what is wrong with it.
    """
    id = offering_id(batch.node, row)
    if id in batch.seen:
        raise Invalid(
            "duplicate-in-file",
            zh="同一机构的 external_ref 在文件中重复；请只保留一行",
            en="this external_ref of the provider came earlier in the file; keep one line",
            field="offering.external_ref",
        )
    code = provider_code(row)
    provider, provider_fact = _provider(batch, code, row)
    held = batch.offerings.get(id)
    draft = row.offering.draft()
    try:
        if held is None:
            submitted, _ = offerings.submit(
                draft,
                provider,
                id=id,
                at=batch.at,
                external_ref=row.offering.external_ref,
                epoch=batch.epoch,
            )
            offering, offering_fact = offerings.published_at_once(submitted)
        elif (rewritten := offerings.rewrite(held, draft, provider, at=batch.at)) is not None:
            offering, offering_fact = rewritten
        else:
            offering, offering_fact = held, None
    except Invalid as error:
        raise _within("offering", error) from None
    batch.seen.add(id)
    if provider_fact is not None:
        batch.provider_facts[code] = provider_fact
        stored = code in batch.providers and code not in batch.new_providers
        (batch.changed_providers if stored else batch.new_providers)[code] = provider
        batch.providers[code] = provider
    if offering_fact is None:
        return "unchanged"
    (batch.new_offerings if held is None else batch.changed_offerings).append(offering)
    batch.offering_facts.append(offering_fact)
    return "created" if held is None else "updated"


def _provider(batch: Batch, code: str, row: Row) -> tuple[Provider, Fact | None]:
    held = batch.providers.get(code)
    if held is not None:
        if held.owner_subject != batch.owner:
            raise Conflict(
                "not-owner",
                zh="该机构由其自行登记，导入不能修改；请由机构本人维护其服务",
                en="this provider registered itself and is not an import's to change; it keeps its own offerings",
                field="provider.credit_code",
            )
        providers.accepts_work(held)
    try:
        if held is None:
            made, fact = providers.register(
                row.provider.draft(),
                id=ids.derived("provider", batch.node, code),
                owner=batch.owner,
                at=batch.at,
                state="active",
                recognitions=row.provider.recognitions or (),
                epoch=batch.epoch,
            )
            return made, fact
        if code in batch.provider_facts:
            return held, None  # the first line of a file that names a provider describes it
        rewritten = providers.rewrite(
            held, row.provider.draft(), at=batch.at, recognitions=row.provider.recognitions
        )
        return rewritten or (held, None)
    except Invalid as error:
        raise _within("provider", error) from None


def _within(part: str, error: Invalid) -> Invalid:
    return Invalid(error.code, zh=error.zh, en=error.en, field=f"{part}.{error.field}")
