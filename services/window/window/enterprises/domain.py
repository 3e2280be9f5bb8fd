"""An enterprise (企业) at home in this window, with its size class and the reason for it."""

from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal
from typing import Annotated, Any
from uuid import UUID

from common.contracts.demands import SizeClass
from common.contracts.envelope import Contract, State
from common.errors import Conflict, Invalid
from common.fields import Cents, Count, DivisionCode, Email, IndustryCode, Line, Phone
from common.node import Topology
from pydantic import StringConstraints
from reference import credit_code, divisions, industries, size_standard

CENTS_PER_10K_CNY = 1_000_000
Code = Annotated[str, StringConstraints(min_length=1, max_length=40)]


class Profile(Contract):
    """What an enterprise says of itself. The contact never leaves this window."""

    name: Line
    credit_code: Code
    division: DivisionCode
    industry: IndustryCode
    employees: Count | None = None
    revenue_cents: Cents | None = None
    total_assets_cents: Cents | None = None
    contact_name: Line | None = None
    contact_phone: Phone | None = None
    contact_email: Email | None = None
    example: bool = False


class Enterprise(Profile, State):
    """An enterprise, owned by the account that registered it."""

    owner_subject: str
    size_class: SizeClass
    size_reason_zh: str
    size_reason_en: str
    size_standard: str
    registered_at: datetime
    changed_at: datetime


def register(
    profile: Profile, *, id: UUID, owner: str, staff: bool, window: str, network: Topology, at: datetime
) -> Enterprise:
    """Raises: Invalid naming the field that is wrong."""
    if profile.example and not staff:
        raise Invalid(
            "example-staff-only",
            zh="只有本窗口工作人员可以登记示例企业；请去掉 example",
            en="only staff of this window register example enterprises; leave out example",
            field="example",
        )
    said = profile.model_dump() | {"credit_code": checked_code(profile.credit_code)}
    check_place(profile.division, window, network)
    return Enterprise(
        **said, **sized(profile), id=id, version=1, owner_subject=owner, registered_at=at, changed_at=at
    )


def change(
    enterprise: Enterprise, changes: Mapping[str, Any], *, window: str, network: Topology, at: datetime
) -> Enterprise:
    """The enterprise with other figures, its size class computed anew.

    Raises: Invalid naming the field that is wrong.
    """
    new = enterprise.model_copy(update={**changes, "version": enterprise.version + 1, "changed_at": at})
    check_place(new.division, window, network)
    return new.model_copy(update=sized(new))


def checked_code(code: str) -> str:
    """The credit code as it is stored.

    Raises: Invalid when it cannot be right.
    """
    try:
        credit_code.check(code)
    except credit_code.BadCreditCode as error:
        zh = {
            "length": "统一社会信用代码应为 18 位；请核对营业执照",
            "alphabet": "统一社会信用代码只含数字和大写字母（不含 I、O、S、V、Z）；请核对营业执照",
            "check_digit": "统一社会信用代码校验位不符；请核对营业执照",
        }[error.kind]
        en = {
            "length": "a unified social credit code has 18 characters; check the business licence",
            "alphabet": "a unified social credit code holds digits and capitals without I, O, S, V, Z only; "
            "check the business licence",
            "check_digit": "the check digit of the unified social credit code does not fit; "
            "check the business licence",
        }[error.kind]
        code_ = f"credit-code-{error.kind.replace('_', '-')}"
        raise Invalid(code_, zh=zh, en=en, field="credit_code") from None
    return credit_code.normalise(code)


def check_division(code: str) -> None:
    """Raises: Invalid when the place is not in the region's list."""
    try:
        divisions.get(code)
    except divisions.UnknownDivision:
        raise Invalid(
            "division-unknown",
            zh="内蒙古自治区没有这个行政区划代码；请查 GB/T 2260 六位代码",
            en="no such division in Inner Mongolia; look up the six-digit GB/T 2260 code",
            field="division",
        ) from None


def check_industry(code: str) -> None:
    """Raises: Invalid when the industry is not in GB/T 4754-2017."""
    try:
        industries.get(code)
    except industries.UnknownIndustry:
        raise Invalid(
            "industry-unknown",
            zh="GB/T 4754-2017 没有这个行业代码；请查行业分类",
            en="no such industry in GB/T 4754-2017; look the code up",
            field="industry",
        ) from None


def check_place(division: str, window: str, network: Topology) -> None:
    """An enterprise registers at the window of its place: the longest code prefix decides.

    Raises: Invalid naming the right window.
    """
    check_division(division)
    home = network.window_for(division)
    if home is None:
        raise Invalid(
            "division-too-coarse",
            zh="请填写到盟市或旗县的行政区划代码",
            en="give the division of a league, city, banner or county",
            field="division",
        )
    if home.id != window:
        raise Invalid(
            "division-of-another-window",
            zh=f"该地区由{home.zh}（{home.id}）受理；请在那里登记",
            en=f"this place belongs to the {home.en} ({home.id}); register there",
            field="division",
        )


def sized(profile: Profile) -> dict[str, Any]:
    """The size class by the official standard, with its reason.

    Raises: Invalid when the industry is unknown.
    """
    check_industry(profile.industry)
    found = size_standard.classify(
        profile.industry,
        profile.employees,
        _in_10k(profile.revenue_cents),
        _in_10k(profile.total_assets_cents),
    )
    return {
        "size_class": found.size,
        "size_reason_zh": found.reason_zh,
        "size_reason_en": found.reason_en,
        "size_standard": found.standard,
    }


def _in_10k(cents: int | None) -> Decimal | None:
    return None if cents is None else Decimal(cents) / CENTS_PER_10K_CNY


def known(same_owner_id: UUID | None) -> Conflict:
    """The refusal of a credit code that is registered already; only its owner is told which record it is."""
    mine = f"，编号 {same_owner_id}" if same_owner_id else ""
    hint = f" as {same_owner_id}" if same_owner_id else ""
    todo = ("请直接使用", "use it") if same_owner_id else ("请联系本窗口核实归属", "ask this window about it")
    return Conflict(
        "enterprise-known",
        zh=f"该统一社会信用代码已在本窗口登记{mine}；{todo[0]}",
        en=f"this credit code is registered at this window already{hint}; {todo[1]}",
        field="credit_code",
    )


def masked(enterprise: Enterprise) -> Enterprise:
    """The enterprise with its contact made unreadable, for those who need the figures only."""
    name, phone, email = enterprise.contact_name, enterprise.contact_phone, enterprise.contact_email
    return enterprise.model_copy(
        update={
            "contact_name": name and name[0] + "*" * min(len(name) - 1, 3),
            "contact_phone": phone and "*" * 7 + phone[-2:],
            "contact_email": email and email[0] + "***@" + email.rpartition("@")[2],
        }
    )
