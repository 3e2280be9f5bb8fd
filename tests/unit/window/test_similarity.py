"""How alike two demands are in their words."""

from datetime import UTC, datetime
from uuid import uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st
from window.demands.similarity import NEARLY, Said, nearly_the_same, overlap, pairs


@given(st.text(max_size=60), st.text(max_size=60))
def test_it_is_mutual_and_between_nothing_and_all(a, b):
    ours, theirs = pairs(a, ""), pairs(b, "")
    assert 0.0 <= overlap(ours, theirs) == overlap(theirs, ours) <= 1.0
    assert overlap(ours, ours) == (1.0 if ours else 0.0)


@pytest.mark.parametrize(
    ("a", "b"),
    [
        ("检测 ＣＭＡ", "检测cma"),
        ("检测，报告。", "检测报告"),
        ("Test Report", "test-report"),
        ("检\n测", "检测"),
    ],
)
def test_punctuation_width_and_case_say_nothing(a, b):
    assert overlap(pairs(a, ""), pairs(b, "")) == 1.0


def test_one_character_is_compared_too_and_nothing_is_like_nothing():
    assert overlap(pairs("贷", ""), pairs("贷", "")) == 1.0
    assert overlap(pairs("", "，。"), pairs("", "")) == 0.0


def said(number, title, text):
    at = datetime(2030, 1, 1, tzinfo=UTC)
    return Said(id=uuid4(), number=number, title=title, text=text, state="submitted", submitted_at=at)


def test_the_most_similar_comes_first_and_what_is_other_stays_out():
    others = [
        said("3", "新厂房环评", "编制环境影响报告表"),
        said("2", "乳制品检验", "每月送检微生物和理化指标，三日出报告"),
        said("1", "乳制品检验", "每月送检微生物与理化指标"),
    ]
    found = nearly_the_same("乳制品检验", "每月送检微生物与理化指标", others)
    assert [one.number for one in found] == ["1", "2"]
    assert found[0].similarity == 1.0 > found[1].similarity >= NEARLY
