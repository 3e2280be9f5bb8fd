"""A service agency (服务机构) at its platform: registered, verified, suspended, restored, retired."""

from datetime import datetime
from typing import Annotated, Literal
from uuid import UUID

from common.contracts import providers as contract
from common.contracts.envelope import Contract
from common.contracts.providers import (
    ProviderChanged,
    ProviderRegistered,
    ProviderRestored,
    ProviderRetired,
    ProviderState,
    ProviderSuspended,
    ProviderVerified,
    Qualification,
    Recognition,
)
from common.errors import Conflict, Invalid
from common.fields import DivisionCode, Email, Line, Moment, OptionalText, Phone, Slug
from pydantic import Field

from agency.providers import official

Recognitions = Annotated[tuple[Recognition, ...], Field(max_length=20)]
Decision = Literal["approve", "return", "reject"]
VERDICTS: dict[Decision, ProviderState] = {"approve": "active", "return": "returned", "reject": "rejected"}
# A code is free again once its record was refused or given up.
GONE: tuple[ProviderState, ...] = ("rejected", "retired")
NAMES_ZH: dict[ProviderState, str] = {
    "draft": "草稿", "submitted": "已提交", "verifying": "核验中", "active": "正常", "returned": "已退回",
    "rejected": "未通过", "suspended": "已暂停", "retired": "已注销",
}  # fmt: skip


class Draft(Contract):
    """What an agency says of itself."""

    name: Line
    credit_code: Line
    division: DivisionCode
    categories: Annotated[tuple[Slug, ...], Field(max_length=30)] = ()
    qualifications: Annotated[tuple[Qualification, ...], Field(max_length=50)] = ()
    profile: OptionalText = ""
    example: bool = False


class Registration(Draft):
    """The same with the person to speak to, who is known to this platform alone."""

    contact_name: Line
    contact_phone: Phone
    contact_email: Email


class Changes(Contract):
    """What may be edited later; what is not given stays."""

    name: Line | None = None
    division: DivisionCode | None = None
    categories: Annotated[tuple[Slug, ...], Field(max_length=30)] | None = None
    qualifications: Annotated[tuple[Qualification, ...], Field(max_length=50)] | None = None
    profile: OptionalText | None = None
    contact_name: Line | None = None
    contact_phone: Phone | None = None
    contact_email: Email | None = None


class Provider(contract.Provider):
    """An agency with what never leaves its platform."""

    owner_subject: str
    contact_name: str | None
    contact_phone: str | None
    contact_email: str | None
    suspended_until: Moment | None
    registered_at: Moment
    changed_at: Moment


def register(
    draft: Draft,
    *,
    id: UUID,
    owner: str,
    at: datetime,
    state: ProviderState = "submitted",
    recognitions: Recognitions = (),
    epoch: int = 1,
) -> tuple[Provider, ProviderRegistered]:
    """Shape: `recognitions` are what staff vouch for; `epoch` is said where the id may have been another's, lost
    in a restore.

    Raises: Invalid for a wrong credit code, division or category.
    """
    code = official.credit(draft.credit_code, "credit_code")
    _check(draft.division, draft.categories)
    provider = Provider.model_validate(
        {"contact_name": None, "contact_phone": None, "contact_email": None}
        | draft.model_dump()
        | {
            "credit_code": code, "id": id, "epoch": epoch, "version": 1, "state": state, "owner_subject": owner, "suspended_until": None,
            "registered_at": at, "changed_at": at, "recognitions": recognitions,
        }
    )  # fmt: skip
    return provider, ProviderRegistered.of(provider)


def change(provider: Provider, changes: Changes, *, at: datetime) -> tuple[Provider, ProviderChanged]:
    """Edit it. One that was returned is submitted again by that.

    Raises: Invalid, Conflict when it is gone or its verified name would change.
    """
    _expect(provider, "submitted", "verifying", "active", "returned", "suspended", verb="修改", en="changed")
    given = {
        name: value
        for name in changes.model_fields_set
        if (value := getattr(changes, name)) is not None or name.startswith("contact_")
    }
    if given.get("name", provider.name) != provider.name and provider.state in ("active", "suspended"):
        raise Conflict(
            "name-verified",
            zh="名称已经核验，不能直接修改；请注销后以新名称重新登记",
            en="the name has been verified and cannot be edited; retire the provider and register the new name",
            field="name",
        )
    state: ProviderState = "submitted" if provider.state == "returned" else provider.state
    reason = None if provider.state == "returned" else provider.state_reason
    _check(changes.division, changes.categories)
    changed = _next(provider, at, state=state, state_reason=reason, **given)
    return changed, ProviderChanged.of(changed)


