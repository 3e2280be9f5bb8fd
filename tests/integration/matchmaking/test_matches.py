"""Operators read why; nobody else does. The migrations make what the code expects."""

from uuid import uuid4

import httpx
import pytest
from common.auth import Principal, caller

from tests.integration.matchmaking.network import demand, offering, provider


@pytest.fixture
async def read(network):
    async def get(path, *roles, home=None):
        who = Principal("someone", frozenset(roles), "matchmaking", home)
        network.app.dependency_overrides[caller] = lambda: who
        transport = httpx.ASGITransport(network.app)
        async with httpx.AsyncClient(transport=transport, base_url="http://matchmaking") as client:
            return await client.get(path)

    return get


async def test_an_operator_reads_the_evidence(network, read):
    await network.say(provider(), offering())
    await network.say(demand(), source="hohhot")
    answer = await read(f"/v1/matches/hohhot/{demand().id}", "operator")
    assert answer.status_code == 200
    [match] = answer.json()["items"]
    assert match["engine"].startswith("bm25")
    assert (match["considered"], match["retrieved"], match["outcome"]) == (1, 1, "matched")
    assert "牛奶" in match["candidates"][0]["reason_zh"]


@pytest.mark.parametrize("role", ["sme", "agency", "window_staff", "department"])
async def test_others_do_not(network, read, role):
    await network.say(demand(), source="hohhot")
    answer = await read(f"/v1/matches/hohhot/{demand().id}", role, home="matchmaking")
    assert answer.status_code == 403


@pytest.mark.parametrize(
    ("path", "status"),
    [(f"hohhot/{uuid4()}", 404), ("hohhot/1", 422), (f"H%00/{uuid4()}", 422), (f"nowhere/{uuid4()}", 404)],
)
async def test_unknown_and_senseless_ids_are_refused(read, path, status):
    answer = await read(f"/v1/matches/{path}", "operator")
    assert answer.status_code == status
    assert answer.headers["content-type"] == "application/problem+json"
