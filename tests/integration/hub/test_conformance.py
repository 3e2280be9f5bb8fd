"""Any platform can prove by itself that it belongs, and is told by rule what does not hold (S20)."""

import asyncio
import contextlib
from datetime import UTC, datetime

from conformance import fetching, serving

from tests.foreign.running import foreign

SPEAKING = (
    "version", "resurrect", "contacts", "clock", "confirm", "unknown", "all-or-nothing",
)  # fmt: skip


def verdicts(report, verdict):
    return {one["rule"] for one in report["findings"] if one["verdict"] == verdict}


async def test_self_service_conformance_a_stranger_passes_without_anybody_reading_logs(hub, tmp_path):
    key = await hub.join("example-window", "150123")
    async with foreign(hub.url, "example-window", key, tmp_path) as window:
        done = await window.staff("conformance")
        assert done["status"] == 200, done
        report = done["answer"]["report"]
        assert verdicts(report, "failed") == set(), [
            f for f in report["findings"] if f["verdict"] == "failed"
        ]
        # A hub without any other platform's record has none to try ownership with.
        assert verdicts(report, "skipped") == {"send-not-owner"}
        assert (done["answer"]["state"], report["passed"]) == ("passed", True)
        member = await hub.get("/v1/nodes/example-window/membership")
        assert member["state"] == "probation"
        kept = await hub.get("/v1/nodes/example-window/conformance/1")
        assert kept["report"] == report
        digest = await hub.get("/v1/nodes/example-window/catalogue/digest")
        assert (digest["records"], digest["digest"]) == (0, (await window.staff("state"))["digest"])
        served = await serving.check(fetching.getter(window.url), "example-window", datetime.now(UTC))
        assert served.failures == ()


async def test_each_mistake_is_named_by_its_rule_with_evidence_and_mend(hub, tmp_path):
    key = await hub.join("example-window", "150123")
    async with foreign(hub.url, "example-window", key, tmp_path, *SPEAKING) as window:
        done = await window.staff("conformance", {"token": (await hub.operator())["Authorization"][7:]})
    report = done["answer"]["report"]
    failed = {one["rule"]: one for one in report["findings"] if one["verdict"] == "failed"}
    assert set(failed) == {
        "send-key", "send-update", "send-duplicate", "send-no-resurrection", "send-tombstone",
        "send-bad-row", "data-private", "beat-clock", "beat-clock-near", "hear-messages", "hear-unknown",
        "hear-confirm",
    }  # fmt: skip
    assert all(
        one["evidence"] and one["mend_zh"] and one["mend_en"] and one["see"] for one in failed.values()
    )
    assert failed["send-no-resurrection"]["evidence"]["told"] == ["updated"]
    assert "13800000000" not in str(report)
    assert not report["passed"]
    member = await hub.get("/v1/nodes/example-window/membership")
    assert member["state"] == "keyed"
    assert "conformance" in member["next_en"]


async def test_a_feed_that_loses_or_repeats_records_is_named(hub, tmp_path):
    key = await hub.join("example-window", "150123")
    async with foreign(hub.url, "example-window", key, tmp_path, "history", "skips", "cursor") as window:
        await window.staff("conformance")
        report = await serving.check(fetching.getter(window.url), "example-window", datetime.now(UTC))
    assert {one.rule for one in report.failures} >= {"serve-once", "serve-pages", "serve-cursor"}
    assert not report.passed


async def test_the_hub_reads_a_feed_only_when_an_operator_says_so(hub, tmp_path):
    key = await hub.join("example-window", "150123")
    async with contextlib.AsyncExitStack() as stack:
        window = await stack.enter_async_context(foreign(hub.url, "example-window", key, tmp_path))
        own = await hub.grant(
            grant_type="client_credentials", client_id=key["client_id"], client_secret=key["client_secret"]
        )
        path, body = "/v1/nodes/example-window/conformance", {"mode": "serving"}
        refused = await hub.http.post(path, json=body, headers=own)
        assert (refused.status_code, refused.json()["code"]) == (403, "operator-needed")
        operator = await hub.operator()
        assert (await hub.http.post(path, json=body, headers=operator)).json()["code"] == "no-feed"
        tag = (await hub.http.get("/v1/nodes/example-window/membership", headers=own)).headers["ETag"]
        feed = {"feed_url": f"{window.url}/v1/catalogue/changes"}
        edited = await hub.http.patch(
            "/v1/nodes/example-window/membership", json=feed, headers=own | {"If-Match": tag}
        )
        assert edited.status_code == 200, edited.text
        run = await hub.http.post(path, json=body, headers=operator)
        assert (run.status_code, run.json()["mode"], run.json()["state"]) == (201, "serving", "passed"), (
            run.text
        )
    gone = await hub.http.post(path, json=body, headers=operator)
    assert (gone.status_code, gone.json()["code"]) == (409, "platform-unreachable")


async def test_a_run_ends_once_and_a_new_one_overtakes_it(hub):
    await hub.join("example-window", "150123")
    operator = await hub.operator()
    path = "/v1/nodes/example-window/conformance"
    first = (await hub.http.post(path, json={}, headers=operator)).json()
    second = (await hub.http.post(path, json={}, headers=operator)).json()
    assert [first["number"], second["number"]] == [1, 2]
    told = {"outcomes": {}, "messages": []}
    late = await hub.http.post(f"{path}/1/completion", json=told, headers=operator)
    assert late.json()["code"] == "run-ended"
    async with asyncio.timeout(10):
        while (
            done := await hub.http.post(f"{path}/2/completion", json=told, headers=operator)
        ).status_code == 409:
            assert done.json()["code"] == "run-too-young"
            await asyncio.sleep(0.05)
    assert done.json()["state"] == "failed"
    assert done.json()["report"]["counts"]["passed"] == 0
    states = [run["state"] for run in (await hub.get(path))["items"]]
    assert states == ["failed", "overtaken"]


async def test_a_node_of_the_bus_is_judged_by_what_the_hub_heard_of_it(hub):
    operator = await hub.operator()
    run = (await hub.http.post("/v1/nodes/baotou/conformance", json={}, headers=operator)).json()
    assert (run["mode"], run["state"]) == ("bus", "failed")
    assert verdicts(run["report"], "failed") == {
        "beat-fresh", "beat-steady", "beat-clock", "beat-clock-near", "beat-epoch"
    }  # fmt: skip
    assert {"bus-envelope", "bus-schema", "bus-rights", "bus-version"} <= verdicts(run["report"], "passed")
