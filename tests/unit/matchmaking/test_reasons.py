"""The sentences: what they name, and that both languages say the same."""

from dataclasses import replace

import pytest
from common.contracts.offerings import Price
from matchmaking.matching import reasons
from matchmaking.matching.lexical import Answer
from matchmaking.matching.standing import Standing

from tests.unit.matchmaking.builders import ACTIVE, Region, demand, offer


def said(word, field):
    return Answer(word, field, word)


@pytest.mark.parametrize(
    ("price", "zh", "en"),
    [
        (Price(), "价格面议", "price by agreement"),
        (Price(from_cents=0, to_cents=0), "免费", "free of charge"),
        (
            Price(from_cents=20_000, to_cents=50_050, unit="sample"),
            "价格200–500.50元/样",
            "200–500.50 yuan per sample",
        ),
        (Price(from_cents=100), "价格1元/次起", "from 1 yuan per case"),
        (Price(to_cents=100, unit="day"), "价格1元/天以内", "up to 1 yuan per day"),
        (Price(from_cents=435, to_cents=435, unit="percent"), "费率4.35%", "rate 4.35%"),
        (Price(from_cents=100, unit="percent"), "费率1%起", "rate from 1%"),
    ],
)
def test_prices_are_said_as_people_say_them(price, zh, en):
    assert reasons.price(price) == (zh, en)


def test_a_reason_names_words_place_price_time_and_grades():
    supplier = replace(ACTIVE, standing=Standing(grade_count=4, grade_sum=18))
    answered = [said("牛奶", "text"), said("化验", "category")]
    zh, en = reasons.sentences(demand(), offer(supplier=supplier), answered)
    assert zh == (
        "说明中有您所说的“牛奶”，所属类别“检验检测”对应“化验”；与您同盟市（赛罕区）；价格100–200元/次；"
        "约5天完成；评价4.5分（4次）。"
    )
    assert en.startswith(
        "Its description has your “牛奶”, its category Inspection and testing stands for “化验”;"
    )
    assert "Saihan" in en and "100–200 yuan per case" in en and "about 5 days" in en
    assert en.endswith("rated 4.5 of 5 (4).")


def test_what_is_in_the_title_is_said_to_be_there():
    zh, en = reasons.sentences(demand(), offer(), [said("牛奶", "title")])
    assert zh.startswith("名称中有您所说的“牛奶”；") and en.startswith("Its title has your “牛奶”;")


def test_what_answers_by_another_word_names_both():
    zh, en = reasons.sentences(demand(), offer(), [Answer("周转不开", "title", "流动资金")])
    assert zh.startswith("其“流动资金”对应您所说的“周转不开”；")
    assert en.startswith("Its “流动资金” answers to your “周转不开”;")


def test_without_a_word_in_common_the_meaning_is_named():
    zh, en = reasons.sentences(demand(), offer(lead_days=None), [])
    assert zh.startswith("说明与您的需求意思相近；") and en.startswith("Its description means nearly")
    assert "尚无评价" in zh and "not rated yet" in en
    assert "天完成" not in zh and "days" not in en


def test_what_was_relaxed_is_said_last():
    zh, en = reasons.sentences(demand(), offer(), [], ("service-area", "category"))
    assert zh.endswith("其服务范围未写明包含您所在地，可先询问；不属于您所选类别。")
    assert en.endswith(
        "its service area does not name your place: ask first; it is outside the category you named."
    )


@pytest.mark.parametrize(
    ("here", "there", "zh", "en"),
    [
        ("150105", "150105", "与您同旗县（赛罕区）", "in your banner or county (Saihan"),
        ("150105", "150102", "与您同盟市（新城区）", "in your league or city (Xincheng"),
        ("150105", "150203", "在区内（昆都仑区）", "elsewhere in the region (Hondlon"),
        ("150105", "110101", "在区外（110101）", "outside the region (110101)"),
        ("152299", "152298", "与您同盟市（152298）", "in your league or city (152298)"),
    ],
)
def test_a_place_is_said_by_name_and_by_nearness(here, there, zh, en):
    said_zh, said_en = reasons.sentences(demand(division=here), offer(division=there), [])
    assert zh in said_zh and en in said_en


def test_an_unknown_category_is_said_as_it_is():
    zh, en = reasons.sentences(demand(), offer(category="gone.away"), [said("化验", "category")])
    assert "所属类别“gone.away”对应“化验”" in zh and "Its category gone.away" in en


def test_a_candidate_shows_each_word_with_the_field_that_says_it():
    filled = Region()
    filled.add(offer("one", title="煤质分析"), "灰分、硫分、水分；兼做牛奶")
    need = demand("煤质化验", "想知道灰分")
    [candidate] = filled.match(need).candidates
    shown = {one.word: one.field for one in candidate.matched}
    assert (shown["煤质"], shown["灰分"], shown["化验"]) == ("title", "text", "category")
    assert candidate.matched_words == tuple(shown)
    assert "牛奶" not in shown and "硫分" not in shown, "only what was asked for"
    assert "煤质" in candidate.reason_zh and "煤质" in candidate.reason_en
