from decimal import Decimal
from typing import Any

import pytest
from reference import industries, size_standard
from reference.packaged import document
from reference.size_standard import classify

STANDARD: dict[str, Any] = document("size_standard.json")["editions"][0]
GROUPS = {group["id"]: group for group in STANDARD["groups"]}
TIERS = ("large", "medium", "small")
BELOW = {"large": "medium", "medium": "small", "small": "micro"}


def size_of(group: str, **indicators):
    prefix = GROUPS[group]["include_prefixes"][0]
    values = {key: Decimal(str(value)) for key, value in indicators.items() if key != "employees"}
    return classify(prefix, indicators.get("employees"), values.get("revenue"), values.get("total_assets"))


@pytest.mark.parametrize("vector", STANDARD["test_vectors"], ids=lambda v: f"{v['group']}-{v['expect']}")
def test_published_examples(vector):
    given = {key: vector[key] for key in ("employees", "revenue", "total_assets") if key in vector}
    found = size_of(vector["group"], **given)
    assert (found.size, found.group) == (vector["expect"], vector["group"])


def edges():
    """Each bound of each group: exactly on it keeps the tier, the least below it drops one."""
    for group in GROUPS.values():
        for tier in TIERS:
            on = {key: bounds[tier] for key, bounds in group["indicators"].items()}
            yield pytest.param(group["id"], on, tier, id=f"{group['id']}-{tier}-on")
            for key, bound in on.items():
                under = {**on, key: bound - 1 if key == "employees" else Decimal(bound) - Decimal("0.01")}
                yield pytest.param(group["id"], under, BELOW[tier], id=f"{group['id']}-{tier}-{key}-under")


@pytest.mark.parametrize("group, values, expected", list(edges()))
def test_every_bound(group, values, expected):
    assert size_of(group, **values).size == expected


def test_failing_one_indicator_by_far_drops_as_far_as_it_says():
    assert size_of("industry", employees=5000, revenue=299).size == "micro"


def test_the_reason_names_indicator_bound_and_value():
    found = classify("1442", 86, Decimal("2600"), None)
    assert found.size == "small"
    for part in ("从业人员86人", "低于中型下限300人", "营业收入2600万元", "小型下限300万元", "划为小型企业"):
        assert part in found.reason_zh
    for part in ("employees 86", "medium bound 300", "business revenue 2600", "it is small"):
        assert part in found.reason_en
    assert found.reason_zh.endswith("。") and found.reason_en.endswith(".")
    assert found.standard == "2011/2017"


def test_the_reason_of_micro_names_what_fell_short():
    found = classify("1442", 5000, Decimal("299.50"), None)
    assert "营业收入299.5万元低于小型下限300万元" in found.reason_zh
    assert "从业人员" not in found.reason_zh


@pytest.mark.parametrize(
    "code, given, missing",
    [
        ("1442", (None, Decimal(1), None), "从业人员"),
        ("1442", (1, None, Decimal(5)), "营业收入"),
        ("E", (1, Decimal(1), None), "资产总额"),
        ("7010", (1, None, None), "营业收入、资产总额"),
        ("A", (1, None, None), "营业收入"),
    ],
)
def test_a_missing_indicator_is_named(code, given, missing):
    found = classify(code, *given)
    assert found.size == "incomplete"
    assert missing in found.reason_zh


def test_indicators_that_do_not_count_may_be_missing():
    assert classify("A", None, Decimal(60), None).size == "small"
    assert classify("8511", 9, None, None).size == "micro"


@pytest.mark.parametrize("code", ["J", "66", "P", "84", "S", "T", "53", "5311", "704", "7040"])
def test_outside_the_standard_is_not_guessed(code):
    found = classify(code, 10, Decimal(1000), Decimal(1000))
    assert (found.size, found.group) == ("not_applicable", None)
    assert code in found.reason_zh and code in found.reason_en


@pytest.mark.parametrize("code", ["G", "70", "59", "K", "I", "F"])
def test_a_code_too_coarse_to_decide_asks_for_a_narrower_one(code):
    found = classify(code, 10, Decimal(1000), Decimal(1000))
    assert (found.size, found.group) == ("incomplete", None)
    assert "更细" in found.reason_zh


@pytest.mark.parametrize(
    "code, group",
    [
        ("C1442", "industry"),
        ("1442", "industry"),
        ("0311", "agriculture"),
        ("5910", "transport"),
        ("5930", "warehousing"),
        ("6020", "postal"),
        ("7020", "property_management"),
        ("7030", "other_unlisted"),
        ("7231", "leasing_business"),
        ("8511", "other_unlisted"),
        ("6513", "software_it"),
    ],
)
def test_the_industry_finds_its_group(code, group):
    assert classify(code, 10, Decimal(1000), Decimal(1000)).group == group


def test_every_class_gets_an_answer():
    for entry in (e for e in walk() if e.level == "class"):
        found = classify(entry.code, 50, Decimal(900), Decimal(900))
        assert found.size in ("large", "medium", "small", "micro", "not_applicable"), entry


def walk(code=None):
    for entry in industries.children(code):
        yield entry
        yield from walk(entry.code)


def test_groups_do_not_overlap():
    for entry in (e for e in walk() if e.level == "class"):
        path = {entry.code, *(a.code for a in industries.ancestors(entry.code))}
        hits = [g for g, group in GROUPS.items() if path & set(group["include_prefixes"])]
        assert len(hits) <= 1, (entry.code, hits)


def test_unknown_editions_and_industries_are_refused():
    with pytest.raises(size_standard.UnknownStandard, match="2011/2017"):
        classify("1442", 1, Decimal(1), None, edition="1988")
    with pytest.raises(industries.UnknownIndustry):
        classify("9999", 1, Decimal(1), None)
    assert size_standard.editions() == ("2011/2017",)
