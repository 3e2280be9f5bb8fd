"""A shared resource (共享仪器): submitted by its laboratory, reviewed, published, retired."""

from datetime import datetime
from typing import Annotated, Any, Literal
from uuid import UUID

from agency.offerings import domain as offerings
from agency.providers import official
from agency.providers.domain import Email, Phone, Provider, accepts_work, reason_needed
from common.contracts.envelope import Contract, State
from common.contracts.offerings import Price
from common.errors import Conflict, Invalid, wrong_state
from common.fields import Cents, DivisionCode, Line, Moment, OptionalText, Slug
from pydantic import Field, StringConstraints

from cluster.resources.hours import Opening

ResourceState = Literal["in_review", "returned", "published", "retired"]
# Several of these travel in one message, which holds 256 KB at most.
Passage = Annotated[OptionalText, StringConstraints(max_length=4000)]
YearHours = Annotated[int, Field(ge=0, le=8784, strict=True)]
NAMES_ZH: dict[ResourceState, str] = {
    "in_review": "审核中", "returned": "已退回", "published": "已发布", "retired": "已下架",
}  # fmt: skip
# Fields of the form that the catalogue shows; contacts stay here.
SHOWN = (
    "specification_model", "instrument_classification", "original_instrument_value_cents", "owner",
    "manufacturer", "production_country", "supplier", "placement_address", "charges", "device_id",
    "effective_hours_per_year", "external_sharing_hours", "use_status", "operating_status", "technical_index",
    "main_accessories",
)  # fmt: skip


class Form(Contract):
    """The form for sharing an instrument. Without opening hours it is open day and night.

    Source: the field list of a provincial instrument sharing platform.
    """

    equipment_name: Line
    specification_model: Line | None = None
    instrument_classification: Line | None = None
    original_instrument_value_cents: Cents | None = None
    owner: Line | None = None
    manufacturer: Line | None = None
    production_country: Line | None = None
    supplier: Line | None = None
    area: DivisionCode
    placement_address: Line
    charges: Passage = ""
    hourly_occupancy_fee_cents: Cents
    device_id: Line | None = None
    effective_hours_per_year: YearHours | None = None
    external_sharing_hours: YearHours | None = None
    use_status: Line | None = None
    operating_status: Line | None = None
    technical_index: Passage = ""
    functions: Passage = ""
    introduction: Passage = ""
    main_accessories: Passage = ""
    category: Slug = "technology_quality.instrument_sharing"
    opening_hours: Annotated[tuple[Opening, ...], Field(max_length=50)] = ()
    contact_person: Line
    contact_number: Phone
    email: Email
    example: bool = False


class Changes(Contract):
    """What may be edited later; what is not given stays. An explicit null empties what may be empty."""

    equipment_name: Line | None = None
    specification_model: Line | None = None
    instrument_classification: Line | None = None
    original_instrument_value_cents: Cents | None = None
    owner: Line | None = None
    manufacturer: Line | None = None
    production_country: Line | None = None
    supplier: Line | None = None
    area: DivisionCode | None = None
    placement_address: Line | None = None
    charges: Passage | None = None
    hourly_occupancy_fee_cents: Cents | None = None
    device_id: Line | None = None
    effective_hours_per_year: YearHours | None = None
    external_sharing_hours: YearHours | None = None
    use_status: Line | None = None
    operating_status: Line | None = None
    technical_index: Passage | None = None
    functions: Passage | None = None
    introduction: Passage | None = None
    main_accessories: Passage | None = None
    category: Slug | None = None
    opening_hours: Annotated[tuple[Opening, ...], Field(max_length=50)] | None = None
    contact_person: Line | None = None
    contact_number: Phone | None = None
    email: Email | None = None


class Resource(Form, State):
    """A resource of one provider, for one user at a time."""

    provider_id: UUID
    owner_subject: str
    capacity: int = 1
    state: ResourceState
    state_reason: str | None = None
    submitted_at: Moment
    changed_at: Moment


def submit(form: Form, provider: Provider, *, id: UUID, at: datetime) -> Resource:
    """Raises: Conflict unless the provider is active; Invalid."""
    accepts_work(provider)
    _check(form)
    return Resource.model_validate(
        form.model_dump()
        | {
            "id": id, "version": 1, "provider_id": provider.id, "owner_subject": provider.owner_subject,
            "example": form.example or provider.example, "state": "in_review", "submitted_at": at,
            "changed_at": at,
        }
    )  # fmt: skip


def change(resource: Resource, changes: Changes, *, at: datetime) -> Resource:
    """Edit it; one that was returned is in review again by that.

    Raises: Invalid; Conflict when it is retired.
    """
    if resource.state == "retired":
        raise _wrong(resource, "修改", "changed")
    may_be_empty = {name for name, field in Form.model_fields.items() if field.default is None}
    given = {
        name: value
        for name in changes.model_fields_set
        if (value := getattr(changes, name)) is not None or name in may_be_empty
    }
    if resource.state == "returned":
        given |= {"state": "in_review", "state_reason": None}
    changed = _next(resource, at, **given)
    _check(changed)
    return changed


def review(resource: Resource, decision: offerings.Review, reason: str | None, *, at: datetime) -> Resource:
    """Raises: Invalid when a return gives no reason; Conflict when it is not in review."""
    if resource.state != "in_review":
        raise _wrong(resource, "审核", "reviewed")
    if decision == "return" and reason is None:
        raise reason_needed()
    state: ResourceState = "published" if decision == "publish" else "returned"
    return _next(resource, at, state=state, state_reason=reason)


def retire(resource: Resource, reason: str | None, *, at: datetime) -> Resource:
    """Raises: Conflict when it is retired already."""
    if resource.state == "retired":
        raise _wrong(resource, "下架", "retired")
    return _next(resource, at, state="retired", state_reason=reason)


def bookable(resource: Resource, provider: Provider) -> None:
    """Raises: Conflict unless it is published and its laboratory works."""
    if resource.state != "published":
        raise _wrong(resource, "预约", "booked")
    accepts_work(provider)


def offered(resource: Resource) -> offerings.Draft:
    """The resource as the region's catalogue shows it."""
    shown = resource.model_dump(mode="json", include=set(SHOWN))
    attributes: dict[str, Any] = {name: value for name, value in shown.items() if value not in (None, "")}
    attributes["resource_id"] = str(resource.id)
    attributes["opening_hours"] = [opening.model_dump() for opening in resource.opening_hours]
    fee = resource.hourly_occupancy_fee_cents
    return offerings.Draft(
        kind="instrument",
        title=resource.equipment_name,
        summary="\n".join(part for part in (resource.introduction, resource.functions) if part),
        category=resource.category,
        division=resource.area,
        price=Price(from_cents=fee, to_cents=fee, unit="hour"),
        attributes=attributes,
        example=resource.example,
    )


def _check(form: Form) -> None:
    official.division(form.area, "area")
    official.category(form.category, "category")
    shared, effective = form.external_sharing_hours, form.effective_hours_per_year
    if shared is not None and effective is not None and shared > effective:
        raise Invalid(
            "sharing-hours",
            zh="对外共享机时超过年有效机时；请核对",
            en="more hours are shared than the instrument runs in a year; check both",
            field="external_sharing_hours",
        )


def _next(resource: Resource, at: datetime, **update: object) -> Resource:
    return resource.model_copy(update={"version": resource.version + 1, "changed_at": at, **update})


def _wrong(resource: Resource, zh: str, en: str) -> Conflict:
    return wrong_state("resource", resource.state, "资源", NAMES_ZH[resource.state], zh=zh, en=en)
