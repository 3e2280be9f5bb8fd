"""The rules as data, what a record must keep, and what counts as passed."""

import re
from datetime import UTC, datetime
from pathlib import Path
from uuid import uuid4

import pytest
from conformance import records, rules, serving
from conformance.bus import BusObserved
from conformance.bus import judge as judge_bus
from conformance.exchange import Beats
from conformance.records import Published
from conformance.reports import Sheet
from conformance.script import RULES, script

DOCS = Path(__file__).parents[3] / "docs"
AT = datetime(2026, 11, 23, tzinfo=UTC)


def verdict(sheet, rule):
    (finding,) = [one for one in sheet.report("x", AT).findings if one.rule == rule]
    return finding


def test_every_rule_says_what_and_how_to_mend_in_both_languages():
    found = rules.rules()
    assert len(found) == len(set(found)) >= 40
    assert len(rules.of("exchange")) >= 20
    for rule in found.values():
        assert re.search("[\u4e00-\u9fff]", rule.zh + rule.mend_zh), rule.id
        assert rule.en.isascii() and rule.mend_en.isascii(), rule.id
        assert rule.modes and set(rule.modes) <= set(rules.MODES)


def test_every_rule_leads_to_a_section_of_the_documents():
    for see in {rule.see for rule in rules.rules().values()}:
        file, anchor = see.split("#")
        text = (DOCS / file).read_text(encoding="utf-8")
        headings = re.findall(r"^## (.+)$", text, re.MULTILINE)
        assert anchor in {heading.lower().replace(" ", "-") for heading in headings}, see


def test_a_should_warns_and_a_must_fails():
    sheet = Sheet("bus")
    sheet.note("beat-clock-near", False, offset_s=9)
    assert (sheet.report("x", AT).passed, sheet.report("x", AT).warnings) == (True, 1)
    sheet.note("bus-version", False, forks=1)
    sheet.note("bus-version", True)  # a failure is not taken back
    assert not sheet.report("x", AT).passed
    finding = verdict(sheet, "bus-version")
    assert (finding.verdict, finding.evidence) == ("failed", {"forks": 1})
    assert finding.mend_en
    assert verdict(sheet, "bus-receipt").verdict == "skipped"


def offering(provider, **data):
    known = {
        "provider_id": provider,
        "title": "检测",
        "category": "technology_quality.testing",
        "division": "150100",
    }
    return Published("offering", str(uuid4()), known | data)


def provider(**data):
    known = {"name": "检测站", "credit_code": "91000000MA0000000N", "division": "150100"}
    return Published("provider", str(uuid4()), known | data)


@pytest.mark.parametrize(
    ("rule", "wrong"),
    [
        ("data-credit-code", provider(credit_code="91000000MA00000000")),
        ("data-category", provider(categories=["no.such"])),
        ("data-division", provider(division="159999")),
        ("data-private", provider(profile="请致电 138 0000 0000")),
        ("data-private", provider(profile="mail to wang@example.org")),
        ("data-private", provider(attributes={"contact_phone": "0471-5100000"})),
        ("data-private", provider(attributes={"staff": [{"微信": "abc"}]})),
        ("data-example", provider(name="示例检测站")),
        ("data-orphan", offering(str(uuid4()))),
    ],
)
def test_a_record_that_breaks_a_rule_is_named_and_not_repeated(rule, wrong):
    sheet = Sheet("serving")
    records.judge(sheet, [provider(), wrong])
    finding = verdict(sheet, rule)
    assert finding.verdict == "failed"
    assert finding.evidence["examples"][0]["id"] == wrong.id
    assert not re.search("138|wang|5100000", str(finding.evidence))


def test_good_records_keep_every_rule():
    sheet, one = Sheet("serving"), provider(profile="总机 0471-5100000，样品编号 2026-11-23-0001")
    records.judge(sheet, [one, offering(one.id), provider(example=True, name="示例", credit_code="x")])
    assert [found.rule for found in sheet.report("x", AT).findings if found.verdict == "failed"] == []


def test_the_script_proves_a_rule_a_step_and_its_records_are_examples_nobody_finds():
    plan = script("example", 1, 3, ("provider", uuid4()))
    assert {RULES[step.name] for step in plan.steps} <= set(rules.rules())
    assert len(plan.steps) == len(RULES)
    for step in plan.steps:
        assert len(step.lines) == len(step.expects)
        for line in step.lines:
            assert line["epoch"] == 3
            assert line["data"]["example"] is True
            assert line["noun"] == "provider" or line["data"]["state"] in ("paused", "retired")
    ended = {line["id"] for line in plan.clean_up} | {str(one.id) for one in plan.expected if one.deleted}
    assert ended == plan.ids
    # A new run has records of its own, the same on every hub.
    assert plan.ids.isdisjoint(script("example", 2, 3, None).ids)
    assert plan.ids == script("example", 1, 3, None).ids


@pytest.mark.parametrize(
    ("url", "base", "feed"),
    [
        ("http://a.example", "http://a.example", serving.FEED),
        ("http://a.example/", "http://a.example", serving.FEED),
        ("https://a.example/x/v1/catalogue/changes", "https://a.example/x", serving.FEED),
        ("https://a.example/feeds/all", "https://a.example", "/feeds/all"),
    ],
)
def test_the_base_is_found_from_either_address(url, base, feed):
    assert serving.split(url) == (base, feed)


@pytest.mark.parametrize(
    ("changed", "rules"),
    [
        ({}, set()),
        ({"beats": None}, {"beat-fresh", "beat-steady", "beat-clock", "beat-clock-near", "beat-epoch"}),
        ({"highest_epoch": 3}, {"beat-epoch"}),
        ({"parked": {"bad-envelope": 1, "foreign-source": 2}}, {"bus-envelope"}),
        ({"parked": {"bad-data": 1}}, {"bus-schema"}),
        ({"parked": {"not-owner": 1}}, {"bus-rights"}),
        ({"parked": {"quarantined": 1}}, {"bus-unforeseen"}),
        ({"forks": 1}, {"bus-version"}),
        ({"lag": 2}, {"bus-receipt"}),
        ({"owed": 2}, {"bus-confirm"}),
        ({"drift": 1}, {"digest-equal"}),
    ],
)
def test_a_node_of_the_bus_is_judged_by_what_was_heard(changed, rules):
    beats = Beats(heard_at=AT, beating_since=datetime(2026, 11, 22, tzinfo=UTC), epoch=1, offset_s=0.1)
    known = {"beats": beats, "highest_epoch": 1, "parked": {}, "forks": 0, "lag": 0, "owed": 0, "drift": 0}
    report = judge_bus("baotou", BusObserved(**known | changed), AT)
    assert {one.rule for one in report.failures} == rules
