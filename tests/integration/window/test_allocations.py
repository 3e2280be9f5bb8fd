"""What campaigns gave to a demand: from matchmaking alone, for the demand's owner and staff alone."""

import random
from uuid import uuid4

from common import ids
from common.contracts.allocations import AllocationMade, AllocationWithdrawn


def allocation(window, demand, kind=AllocationMade, **other):
    said = {
        "id": ids.derived("allocation", demand["id"]), "version": 1, "campaign_id": ids.derived("campaign"),
        "campaign_name": "检测服务券", "kind": "service_voucher", "demand_id": demand["id"],
        "demand_number": demand["number"], "demand_title": demand["title"], "demand_window": "hohhot",
        "platform": "baotou", "provider_id": uuid4(), "provider_name": "检测机构", "offering_id": uuid4(),
        "offering_title": "食品检验", "amount_cents": 500_000, "state": "assigned", "decided_at": window.watch.at,
    }  # fmt: skip
    return kind.model_validate(said | other)


async def test_the_owner_and_staff_see_it_and_nobody_else(window):
    who = window.sme()
    demand = await window.demand(who)
    path = f"/v1/demands/{demand['id']}/allocations"
    assert (await window.get(path, who)).json() == {"demand_id": demand["id"], "items": []}
    given = allocation(window, demand)
    assert await window.hear(given, "matchmaking") == "done"
    for reader in (who, window.staff(), window.token("op", "operator")):
        [item] = (await window.get(path, reader)).json()["items"]
        assert (item["provider_name"], item["amount_cents"], item["state"]) == (
            "检测机构",
            500_000,
            "assigned",
        )
    for other in (window.sme(), window.token("a", "agency"), window.staff("baotou")):
        window.refused(await window.get(path, other), 404, "not-found")
    assert (await window.get(path, {})).status_code == 401


async def test_doubled_and_shuffled_it_ends_like_the_newest_alone(window):
    who = window.sme()
    demand = await window.demand(who)
    made = allocation(window, demand)
    gone = AllocationWithdrawn.model_validate(
        made.model_dump() | {"version": 2, "state": "withdrawn", "state_reason": "企业放弃"}
    )
    heard = [made, gone] * 2
    random.shuffle(heard)
    for fact in heard:
        assert await window.hear(fact, "matchmaking") == "done"
    [item] = (await window.get(f"/v1/demands/{demand['id']}/allocations", who)).json()["items"]
    assert (item["version"], item["state"], item["state_reason"]) == (2, "withdrawn", "企业放弃")


async def test_a_foreign_word_and_one_of_a_strange_demand_are_parked(window):
    who = window.sme()
    demand = await window.demand(who)
    for source, other in (
        ("baotou", {}),
        ("hub", {}),
        ("matchmaking", {"demand_window": "baotou"}),
        ("matchmaking", {"demand_id": uuid4()}),
    ):
        assert await window.hear(allocation(window, demand, **other), source) == "parked"
    assert {"foreign-allocation", "not-found"} <= set(await window.parked())
    assert (await window.get(f"/v1/demands/{demand['id']}/allocations", who)).json()["items"] == []


async def test_of_a_demand_elsewhere_only_the_providers_side_keeps_it(window):
    agency, staff = window.token(f"agency-{uuid4()}", "agency"), window.staff()
    profile = {k: v for k, v in window.profile().items() if k in ("name", "credit_code", "division")}
    body = profile | window.person | {"categories": [], "profile": "检测"}
    provider = window.made(await window.post("/v1/providers", agency, body))
    elsewhere = {"id": str(uuid4()), "number": "BT-1", "title": "稀土检测"}
    given = allocation(
        window, elsewhere, demand_window="baotou", platform="hohhot", provider_id=provider["id"]
    )
    assert await window.hear(given, "matchmaking") == "done"
    assert [
        one["demand_number"] for one in (await window.get("/v1/allocations", agency)).json()["items"]
    ] == ["BT-1"]
    window.refused(await window.get(f"/v1/demands/{elsewhere['id']}/allocations", staff), 404, "not-found")


async def test_when_both_are_at_home_here_one_word_reaches_both(window):
    who, agency = window.sme(), window.token(f"agency-{uuid4()}", "agency")
    profile = {k: v for k, v in window.profile().items() if k in ("name", "credit_code", "division")}
    provider = window.made(
        await window.post(
            "/v1/providers", agency, profile | window.person | {"categories": [], "profile": "检测"}
        )
    )
    demand = await window.demand(who)
    given = allocation(window, demand, platform="hohhot", provider_id=provider["id"])
    assert await window.hear(given, "matchmaking") == "done"
    [theirs] = (await window.get("/v1/allocations", agency)).json()["items"]
    [ours] = (await window.get(f"/v1/demands/{demand['id']}/allocations", who)).json()["items"]
    assert theirs["id"] == ours["id"] == str(given.id)
