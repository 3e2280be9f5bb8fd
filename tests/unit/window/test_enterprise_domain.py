"""Where an enterprise belongs, how large it is, who reads its contact."""

from datetime import UTC, datetime
from uuid import uuid4

import pytest
from common.errors import Invalid
from common.node import Node, Topology
from window.enterprises import domain
from window.enterprises.domain import Profile

AT = datetime(2030, 5, 1, tzinfo=UTC)
NETWORK = Topology(
    (
        Node("hohhot", "window", "呼和浩特窗口平台", "Hohhot window", ("1501",), 1),
        Node("hulunbuir", "window", "呼伦贝尔窗口平台", "Hulunbuir window", ("1507",), 7),
        Node("manzhouli", "window", "满洲里窗口平台", "Manzhouli window", ("150781",), 13),
    )
)


def register(window="hohhot", staff=False, **other):
    said = {"name": "青城乳品", "credit_code": "91150100MA0N000013", "division": "150105", "industry": "1441"}
    profile = Profile.model_validate(said | other)
    return domain.register(
        profile, id=uuid4(), owner="sme-1", staff=staff, window=window, network=NETWORK, at=AT
    )


def test_the_code_is_stored_in_one_form():
    assert register(credit_code=" ９１150100ma0n000013 ").credit_code == "91150100MA0N000013"


@pytest.mark.parametrize(
    ("division", "right"), [("150781", "manzhouli"), ("150702", "hulunbuir"), ("150100", "hohhot")]
)
def test_the_longest_prefix_decides(division, right):
    assert register(right, division=division).division == division
    for other in {"hohhot", "hulunbuir", "manzhouli"} - {right}:
        with pytest.raises(Invalid) as refusal:
            register(other, division=division)
        assert refusal.value.code == "division-of-another-window" and right in refusal.value.en


@pytest.mark.parametrize(
    ("figures", "size"),
    [
        ({"employees": 1000, "revenue_cents": 40_000_000_000}, "large"),
        ({"employees": 999, "revenue_cents": 40_000_000_000}, "medium"),
        ({"employees": 300, "revenue_cents": 199_999_999_999}, "medium"),
        ({"employees": 299, "revenue_cents": 2_000_000_000}, "small"),
        ({"employees": 20, "revenue_cents": 300_000_000}, "small"),
        ({"employees": 19, "revenue_cents": 300_000_000}, "micro"),
        ({"employees": 500}, "incomplete"),
        ({"employees": 5, "industry": "S"}, "not_applicable"),
    ],
)
def test_the_size_follows_the_figures(figures, size):
    made = register(**figures)
    assert made.size_class == size and made.size_reason_zh and made.size_reason_en


def test_a_change_computes_the_size_anew():
    small = register(employees=100, revenue_cents=500_000_000)
    micro = domain.change(small, {"employees": 5}, window="hohhot", network=NETWORK, at=AT)
    assert (small.size_class, micro.size_class, micro.version) == ("small", "micro", 2)


def test_examples_are_for_staff():
    assert register(staff=True, example=True).example
    with pytest.raises(Invalid):
        register(example=True)


def test_a_masked_contact_cannot_be_read():
    made = register(contact_name="娜仁花", contact_phone="13947112233", contact_email="nrh@example.cn")
    masked = domain.masked(made)
    assert (masked.contact_name, masked.contact_phone, masked.contact_email) == (
        "娜**",
        "*******33",
        "n***@example.cn",
    )
    assert domain.masked(register()).contact_name is None
    assert "139" not in masked.model_dump_json(exclude={"id"})


def test_only_the_owner_is_told_which_record_it_is():
    id = uuid4()
    assert str(id) in domain.known(id).zh and str(id) in domain.known(id).en
    assert "None" not in domain.known(None).zh + domain.known(None).en
