"""Terms of an offering that are compared with a need: what they may say, and of which kind of offering."""

from typing import Annotated

from common.contracts.demands import SizeClass
from common.contracts.finance import FinanceTerms
from common.contracts.offerings import OfferingKind
from common.contracts.technology import Achievement
from common.errors import Invalid
from common.fields import Line
from pydantic import Field

from agency.providers.domain import Provider

SizeClasses = Annotated[tuple[SizeClass, ...], Field(max_length=6)]
Qualifications = Annotated[tuple[Line, ...], Field(max_length=10)]
Capacity = Annotated[int, Field(ge=0, le=1_000_000, strict=True)]


def held(names: tuple[str, ...], provider: Provider) -> None:
    """Raises: Invalid naming the place of a qualification that the provider does not have."""
    own = [qualification.name for qualification in provider.qualifications]
    for position, name in enumerate(names):
        if name not in own:
            raise Invalid(
                "qualification-not-held",
                zh="该资质不在服务机构登记的资质之中；请填写已登记资质的名称，或先在服务机构处登记",
                en="the provider has no qualification of that name; give the name of one it has, or add it to the provider first",
                field=f"qualifications.{position}",
                qualifications=own,
            )


def check_finance(terms: FinanceTerms | None, kind: OfferingKind) -> None:
    """Raises: Invalid for another kind of offering, and for a range that ends before its start."""
    if terms is None:
        return
    if kind != "finance_product":
        raise Invalid(
            "finance-kind",
            zh="只有金融产品（finance_product）可以填写 finance；请去掉",
            en="only an offering of kind finance_product has finance; leave it out",
            field="finance",
        )
    ranges = {
        "amount_to_cents": (terms.amount_from_cents, terms.amount_to_cents, "额度", "amount"),
        "term_to_months": (terms.term_from_months, terms.term_to_months, "期限", "term"),
    }
    for end, (low, high, zh, en) in ranges.items():
        if low is not None and high is not None and low > high:
            raise Invalid(
                "finance-range",
                zh=f"{zh}下限高于上限；请核对两端",
                en=f"the {en} ends below its start; check both ends",
                field=f"finance.{end}",
            )


def check_achievement(achievement: Achievement | None, kind: OfferingKind) -> None:
    """Raises: Invalid for another kind of offering."""
    if achievement is not None and kind != "technology_achievement":
        raise Invalid(
            "achievement-kind",
            zh="只有科技成果（technology_achievement）可以填写 achievement；请去掉",
            en="only an offering of kind technology_achievement has achievement; leave it out",
            field="achievement",
        )


def achievement_needed() -> Invalid:
    return Invalid(
        "achievement-needed",
        zh="科技成果须填写 achievement（成果持有人、技术成熟度等）；请补充",
        en="a technology achievement needs achievement (its owner, its maturity and so on); fill it in",
        field="achievement",
    )
