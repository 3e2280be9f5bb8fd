"""Demands that campaigns gave to a provider: from matchmaking alone, for its owner and staff alone."""

from uuid import uuid4

from common.contracts.allocations import AllocationMade, AllocationWithdrawn
from common.ids import new
from common.inbox import Verdict


def allocation(here, provider, **other):
    said = {
        "id": new(), "version": 1, "campaign_id": new(), "campaign_name": "三走访", "kind": "three_visits",
        "demand_id": new(), "demand_number": "HH-1", "demand_title": "检测", "demand_window": "hohhot",
        "platform": here.node, "provider_id": provider["id"], "provider_name": provider["name"],
        "offering_id": new(), "offering_title": "磁性能检测", "state": "assigned", "decided_at": here.clock(),
    }  # fmt: skip
    return AllocationMade.model_validate(said | other)


async def test_the_owner_and_staff_see_it_and_nobody_else(platform, agency, other, staff, provider):
    given = allocation(platform, provider)
    assert await platform.hear(given, source="matchmaking") is Verdict.DONE
    url = f"/v1/allocations/{given.id}"
    for reader in (agency, staff):
        assert (await reader.get(url)).json()["campaign_name"] == "三走访"
        assert [one["id"] for one in (await reader.get("/v1/allocations")).json()["items"]] == [str(given.id)]
    assert (await other.get(url)).status_code == 404
    assert (await other.get("/v1/allocations")).json()["items"] == []
    for role in ("sme", "department"):
        assert (await platform.caller("x", role).get("/v1/allocations")).status_code == 403
    foreign = platform.caller("s", "window_staff", home="ordos")
    assert (await foreign.get("/v1/allocations")).status_code == 403


async def test_the_copy_follows_by_version(platform, agency, provider):
    given = allocation(platform, provider)
    gone = AllocationWithdrawn.model_validate(given.model_dump() | {"version": 2, "state": "withdrawn"})
    for fact in (gone, given, gone):
        assert await platform.hear(fact, source="matchmaking") is Verdict.DONE
    assert (await agency.get(f"/v1/allocations/{given.id}")).json()["state"] == "withdrawn"
    assert (await agency.get("/v1/allocations?state=assigned")).json()["items"] == []


async def test_a_page_goes_on_where_the_last_ended(platform, agency, provider):
    for _ in range(3):
        await platform.hear(allocation(platform, provider), source="matchmaking")
    first = (await agency.get("/v1/allocations?limit=2")).json()
    rest = (await agency.get(f"/v1/allocations?limit=2&after={first['next_cursor']}")).json()
    assert (len(first["items"]), len(rest["items"]), rest["next_cursor"]) == (2, 1, None)


async def test_a_foreign_word_and_one_of_nobody_here_are_parked(platform, agency, provider):
    for source, change in (
        ("hohhot", {}),
        ("matchmaking", {"platform": "ordos"}),
        ("matchmaking", {"provider_id": uuid4()}),
    ):
        fact = allocation(platform, provider, **change)
        assert await platform.hear(fact, source=source) is Verdict.PARKED
    # Of a demand here and a provider elsewhere the demand's side keeps it.
    fact = allocation(platform, provider, platform="ordos", demand_window=platform.node)
    assert await platform.hear(fact, source="matchmaking") is Verdict.DONE
    assert (await agency.get("/v1/allocations")).json()["items"] == []
