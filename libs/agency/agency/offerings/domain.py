"""An offering (服务产品): submitted, reviewed, published, paused, retired. Every edit is a new version."""

import json
from datetime import datetime
from typing import Annotated, Any, Literal
from uuid import UUID

from common.contracts import offerings as contract
from common.contracts.envelope import Contract
from common.contracts.finance import FinanceTerms
from common.contracts.offerings import (
    OfferingChanged,
    OfferingKind,
    OfferingPaused,
    OfferingPublished,
    OfferingRetired,
    OfferingReturned,
    OfferingState,
    OfferingSubmitted,
    Price,
)
from common.contracts.technology import Achievement
from common.errors import Conflict, Invalid, wrong_state
from common.fields import AreaPrefix, Attributes, DivisionCode, Line, Moment, OptionalText, Slug
from pydantic import Field, StringConstraints

from agency.offerings import terms
from agency.offerings.terms import Capacity, Qualifications, SizeClasses
from agency.providers import official
from agency.providers.domain import Provider, accepts_work, reason_needed

Review = Literal["publish", "return"]
# Somebody else's number for it, printed on their side; kept so that a second import finds it.
Ref = Annotated[Line, StringConstraints(max_length=120)]
Areas = Annotated[tuple[AreaPrefix, ...], Field(max_length=130)]
LeadDays = Annotated[int, Field(ge=0, le=3650)]
# With a full summary beside them an offering still fits into one message of 256 KB.
MAX_ATTRIBUTES_BYTES = 65_536
NAMES_ZH: dict[OfferingState, str] = {
    "draft": "草稿", "in_review": "审核中", "returned": "已退回", "published": "已发布", "paused": "已暂停",
    "full": "已约满", "retired": "已下架",
}  # fmt: skip
# What an explicit null makes of a field; of any other it changes nothing.
REMOVED: dict[str, Any] = {
    "lead_days": None, "size_classes": (), "qualifications": (), "capacity": None, "finance": None,
    "achievement": None,
}  # fmt: skip


class Draft(Contract):
    """What is offered. Without a division it is the provider's; an empty service area is the whole region."""

    kind: OfferingKind = "service"
    title: Line
    summary: OptionalText = ""
    category: Slug
    division: DivisionCode | None = None
    service_area: Areas = ()
    price: Price = Price()
    lead_days: LeadDays | None = None
    size_classes: SizeClasses = ()
    qualifications: Qualifications = ()
    capacity: Capacity | None = None
    finance: FinanceTerms | None = None
    achievement: Achievement | None = None
    attributes: Attributes = {}
    example: bool = False


class Changes(Contract):
    """What may be edited later; what is not given stays. An explicit null removes what is in `REMOVED`."""

    title: Line | None = None
    summary: OptionalText | None = None
    category: Slug | None = None
    division: DivisionCode | None = None
    service_area: Areas | None = None
    price: Price | None = None
    lead_days: LeadDays | None = None
    size_classes: SizeClasses | None = None
    qualifications: Qualifications | None = None
    capacity: Capacity | None = None
    finance: FinanceTerms | None = None
    achievement: Achievement | None = None
    attributes: Attributes | None = None


class Offering(contract.Offering):
    """An offering with what never leaves: its owner, and the record it mirrors, if any."""

    owner_subject: str
    external_ref: str | None = None
    source_id: UUID | None = None
    submitted_at: Moment
    changed_at: Moment


def submit(
    draft: Draft,
    provider: Provider,
    *,
    id: UUID,
    at: datetime,
    external_ref: str | None = None,
    source_id: UUID | None = None,
    epoch: int = 1,
) -> tuple[Offering, OfferingSubmitted]:
    """Shape: what is taken over from elsewhere may be older than the form of an achievement; `epoch` is said
    where the id may have been another's, lost in a restore.

    Raises: Invalid; Conflict when the provider is gone.
    """
    if provider.state in ("rejected", "retired"):
        raise Conflict(
            "provider-gone",
            zh="该服务机构未通过核验或已注销，不能再提交服务；请以有效机构提交",
            en="the provider was rejected or is retired; submit for one that is not",
            field="provider_id",
        )
    taken_over = external_ref is not None or source_id is not None
    if draft.kind == "technology_achievement" and draft.achievement is None and not taken_over:
        raise terms.achievement_needed()
    offering = Offering.model_validate(
        content(draft, provider)
        | {
            "id": id, "epoch": epoch, "version": 1, "state": "in_review", "external_ref": external_ref, "source_id": source_id,
            "submitted_at": at, "changed_at": at,
        }
    )  # fmt: skip
    return offering, OfferingSubmitted.of(offering)


def content(draft: Draft, provider: Provider) -> dict[str, Any]:
    """The draft with what it takes from its provider, checked.

    Raises: Invalid naming the field.
    """
    division = draft.division or provider.division
    _check(division, draft.category, draft.price, draft.attributes)
    terms.held(draft.qualifications, provider)
    terms.check_finance(draft.finance, draft.kind)
    terms.check_achievement(draft.achievement, draft.kind)
    return draft.model_dump() | {
        "division": division,
        "service_area": official.area(draft.service_area, "service_area"),
        "size_classes": _once(draft.size_classes),
        "qualifications": _once(draft.qualifications),
        "example": draft.example or provider.example,
        "provider_id": provider.id,
        "provider_name": provider.name,
        "owner_subject": provider.owner_subject,
    }


