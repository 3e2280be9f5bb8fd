"""Operators and the demand's own window read why; nobody else does."""

import pytest

from tests.integration.matchmaking.network import demand, offering, provider

NOBODY = "00000000-0000-4000-8000-000000000000"
PATH = f"/v1/matches/hohhot/{demand().id}"


async def test_an_operator_reads_the_evidence(network):
    await network.say(provider(), offering())
    await network.say(demand(), source="hohhot")
    answer = await network.get(PATH)
    assert answer.status_code == 200
    [match] = answer.json()["items"]
    sent = await network.match()
    assert match["engine"] == match["versions"]["engine"] == sent.engine
    assert (match["considered"], match["retrieved"], match["outcome"]) == (1, 1, "matched")
    assert "牛奶" in match["candidates"][0]["reason_zh"]
    assert match["versions"] == sent.versions and match["degraded"] == ["semantic-off"]
    assert match["widened"] == match["similar"] == []


async def test_every_result_is_kept_newest_first(network):
    from common.contracts.demands import DemandChanged

    await network.say(demand(), source="hohhot")
    await network.say(provider(), offering())
    await network.say(demand(kind=DemandChanged, version=2), source="hohhot")
    items = (await network.get(PATH)).json()["items"]
    assert [(one["version"], one["outcome"]) for one in items] == [(2, "matched"), (1, "no_match")]
    assert [step["step"] for step in items[1]["widened"]] == ["neighbours", "region"]


@pytest.mark.parametrize(
    ("role", "home", "status"),
    [
        ("window_staff", "hohhot", 200),
        ("window_staff", "baotou", 404),
        ("window_staff", "matchmaking", 404),
        ("cluster_staff", "hohhot", 403),
        ("sme", None, 403),
        ("agency", None, 403),
        ("department", None, 403),
    ],
)
async def test_only_the_demands_own_window_reads_it(network, role, home, status):
    await network.say(demand(), source="hohhot")
    assert (await network.get(PATH, role, home)).status_code == status


@pytest.mark.parametrize(
    ("path", "status"),
    [(f"hohhot/{NOBODY}", 404), ("hohhot/1", 422), (f"H%00/{NOBODY}", 422), (f"nowhere/{NOBODY}", 404)],
)
async def test_unknown_and_senseless_ids_are_refused(network, path, status):
    answer = await network.get(f"/v1/matches/{path}")
    assert answer.status_code == status
    assert answer.headers["content-type"] == "application/problem+json"
