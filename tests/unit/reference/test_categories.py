import re

import pytest
from reference import categories
from reference.categories import UnknownCategory

# Ids are stored in every catalogue: renaming one orphans what points to it.
TOP = [
    "information_policy",
    "financing",
    "entrepreneurship",
    "talent_training",
    "technology_quality",
    "management_consulting",
    "market_development",
    "legal",
]


def test_the_top_level_is_stable():
    assert [category.id for category in categories.top()] == TOP


def test_ids_are_slugs_and_say_where_they_belong():
    for category in categories.all():
        assert re.fullmatch(r"[a-z0-9]+([._-][a-z0-9]+)*", category.id)
        assert category.id.rpartition(".")[0] == (category.parent or "")
    assert len({category.id for category in categories.all()}) == len(categories.all()) == 46


def test_every_category_has_both_names_a_mark_and_everyday_words():
    for category in categories.all():
        assert re.search("[\u4e00-\u9fff]", category.zh)
        assert category.en.isascii() or "–" in category.en
        assert category.status in ("verified_secondary", "proposal", "unverified_memory")
        assert len(category.keywords) >= 3
        assert all(category.keywords)


def test_a_top_category_answers_to_the_words_of_its_own():
    assert "生鲜乳" not in categories.get("technology_quality").keywords
    assert {"检测", "专利"} <= set(categories.get("technology_quality").keywords)


def test_within():
    assert categories.is_within("technology_quality.testing", "technology_quality")
    assert categories.is_within("technology_quality", "technology_quality")
    assert not categories.is_within("technology_quality", "technology_quality.testing")
    assert not categories.is_within("legal.legal_training", "technology_quality")


@pytest.mark.parametrize("id", ["", "testing", "technology_quality.", "technology_quality.nothing"])
def test_what_is_no_category_is_refused(id):
    with pytest.raises(UnknownCategory):
        categories.get(id)
    with pytest.raises(UnknownCategory):
        categories.is_within("legal", id)


def test_edition_is_told():
    assert categories.edition() == "2026"