def recognise(
    provider: Provider, recognitions: Recognitions, *, at: datetime
) -> tuple[Provider, ProviderChanged] | None:
    """These are its recognitions from now on; None when they were before.

    Raises: Conflict when it is gone.
    """
    _expect(
        provider, "submitted", "verifying", "active", "returned", "suspended", verb="认定", en="recognised"
    )
    wanted = tuple(Recognition.model_validate(one.model_dump()) for one in recognitions)
    if wanted == provider.recognitions:
        return None
    recognised = _next(provider, at, recognitions=wanted)
    return recognised, ProviderChanged.of(recognised)


def verify(
    provider: Provider, decision: Decision, reason: str | None, *, at: datetime
) -> tuple[Provider, ProviderVerified]:
    """Raises: Invalid when a refusal gives no reason, Conflict when nothing is to be decided."""
    _expect(provider, "submitted", "verifying", verb="核验", en="verified")
    if decision != "approve" and reason is None:
        raise reason_needed()
    verified = _next(provider, at, state=VERDICTS[decision], state_reason=reason)
    return verified, ProviderVerified.of(verified)


def suspend(
    provider: Provider, reason: str, until: datetime | None, *, at: datetime
) -> tuple[Provider, ProviderSuspended]:
    """Raises: Invalid for an end in the past, Conflict unless active."""
    _expect(provider, "active", verb="暂停", en="suspended")
    if until is not None and until <= at:
        raise Invalid(
            "until-in-past",
            zh="暂停截止时间须晚于现在；请重新填写，或留空表示另行通知",
            en="the suspension must end in the future; correct it, or leave it out for an open end",
            field="until",
        )
    suspended = _next(provider, at, state="suspended", state_reason=reason, suspended_until=until)
    return suspended, ProviderSuspended.of(suspended)


def restore(provider: Provider, *, at: datetime) -> tuple[Provider, ProviderRestored]:
    """Raises: Conflict unless suspended."""
    _expect(provider, "suspended", verb="恢复", en="restored")
    restored = _next(provider, at, state="active", state_reason=None, suspended_until=None)
    return restored, ProviderRestored.of(restored)


def retire(provider: Provider, reason: str | None, *, at: datetime) -> tuple[Provider, ProviderRetired]:
    """Raises: Conflict when it is gone already."""
    _expect(
        provider,
        "draft",
        "submitted",
        "verifying",
        "active",
        "returned",
        "suspended",
        verb="注销",
        en="retired",
    )
    retired = _next(provider, at, state="retired", state_reason=reason, suspended_until=None)
    return retired, ProviderRetired.of(retired)


def rewrite(
    provider: Provider, draft: Draft, *, at: datetime, recognitions: Recognitions | None = None
) -> tuple[Provider, ProviderChanged] | None:
    """What an import makes of a provider it made before; None when nothing differs.

    Shape: without `recognitions` those that staff entered stay.
    Raises: Invalid.
    """
    _check(draft.division, draft.categories)
    content = draft.model_dump(exclude={"credit_code"})
    if recognitions is not None:
        content["recognitions"] = tuple(recognition.model_dump() for recognition in recognitions)
    current = provider.model_dump(include=set(content))
    if content == current:
        return None
    changed = Provider.model_validate(
        provider.model_dump() | content | {"version": provider.version + 1, "changed_at": at}
    )
    return changed, ProviderChanged.of(changed)


def accepts_work(provider: Provider) -> None:
    """Raises: Conflict unless it is active."""
    if provider.state != "active":
        raise Conflict(
            "provider-not-active",
            zh=f"服务机构当前状态为“{NAMES_ZH[provider.state]}”，不能办理；请先完成核验或申请恢复",
            en=f"the provider is {provider.state}; have it verified or restored first",
        )


def reason_needed() -> Invalid:
    return Invalid(
        "reason-needed",
        zh="退回或不予通过须说明原因；请填写 reason",
        en="sending something back needs a reason; fill in reason",
        field="reason",
    )


def _check(division: str | None, categories: tuple[str, ...] | None) -> None:
    if division is not None:
        official.division(division, "division")
    for position, id in enumerate(categories or ()):
        official.category(id, f"categories.{position}")


def _next(provider: Provider, at: datetime, **update: object) -> Provider:
    return provider.model_copy(update={"version": provider.version + 1, "changed_at": at, **update})


def _expect(provider: Provider, *states: ProviderState, verb: str, en: str) -> None:
    if provider.state not in states:
        raise Conflict(
            "provider-state",
            zh=f"服务机构当前状态为“{NAMES_ZH[provider.state]}”，不能{verb}；请刷新后核对",
            en=f"the provider is {provider.state} and cannot be {en}; read it again",
        )
