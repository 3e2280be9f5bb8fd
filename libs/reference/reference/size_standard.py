"""Enterprise size (划型标准): large, medium, small or micro by industry, employees, revenue and assets."""

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Literal

from reference import industries
from reference.packaged import document

Size = Literal["large", "medium", "small", "micro", "not_applicable", "incomplete"]
TIERS: tuple[Literal["large", "medium", "small"], ...] = ("large", "medium", "small")
EDITION = "2011/2017"
SIZES = {
    "large": ("大型", "large"),
    "medium": ("中型", "medium"),
    "small": ("小型", "small"),
    "micro": ("微型", "micro"),
}
INDICATORS = {
    "employees": ("从业人员", "人", "employees", ""),
    "revenue": ("营业收入", "万元", "business revenue", " x 10,000 yuan"),
    "total_assets": ("资产总额", "万元", "total assets", " x 10,000 yuan"),
}


class UnknownStandard(ValueError):
    """That edition is not held."""


@dataclass(frozen=True)
class SizeClass:
    """A size and the sentence that says why. `group` is the industry group of the standard, if one applies."""

    size: Size
    group: str | None
    reason_zh: str
    reason_en: str
    standard: str


def editions() -> tuple[str, ...]:
    return tuple(entry["edition"] for entry in document("size_standard.json")["editions"])


def _standard(edition: str) -> dict[str, Any]:
    for entry in document("size_standard.json")["editions"]:
        if entry["edition"] == edition:
            return entry
    raise UnknownStandard(f"no size standard {edition!r}; held: {', '.join(editions())}")


def _group(standard: dict[str, Any], code: str) -> dict[str, Any] | Literal["not_applicable", "too_coarse"]:
    edition = standard["industry_edition"]
    entry = industries.get(code, edition)
    path = {entry.code, *(above.code for above in industries.ancestors(code, edition))}
    for group in standard["groups"]:
        if path & set(group["include_prefixes"]) and not path & set(group["exclude_prefixes"]):
            return group
    narrower = (prefix for group in standard["groups"] for prefix in group["include_prefixes"])
    if any(industries.is_within(prefix, entry.code, edition) for prefix in narrower):
        return "too_coarse"
    return "not_applicable"


def classify(
    industry_code: str,
    employees: int | None,
    revenue_10k_cny: Decimal | None,
    total_assets_10k_cny: Decimal | None,
    edition: str = EDITION,
) -> SizeClass:
    """Classify an enterprise: a tier needs all its lower bounds, and failing one drops a tier.

    Units: revenue and total assets in 10,000 yuan.
    Raises: UnknownIndustry, UnknownStandard.
    """
    standard = _standard(edition)
    group = _group(standard, industry_code)
    name = industries.get(industry_code, standard["industry_edition"]).zh
    by_zh, by_en = standard["name_zh"], standard["name_en"]
    if group == "not_applicable":
        zh = f"行业“{name}”（{industry_code}）不在{by_zh}的适用范围内，不划型。"
        en = f"Industry {industry_code} is outside the {by_en}; no size is given."
        return SizeClass("not_applicable", None, zh, en, edition)
    if group == "too_coarse":
        zh = f"行业代码“{name}”（{industry_code}）过粗，包含适用不同标准的行业，请填写更细的行业代码。"
        en = f"Industry {industry_code} spans several groups of the {by_en}; give a narrower industry code."
        return SizeClass("incomplete", None, zh, en, edition)
    given = {"employees": employees, "revenue": revenue_10k_cny, "total_assets": total_assets_10k_cny}
    values = {indicator: given[indicator] for indicator in group["indicators"]}
    missing = [indicator for indicator, value in values.items() if value is None]
    if missing:
        zh = f"按{by_zh}，{group['zh']}划型还需要{'、'.join(INDICATORS[i][0] for i in missing)}，请补充后再划型。"
        needed = " and ".join(INDICATORS[i][2] for i in missing)
        en = f"Under the {by_en}, {group['en'].lower()} also needs {needed}."
        return SizeClass("incomplete", group["id"], zh, en, edition)
    known = {indicator: Decimal(value) for indicator, value in values.items() if value is not None}
    size, why_zh, why_en = _tier(group["indicators"], known)
    zh = f"按{by_zh}，{group['zh']}：{why_zh}，划为{SIZES[size][0]}企业。"
    en = f"Under the {by_en}, {group['en'].lower()}: {why_en}, so it is {SIZES[size][1]}."
    return SizeClass(size, group["id"], zh, en, edition)


def _tier(
    bounds: Mapping[str, Mapping[str, int]], values: Mapping[str, Decimal]
) -> tuple[Literal["large", "medium", "small", "micro"], str, str]:
    """Return the size with the comparison that decided it, in both languages."""
    short: tuple[str, str, int] | None = None
    for tier in TIERS:
        below = [indicator for indicator in bounds if values[indicator] < bounds[indicator][tier]]
        if not below:
            met_zh, met_en = _met(bounds, values, tier)
            if short is None:
                return tier, met_zh, met_en
            missed_zh, missed_en = _missed(short, values)
            return tier, f"{missed_zh}，{met_zh}", f"{missed_en}, {met_en}"
        short = (below[0], tier, bounds[below[0]][tier])
    assert short is not None
    return "micro", *_missed(short, values)


def _missed(short: tuple[str, str, int], values: Mapping[str, Decimal]) -> tuple[str, str]:
    indicator, tier, bound = short
    zh, unit_zh, en, unit_en = INDICATORS[indicator]
    value = _plain(values[indicator])
    return (
        f"{zh}{value}{unit_zh}低于{SIZES[tier][0]}下限{bound}{unit_zh}",
        f"{en} {value}{unit_en} is below the {tier} bound {bound}{unit_en}",
    )


def _met(
    bounds: Mapping[str, Mapping[str, int]], values: Mapping[str, Decimal], tier: str
) -> tuple[str, str]:
    parts_zh: list[str] = []
    parts_en: list[str] = []
    for indicator, by_tier in bounds.items():
        zh, unit_zh, en, unit_en = INDICATORS[indicator]
        value, bound = _plain(values[indicator]), by_tier[tier]
        parts_zh.append(f"{zh}{value}{unit_zh}达到{SIZES[tier][0]}下限{bound}{unit_zh}")
        parts_en.append(f"{en} {value}{unit_en} reaches the {tier} bound {bound}{unit_en}")
    return "且".join(parts_zh), " and ".join(parts_en)


def _plain(value: Decimal) -> str:
    return f"{value.normalize():f}"
