from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st
from reference import divisions
from reference.divisions import UnknownDivision

CODES = [place.code for place in divisions.everything()]


def test_the_region_its_leagues_and_its_counties_are_all_there():
    levels = [place.level for place in divisions.everything()]
    assert [levels.count(level) for level in ("region", "league_city", "county")] == [1, 12, 103]
    assert sum(place.window for place in divisions.everything()) == 14
    assert divisions.edition() == "2023-06-30"


def test_a_place_has_its_names_level_and_parent():
    hohhot = divisions.get("150100")
    assert (hohhot.zh, hohhot.en, hohhot.level, hohhot.parent) == (
        "呼和浩特市",
        "Hohhot",
        "league_city",
        "150000",
    )
    assert divisions.get("150000").zh == "内蒙古自治区"
    assert divisions.get("150781").parent == "150700"


def test_every_parent_exists_and_covers_its_child():
    for place in divisions.everything():
        if place.parent:
            assert divisions.is_within(place.code, divisions.get(place.parent).code)


@pytest.mark.parametrize("code", ["", "15", "1501", "150199", "510100", "abcdef", "１５０１００"])
def test_what_is_no_division_is_refused(code):
    with pytest.raises(UnknownDivision) as caught:
        divisions.get(code)
    assert isinstance(caught.value, ValueError)
    assert caught.value.code == code


def test_a_place_did_not_exist_before_its_day():
    assert divisions.get("150603", date(2020, 1, 1)).zh == "康巴什区"
    with pytest.raises(UnknownDivision):
        divisions.get("150603", date(2013, 6, 1))
    assert divisions.get("150105", date(2013, 6, 1)).zh == "赛罕区"


@pytest.mark.parametrize(
    "code, prefix",
    [
        ("150000", "15"),
        ("150100", "1501"),
        ("150781", "150781"),
        ("15", "15"),
        ("1501", "1501"),
        ("152500", "1525"),
    ],
)
def test_prefixes(code, prefix):
    assert divisions.prefix_of(code) == prefix


@pytest.mark.parametrize("code", ["", "1", "150", "15010", "1501000", "15a1", "１５", "内蒙古"])
def test_malformed_prefixes_are_refused(code):
    with pytest.raises(UnknownDivision):
        divisions.prefix_of(code)


@pytest.mark.parametrize(
    "code, area, inside",
    [
        ("150105", "1501", True),
        ("150105", "150100", True),
        ("150105", "15", True),
        ("150105", "150000", True),
        ("150105", "150105", True),
        ("150105", "1502", False),
        ("150100", "150105", False),
        ("150781", "1507", True),
        ("150702", "150781", False),
        ("510100", "15", False),
        ("150000", "1501", False),
    ],
)
def test_areas(code, area, inside):
    assert divisions.is_within(code, area) is inside


@pytest.mark.parametrize(
    "a, b, expected",
    [
        ("150105", "150105", "same_county"),
        ("150105", "150102", "same_league"),
        ("150100", "150102", "same_league"),
        ("150100", "150100", "same_league"),
        ("150781", "150702", "same_league"),
        ("150105", "150203", "region"),
        ("150000", "150203", "region"),
        ("150000", "150000", "region"),
        ("150105", "510100", "outside"),
        ("510100", "510100", "outside"),
    ],
)
def test_relations(a, b, expected):
    assert divisions.relation(a, b) == expected


@given(st.sampled_from(CODES), st.sampled_from(CODES))
def test_a_relation_has_no_direction(a, b):
    assert divisions.relation(a, b) == divisions.relation(b, a) != "outside"


@given(st.sampled_from(CODES))
def test_the_longest_prefix_owns_a_place(code):
    window = divisions.window_of(code)
    if code == "150000":
        assert window is None
    else:
        assert window and window.window and divisions.is_within(code, window.code)


def test_manzhouli_and_erenhot_have_windows_of_their_own_but_count_in_their_league():
    for code, league in (("150781", "150700"), ("152501", "152500")):
        window, counted = divisions.window_of(code), divisions.league_of(code)
        assert window and counted
        assert (window.code, counted.code) == (code, league)
    assert divisions.league_of("150000") is None


@pytest.mark.parametrize(
    "text, first",
    [
        ("150781", "150781"),
        ("1501", "150100"),
        ("赛罕区", "150105"),
        ("赛罕", "150105"),
        ("hohhot", "150100"),
        ("Manzhouli", "150781"),
        ("内蒙古自治区呼和浩特市赛罕区学苑东街1号", "150105"),
        (" 锡林 ", "152500"),
    ],
)
def test_search_finds_the_place_first(text, first):
    assert divisions.search(text)[0].code == first


def test_search_for_nothing_finds_nothing():
    assert divisions.search("  ") == () == divisions.search("上海市")
