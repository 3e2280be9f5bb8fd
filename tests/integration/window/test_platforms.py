"""Nobody is invited where an invitation would reach nobody."""

from datetime import timedelta
from uuid import uuid4

import pytest
from common.contracts.platforms import PlatformChanged


@pytest.mark.parametrize("standing", ["away", "quarantined", "retired"])
async def test_a_provider_of_a_platform_that_is_not_there_is_not_invited_until_it_is_back(window, standing):
    who = window.sme()
    demand = await window.demand(who)
    match = window.match(demand)
    await window.hear(match, "matchmaking")
    body = {
        "offering_ids": [str(candidate.offering_id) for candidate in match.candidates],
        "respond_by": (window.watch.at + timedelta(days=7)).isoformat(),
    }
    path = f"/v1/demands/{demand['id']}/invitations"
    platform = match.candidates[0].platform
    before = await window.rows("SELECT version FROM platforms WHERE node = $1", platform)
    version = before[0]["version"] + 1 if before else 1
    gone = PlatformChanged(
        id=uuid4(), version=version, node=platform, standing=standing, as_of=window.watch.at
    )
    assert await window.hear(gone, "baotou") == "parked"  # the hub alone says how a platform is
    assert await window.hear(gone, "hub") == "done"
    window.refused(await window.post(path, who, body), 409, "platform-away", "offering_ids.0")
    assert (await window.get(path, who)).json()["items"] == []
    silent = gone.model_copy(update={"version": version + 1, "standing": "ready"})
    await window.hear(silent, "hub")
    window.made(await window.post(path, who, body))
