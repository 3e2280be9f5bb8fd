import pytest
from reference import industries
from reference.industries import UnknownIndustry


def walk(code=None):
    for entry in industries.children(code):
        yield entry
        yield from walk(entry.code)


def test_the_whole_classification_is_there():
    levels = [entry.level for entry in walk()]
    # 1,381 classes against 1,380 in the issued text: a known difference, see the sources of the data.
    assert [levels.count(level) for level in industries.LEVELS] == [20, 97, 473, 1381]


def test_an_entry_knows_its_place():
    milk = industries.get("1442")
    assert (milk.zh, milk.level, milk.parent, milk.section) == ("乳粉制造", "class", "144", "C")
    assert [entry.code for entry in industries.ancestors("1442")] == ["144", "14", "C"]
    assert industries.ancestors("C") == ()
    assert industries.get("14").en == "Manufacture of foods"


def test_the_section_letter_may_stand_in_front():
    assert industries.get("C1442") == industries.get("1442")
    assert industries.get("A01") == industries.get("01")


@pytest.mark.parametrize("code", ["", "Z", "00", "1440", "A1442", "CC", "14421", "c1442"])
def test_what_is_no_code_is_refused(code):
    with pytest.raises(UnknownIndustry):
        industries.get(code)


def test_another_edition_is_refused_not_answered_wrongly():
    with pytest.raises(UnknownIndustry, match="2011"):
        industries.get("1442", edition="GB/T 4754-2011")


def test_within():
    assert industries.is_within("1442", "C")
    assert industries.is_within("1442", "144")
    assert industries.is_within("144", "144")
    assert not industries.is_within("144", "1442")
    assert not industries.is_within("0311", "C")


def test_codes_below_a_division_start_with_their_parent():
    for entry in walk():
        if entry.level in ("group", "class"):
            assert entry.parent and entry.code.startswith(entry.parent)


@pytest.mark.parametrize(
    "text, first",
    [("乳制品制造", "144"), ("1442", "1442"), ("C", "C"), ("manufacture of foods", "14"), ("乳粉", "1442")],
)
def test_search_finds_the_entry_first(text, first):
    assert industries.search(text)[0].code == first


def test_search_shows_the_broader_first_and_nothing_for_nothing():
    levels = [industries.LEVELS.index(entry.level) for entry in industries.search("批发")]
    assert levels == sorted(levels) and len(levels) > 10
    assert industries.search(" ") == ()


def test_names_are_clean_and_whole():
    for entry in walk():
        assert entry.zh == entry.zh.strip() and " " not in entry.zh and "(" not in entry.zh
        assert not entry.zh.endswith(("制品制", "设备制", "仪器制", "专用", "专用设")), entry
