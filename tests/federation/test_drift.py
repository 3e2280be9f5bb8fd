"""Hub and matchmaking hold what the platforms have, on the whole network; and the commands that prove and mend it."""

import json

import asyncpg

from tests.federation.conftest import hubnet


async def sql(network, node, query, *values):
    url = network.superuser_url.rsplit("/", 1)[0] + "/" + network.topology.node(node).database
    connection = await asyncpg.connect(url)
    try:
        return await connection.fetch(query, *values)
    finally:
        await connection.close()


def compared(told):
    return {
        (owner, one["observer"]): (one["state"], one["total"])
        for owner, drift in told["nodes"].items()
        for one in drift["comparisons"]
    }


async def test_every_copy_is_what_its_owner_has_and_a_loss_is_mended(network, example):
    told = json.loads(hubnet(network.folder, "drift", "--json").stdout)
    owners = [node.id for node in network.topology.of_kind("window", "cluster")]
    assert (told["total"], told["silent"]) == (0, [])
    assert compared(told) == {(owner, at): ("equal", 0) for owner in owners for at in ("hub", "matchmaking")}
    (lost,) = await sql(
        network, "hub", "DELETE FROM catalogue_offerings WHERE id = (SELECT id FROM catalogue_offerings"
        " WHERE owner = 'wuhai' ORDER BY id LIMIT 1) RETURNING id",
    )  # fmt: skip
    shown = hubnet(network.folder, "drift", "wuhai").stdout
    assert "equal" in shown and "baotou" not in shown
    assert await sql(network, "hub", "SELECT 1 FROM catalogue_offerings WHERE id = $1", lost["id"])


async def test_a_node_begins_anew_by_the_runbook(network, example):
    told = json.loads(hubnet(network.folder, "restored", "alxa", "--json").stdout)
    assert (told["node"], told["state"], told["lost_cases"]) == ("alxa", "ended", [])
    epochs = await sql(network, "hub", "SELECT DISTINCT epoch FROM catalogue_offerings WHERE owner = 'alxa'")
    assert [row["epoch"] for row in epochs] == [told["epoch"]]
    assert json.loads(hubnet(network.folder, "drift", "alxa", "--json").stdout)["total"] == 0
    refused = hubnet(network.folder, "restored", "atlantis", check=False)
    assert refused.returncode == 1 and "atlantis" not in refused.stdout
