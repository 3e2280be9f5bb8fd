"""Clusters, criteria, forms, producer services and the plain data files."""

import csv
import json
from datetime import date

import pytest
from reference import clusters, criteria, divisions, forms, industries, producer_services
from reference.packaged import text

MARKS = {"verified_secondary", "proposal", "unverified", "unverified_memory"}


def test_ten_clusters_in_real_places_and_industries():
    assert len(clusters.everything()) == 10
    for cluster in clusters.everything():
        assert clusters.get(cluster.id) is cluster
        assert cluster.evidence and cluster.status in MARKS
        for seat in cluster.seats:
            divisions.get(seat)
        for code in cluster.industries:
            industries.get(code)
    with pytest.raises(clusters.UnknownCluster):
        clusters.get("atlantis")


@pytest.mark.parametrize(
    "kind, scope, day, found",
    [
        ("demonstration_platform", "national", date(2013, 6, 1), "national_demo_platform_2012"),
        ("demonstration_platform", "national", date(2017, 7, 2), "national_demo_platform_2012"),
        ("demonstration_platform", "national", date(2017, 7, 3), "national_demo_platform_2017"),
        ("demonstration_platform", "national", date(2025, 10, 20), "national_demo_platform_2017"),
        ("demonstration_platform", "national", date(2025, 10, 21), None),
        ("entrepreneurship_base", "national", date(2020, 1, 1), "national_base_2016"),
        ("entrepreneurship_base", "region", date(2013, 6, 1), "regional_base_2013"),
        ("entrepreneurship_base", "region", date(2012, 6, 1), None),
    ],
)
def test_criteria_hold_for_their_days_only(kind, scope, day, found):
    held = criteria.in_force(kind, scope, day)
    assert (held.id if held else None) == found


def test_the_figures_of_2017_are_there_with_their_marks():
    held = criteria.get("national_demo_platform_2017")
    basic = {rule.id: rule for rule in held.basic}
    assert (basic["smes_served_per_year"].minimum, basic["satisfaction_pct"].minimum) == (150, 80)
    assert basic["served_trend"].minimum is None
    assert (held.functions_min, held.validity_years) == (1, 3)
    training = next(function for function in held.functions if function.id == "training")
    assert (training.status, training.rules) == ("unverified_memory", ())


def test_every_rule_is_marked_and_named_once():
    for held in criteria.everything():
        assert held.status in MARKS
        for rules in (held.basic, *(function.rules for function in held.functions)):
            assert len({rule.id for rule in rules}) == len(rules)
            for rule in rules:
                assert rule.status in MARKS and rule.zh and rule.en
                assert (rule.minimum is None) == (rule.unit is None)
    with pytest.raises(criteria.UnknownCriteria):
        criteria.get("none")


def test_forms_keep_their_fields_in_order():
    instrument = forms.fields("instrument")
    assert (instrument[0].id, instrument[0].zh, len(instrument)) == ("equipment_name", "仪器名称", 24)
    demand = forms.fields("technology_demand")
    assert len(demand) == 30
    required = {field.id for field in demand if field.required}
    assert "demand_name" in required and "budget" not in required


@pytest.mark.parametrize(
    "code, field",
    [
        ("7320", "rnd"),
        ("7491", "industrial_design"),
        ("6513", "information_services"),
        ("5292", "e_commerce"),
    ],
)
def test_producer_services_by_industry(code, field):
    found = producer_services.field_of(code)
    assert found and found.id == field


def test_a_dairy_is_no_producer_service():
    assert producer_services.field_of("1442") is None
    assert len(producer_services.everything()) == 6


@pytest.mark.parametrize("name, places", [("leagues_12.geojson", 12), ("counties_103.geojson", 103)])
def test_maps_cover_the_divisions(name, places):
    codes = {feature["id"] for feature in json.loads(text(name))["features"]}
    assert len(codes) == places
    for code in codes:
        divisions.get(code)


def test_the_glossary_gives_one_english_word_a_term():
    rows = list(csv.DictReader(text("glossary.csv").splitlines()))
    assert len(rows) == len({row["zh"] for row in rows}) and len(rows) >= 80
    assert all(row["en"] and row["code_term"] for row in rows)
