import pytest
from reference import divisions
from reference.divisions import UnknownDivision

WINDOWS = [place.code for place in divisions.everything() if place.window]


def names(*codes):
    return {divisions.get(code).en for code in codes}


def test_who_borders_whom_is_mutual_and_nobody_borders_itself():
    for code in WINDOWS:
        near = divisions.neighbours(code)
        assert near and code not in near
        assert len(set(near)) == len(near)
        assert all(code in divisions.neighbours(other) for other in near)


@pytest.mark.parametrize(
    ("code", "near"),
    [
        ("150100", {"Baotou", "Ordos", "Ulanqab"}),
        ("150200", {"Hohhot", "Ordos", "Bayannur", "Ulanqab"}),
        ("150300", {"Ordos", "Alxa League"}),
        ("150400", {"Tongliao", "Xilingol League"}),
        ("150600", {"Hohhot", "Baotou", "Wuhai", "Bayannur", "Alxa League"}),
        ("150700", {"Hinggan League", "Manzhouli City"}),
        ("152200", {"Hulunbuir", "Tongliao", "Xilingol League"}),
        ("152500", {"Chifeng", "Tongliao", "Ulanqab", "Hinggan League", "Erenhot City"}),
        ("152900", {"Bayannur", "Wuhai", "Ordos"}),
        ("150781", {"Hulunbuir"}),
        ("152501", {"Xilingol League"}),
    ],
)
def test_the_borders_are_those_of_the_map(code, near):
    assert names(*divisions.neighbours(code)) == near


def test_from_every_window_one_comes_to_every_other():
    reached, todo = set(), ["150100"]
    while todo:
        code = todo.pop()
        if code not in reached:
            reached.add(code)
            todo += divisions.neighbours(code)
    assert reached == set(WINDOWS)


# 152601 was Jining while Ulanqab was a league, 152801 Linhe while Bayannur was one.
@pytest.mark.parametrize("code", ["150102", "150000", "15", "510100", "", "152601", "152801"])
def test_a_place_without_a_window_has_no_neighbours(code):
    with pytest.raises(UnknownDivision):
        divisions.neighbours(code)


@pytest.mark.parametrize("code", ["152601", "152801"])
def test_a_code_given_up_before_this_list_is_refused_like_any_unknown_one(code):
    with pytest.raises(UnknownDivision):
        divisions.get(code)
