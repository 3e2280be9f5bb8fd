"""Whom to tell of a demand, and when that is news."""

from dataclasses import dataclass, replace
from datetime import UTC, datetime

import pytest
from common import ids
from common.contracts.demands import Demand
from common.contracts.offerings import Price
from common.contracts.subscriptions import Subscription
from matchmaking.matching.listing import Listing
from matchmaking.opportunities import domain

AT = datetime(2026, 3, 2, 2, tzinfo=UTC)


@dataclass(frozen=True)
class Fits:
    listing: Listing
    score: float
    components: tuple = ()


def provider(name):
    return "baotou", ids.derived("provider", name)


def fits(score, by="a", offering="o", **changes):
    listing = Listing(
        platform="baotou", offering_id=ids.derived("offering", by, offering), epoch=1, version=1,
        provider_id=provider(by)[1], provider_name="示例机构", kind="service", title=f"检测 {offering}",
        category="technology_quality.testing", division="150203", service_area=(), price=Price(), lead_days=None,
        state="published",
    )  # fmt: skip
    return Fits(replace(listing, **changes), score)


def demand(**changes):
    given = {
        "id": ids.derived("demand", "milk"), "version": 1, "number": "NM-1", "title": "牛奶化验", "text": "蛋白质",
        "industry": "C", "division": "150102", "size_class": "small", "enterprise_name": "某某乳业", "state": "submitted",
        "submitted_at": AT, "changed_at": AT,
    } | changes  # fmt: skip
    return Demand.model_validate(given)


def wish(by="a", **changes):
    platform, id = provider(by)
    return Subscription(
        id=ids.derived("subscription", by), version=1, platform=platform, provider_id=id, **changes
    )


def news(fitting, held=None, need=None, wishes=None, whole=True):
    """What is told, and what is held after it."""
    need = need or demand()
    wishes = wishes or {provider(name): wish(name) for name in ("a", "b", "c")}
    telling = domain.Telling("hohhot", need, fitting, whole, domain.by_title, AT)
    told = domain.news(telling, wishes, held or {})
    return told, (held or {}) | {(o.platform, o.provider_id): o for o, _ in told}


def seen(told):
    return [(fact.type, o.version, o.offering_title, o.state_reason) for o, fact in told]


def test_each_subscribed_provider_hears_once_of_its_best_offering():
    fitting = [fits(0.9, "a", "1"), fits(0.8, "b"), fits(0.7, "a", "2"), fits(0.6, "nobody")]
    told, held = news(fitting)
    assert seen(told) == [
        ("opportunity.found.v1", 1, "检测 1", None),
        ("opportunity.found.v1", 1, "检测 o", None),
    ]
    assert len({o.id for o, _ in told}) == 2
    assert news(fitting, held)[0] == []


def test_the_notice_does_not_say_whose_it_is():
    told, _ = news([fits(0.9)])
    assert "某某乳业" not in told[0][1].model_dump_json()


@pytest.mark.parametrize(
    ("wanted", "need", "category", "hears"),
    [
        ({"categories": ("technology_quality",)}, {}, "technology_quality.testing", True),
        ({"categories": ("technology_quality.testing",)}, {}, "technology_quality.testing", True),
        ({"categories": ("finance",)}, {}, "technology_quality.testing", False),
        # What the demand names counts, not what the offering happens to be.
        ({"categories": ("finance",)}, {"category": "finance"}, "technology_quality.testing", True),
        (
            {"categories": ("technology_quality",)},
            {"category": "finance"},
            "technology_quality.testing",
            False,
        ),
        ({"categories": ("technology_quality",)}, {"category": "unheard-of"}, "unheard-of", False),
        ({"areas": ("1501",)}, {}, "technology_quality.testing", True),
        ({"areas": ("1502", "150102")}, {}, "technology_quality.testing", True),
        ({"areas": ("1502",)}, {}, "technology_quality.testing", False),
        ({"least_score": 0.5}, {}, "technology_quality.testing", True),
        ({"least_score": 0.51}, {}, "technology_quality.testing", False),
        ({}, {"example": True}, "technology_quality.testing", False),
    ],
)
def test_a_provider_hears_of_what_it_subscribed_to(wanted, need, category, hears):
    told, _ = news(
        [fits(0.5, category=category)], need=demand(**need), wishes={provider("a"): wish(**wanted)}
    )
    assert bool(told) == hears


def test_an_example_hears_of_examples_alone():
    example = [fits(0.5, example=True)]
    assert news(example)[0] == []
    assert len(news(example, need=demand(example=True))[0]) == 1


def test_a_better_offering_is_news_and_a_little_more_of_the_same_is_not():
    _, held = news([fits(0.5, "a", "1")])
    assert news([fits(0.6, "a", "1")], held)[0] == []
    assert news([fits(0.49, "a", "2"), fits(0.4, "a", "1")], held)[0] == []
    told, held = news([fits(0.7, "a", "2"), fits(0.6, "a", "1")], held)
    assert seen(told) == [("opportunity.found.v1", 2, "检测 2", None)]


def test_an_offering_that_is_gone_gives_its_place():
    _, held = news([fits(0.9, "a", "1")])
    told, _ = news([fits(0.4, "a", "2")], held)
    assert seen(told) == [("opportunity.found.v1", 2, "检测 2", None)]
    # From one offering alone nothing follows for the others.
    assert news([fits(0.4, "a", "2")], held, whole=False)[0] == []


def test_an_edited_demand_is_told_anew_and_closed_for_those_it_no_longer_fits():
    _, held = news([fits(0.9, "a"), fits(0.8, "b")])
    edited = demand(version=2, title="羊奶化验")
    told, held = news([fits(0.7, "a")], held, edited)
    assert [(fact.type, o.version, o.demand.title, o.state_reason) for o, fact in told] == [
        ("opportunity.found.v1", 2, "羊奶化验", None),
        ("opportunity.closed.v1", 2, "牛奶化验", "no-longer-fits"),
    ]
    assert news([fits(0.7, "a")], held, edited)[0] == []
    # The same words at a later version are no news.
    assert news([fits(0.7, "a")], held, demand(version=3, title="羊奶化验", state="quoting"))[0] == []


def test_what_was_closed_opens_again_at_a_higher_version():
    _, held = news([fits(0.9)])
    one = held[provider("a")]
    closed, fact = domain.close(one, "awarded")
    assert (fact.type, closed.version, closed.state_reason) == ("opportunity.closed.v1", 2, "awarded")
    assert domain.close(closed, "withdrawn") is None
    told, _ = news([fits(0.3)], {provider("a"): closed})
    assert [(o.version, o.state, o.state_reason) for o, _ in told] == [(3, "open", None)]


def test_no_more_than_so_many_hear_of_one_demand():
    names = [f"p{n}" for n in range(domain.AT_MOST + 10)]
    wishes = {provider(name): wish(name) for name in names}
    fitting = [fits(0.9 - n / 1000, name) for n, name in enumerate(names)]
    told, held = news(fitting, wishes=wishes)
    assert [o.provider_id for o, _ in told] == [provider(name)[1] for name in names[: domain.AT_MOST]]
    assert news(fitting[::-1], held, wishes=wishes)[0] == []