def published_at_once(offering: Offering) -> tuple[Offering, OfferingPublished]:
    """A new one whose review took place elsewhere."""
    offering = offering.model_copy(update={"state": "published"})
    return offering, OfferingPublished.of(offering)


def change(
    offering: Offering, changes: Changes, provider: Provider, *, at: datetime
) -> tuple[Offering, OfferingChanged | OfferingSubmitted]:
    """Edit it; one that was returned is in review again by that.

    Raises: Invalid, Conflict when it is retired.
    """
    if offering.state == "retired":
        raise _wrong(offering, "修改", "changed")
    given = {
        name: REMOVED[name] if (value := getattr(changes, name)) is None else value
        for name in changes.model_fields_set
        if getattr(changes, name) is not None or name in REMOVED
    }
    if changes.service_area is not None:
        given["service_area"] = official.area(changes.service_area, "service_area")
    for name in given.keys() & {"size_classes", "qualifications"}:
        given[name] = _once(given[name])
    # What was fine when it was said is checked again only when it is said again.
    terms.held(given.get("qualifications", ()), provider)
    terms.check_finance(changes.finance, offering.kind)
    terms.check_achievement(changes.achievement, offering.kind)
    if offering.kind == "technology_achievement" and given.get("achievement", ...) is None:
        raise terms.achievement_needed()
    merged = _next(offering, at, **given)
    _check(merged.division, merged.category, merged.price, merged.attributes)
    if offering.state == "returned":
        merged = merged.model_copy(update={"state": "in_review", "state_reason": None})
        return merged, OfferingSubmitted.of(merged)
    return merged, OfferingChanged.of(merged)


def review(
    offering: Offering, provider: Provider, decision: Review, reason: str | None, *, at: datetime
) -> tuple[Offering, OfferingPublished | OfferingReturned]:
    """Raises: Invalid when a return gives no reason; Conflict when not in review, or the provider not active."""
    if offering.state != "in_review":
        raise _wrong(offering, "审核", "reviewed")
    if decision == "return":
        if reason is None:
            raise reason_needed()
        returned = _next(offering, at, state="returned", state_reason=reason)
        return returned, OfferingReturned.of(returned)
    accepts_work(provider)
    published = _next(offering, at, state="published", state_reason=None, provider_name=provider.name)
    return published, OfferingPublished.of(published)


def pause(offering: Offering, reason: str | None, *, at: datetime) -> tuple[Offering, OfferingPaused]:
    """Raises: Conflict unless published."""
    if offering.state not in ("published", "full"):
        raise _wrong(offering, "暂停", "paused")
    paused = _next(offering, at, state="paused", state_reason=reason)
    return paused, OfferingPaused.of(paused)


def resume(offering: Offering, provider: Provider, *, at: datetime) -> tuple[Offering, OfferingPublished]:
    """Raises: Conflict unless paused and the provider active."""
    if offering.state != "paused":
        raise _wrong(offering, "恢复", "resumed")
    accepts_work(provider)
    resumed = _next(offering, at, state="published", state_reason=None)
    return resumed, OfferingPublished.of(resumed)


def retire(offering: Offering, reason: str | None, *, at: datetime) -> tuple[Offering, OfferingRetired]:
    """Raises: Conflict when it is retired already."""
    if offering.state == "retired":
        raise _wrong(offering, "下架", "retired")
    retired = _next(offering, at, state="retired", state_reason=reason)
    return retired, OfferingRetired.of(retired)


def rewrite(
    offering: Offering, draft: Draft, provider: Provider, *, at: datetime
) -> tuple[Offering, OfferingChanged] | None:
    """What a new edition of its source makes of it; None when nothing differs.

    Raises: Invalid, Conflict when it is retired: a tombstone is never resurrected.
    """
    if offering.state == "retired":
        raise _wrong(offering, "更新", "updated")
    wanted = content(draft, provider)
    if offering.model_dump(include=set(wanted)) == wanted:
        return None
    changed = Offering.model_validate(
        offering.model_dump() | wanted | {"version": offering.version + 1, "changed_at": at}
    )
    return changed, OfferingChanged.of(changed)


def edited_here(offering: Offering) -> None:
    """Raises: Conflict when it only mirrors another record, which is to be edited instead."""
    if offering.source_id is not None:
        raise Conflict(
            "offering-mirrored",
            zh="该服务由共享资源生成；请在相应的共享资源上操作",
            en="this offering mirrors a shared resource; act on that resource instead",
        )


def _check(division: str, category: str, price: Price, attributes: dict[str, Any]) -> None:
    official.division(division, "division")
    official.category(category, "category")
    low, high = price.from_cents, price.to_cents
    if low is not None and high is not None and low > high:
        raise Invalid(
            "price-range",
            zh="价格下限高于上限；请核对两端",
            en="the price range ends below its start; check both ends",
            field="price.to_cents",
        )
    if len(json.dumps(attributes, ensure_ascii=False).encode()) > MAX_ATTRIBUTES_BYTES:
        raise Invalid(
            "attributes-too-large",
            zh="attributes 超过 64 KB；请精简，详细内容写入附件或链接",
            en="attributes hold more than 64 KB; shorten them and link to the rest",
            field="attributes",
        )


def _once(names: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(names))


def _next(offering: Offering, at: datetime, **update: object) -> Offering:
    return offering.model_copy(update={"version": offering.version + 1, "changed_at": at, **update})


def _wrong(offering: Offering, zh: str, en: str) -> Conflict:
    return wrong_state("offering", offering.state, "服务", NAMES_ZH[offering.state], zh=zh, en=en)
