"""A platform's own changes, read from it by position."""

from common.copies import content_hash

PATH = "/v1/catalogue/changes"


async def read(caller, after=None):
    answer = await caller.get(PATH, params={"after": after} if after else {})
    assert answer.status_code == 200, answer.text
    return answer.json()


async def test_a_platform_tells_what_it_said_on_the_bus(platform, staff, agency, provider, make):
    first = await read(staff)
    offered = (await agency.post("/v1/offerings", json=make.offering(provider["id"]))).json()
    news = await read(staff, first["next_cursor"])
    (item,) = news["items"]
    (said,) = await platform.said("offering.submitted%")
    assert (item["noun"], item["id"], item["data"]) == ("offering", offered["id"], said["data"])
    assert item["content_hash"] == content_hash(said["data"])
    assert (await read(staff, news["next_cursor"]))["items"] == []
    nouns = [x["noun"] for x in (await read(staff))["items"]]
    assert sorted(nouns) == ["offering", "provider"]


async def test_the_hub_reads_in_the_platforms_name_and_nobody_else_reads(platform, agency, provider):
    hub = platform.caller("node:hub", "platform", home=platform.node)
    assert len((await read(hub))["items"]) == 1
    for who in (
        agency,
        platform.caller("node:hub", "platform", home="wuhai"),
        platform.caller("d-1", "department"),
    ):
        assert (await who.get(PATH)).status_code == 403
