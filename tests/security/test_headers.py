"""Idempotency-Key, If-Match and the rate limit, at each service."""

from uuid import uuid4

import pytest
from matchmaking.campaigns.schemas import EXAMPLE
from reference import credit_code

from tests.security.platforms import Platform
from tests.security.straight_path import AGENT, OWNER, offering, provider

_numbers = iter(range(700_000, 800_000))


def enterprise():
    return {
        "name": "示例企业", "credit_code": credit_code.complete(f"91150105{next(_numbers):09d}"), "division": "150105",
        "industry": "1441", "employees": 46, "revenue_cents": 1_850_000_000, **OWNER.contact(),
    }  # fmt: skip


def agency():
    return {
        "name": "示例机构", "credit_code": credit_code.complete(f"91150203{next(_numbers):09d}"),
        "division": "150203", **AGENT.contact(),
    }  # fmt: skip


def rotation():
    # At once: a second rotation would have to wait for the first.
    return {"sign_after_s": 400 + next(_numbers) % 100, "compromised": True}


def campaign():
    return EXAMPLE | {"name": f"服务券 {next(_numbers)}"}


# A call that makes something, and whose right it is. The window's demands go through another door: see below.
MAKING = {
    "hub": ("/v1/keys/rotation", "operator", rotation),
    "window": ("/v1/enterprises", "sme", enterprise),
    "cluster": ("/v1/providers", "agency", agency),
    "matchmaking": ("/v1/campaigns", "operator", campaign),
}


async def post(platform, who, body, key=None, path=None):
    headers = who | ({"Idempotency-Key": key} if key is not None else {})
    return await platform.http.post(path or MAKING[platform.kind][0], json=body, headers=headers)


async def test_a_key_means_one_act(writable):
    _, role, draft = MAKING[writable.kind]
    who, other, key, body = (
        writable.who(str(uuid4()), role),
        writable.who(str(uuid4()), role),
        str(uuid4()),
        draft(),
    )
    first = await post(writable, who, body, key)
    again = await post(writable, who, body, key)
    assert (first.status_code, again.status_code, again.json()) == (201, 201, first.json())
    assert again.headers["idempotency-replayed"] == "true"
    reused = await post(writable, who, draft(), key)
    assert (reused.status_code, reused.json()["code"]) == (422, "idempotency-key-reused")
    # Somebody else's key is another key: neither their answer nor that there is one can be learnt.
    theirs = await post(writable, other, draft(), key)
    assert theirs.status_code == 201
    assert "idempotency-replayed" not in theirs.headers


async def test_a_key_means_one_demand(network):
    window, who, key = network["window"], network["window"].who(str(uuid4()), "sme"), str(uuid4())
    company = await window.post("/v1/enterprises", who, enterprise())
    body = {"enterprise_id": company["id"], "title": "检测", "text": "乳制品检测"}
    first = await post(window, who, body, key, "/v1/demands")
    again = await post(window, who, body, key, "/v1/demands")
    assert (first.status_code, again.json()) == (201, first.json())
    reused = await post(window, who, body | {"title": "另一件事"}, key, "/v1/demands")
    assert (reused.status_code, reused.json()["code"]) == (422, "idempotency-key-reused")
    elsewhere = await post(window, who, body, key, "/v1/enterprises")
    assert elsewhere.status_code == 422
    assert len((await window.get("/v1/demands", who))["items"]) == 1


@pytest.mark.parametrize("key", ["", " ", "x" * 201, "ключ".encode(), b"a\x00b", "a b"])
async def test_a_strange_key_is_refused(writable, key):
    _, role, draft = MAKING[writable.kind]
    answer = await post(writable, writable.who(str(uuid4()), role), draft(), key)
    assert answer.status_code == 422
    assert answer.headers["content-type"] == "application/problem+json"


EDITED = [
    ("window", "enterprises", {"employees": 47}), ("window", "providers", {"profile": "新"}),
    ("window", "offerings", {"lead_days": 6}), ("cluster", "providers", {"profile": "新"}),
    ("cluster", "offerings", {"lead_days": 7}), ("cluster", "resources", {"hourly_occupancy_fee_cents": 45_000}),
]  # fmt: skip


async def made(platform, noun):
    if noun == "enterprises":
        who = platform.who(str(uuid4()), "sme")
        return who, (await platform.post("/v1/enterprises", who, enterprise()))["id"]
    who = platform.who(str(uuid4()), "agency")
    owner = await provider(platform, who, AGENT, next(_numbers))
    if noun == "providers":
        return who, owner
    if noun == "offerings":
        return who, await offering(platform, who, owner)
    example = next(o.example for o in platform.operations if o.name == "POST /v1/resources")
    return who, (await platform.post("/v1/resources", who, example | {"provider_id": owner}))["id"]


@pytest.mark.parametrize(("kind", "noun", "change"), EDITED)
async def test_an_edit_says_what_it_is_based_on(network, kind, noun, change):
    platform = network[kind]
    who, id = await made(platform, noun)
    path = f"/v1/{noun}/{id}"
    tag = (await platform.http.get(path, headers=who)).headers["etag"]

    async def patch(match):
        headers = who | ({"If-Match": match} if match is not None else {})
        return await platform.http.patch(path, json=change, headers=headers)

    missing = await patch(None)
    assert (missing.status_code, missing.json()["code"]) == (428, "if-match-needed")
    for stale in ('"1.999"', f"W/{tag}", tag.strip('"'), "*", "", '"1.1", "1.2"', "x" * 100):
        answer = await patch(stale)
        assert (answer.status_code, answer.json()["code"]) == (412, "stale-version"), stale
    assert (await patch("x" * 101)).status_code == 422
    done = await patch(tag)
    assert done.status_code == 200, done.text
    assert done.headers["etag"] != tag
    twice = await patch(tag)
    assert (twice.status_code, twice.json()["code"]) == (412, "stale-version")


# A whole catalogue replaces whatever is there, each record in it says its version; an approval is there or not.
REPLACES = {
    ("put", "/v1/nodes/{id}/catalogue"),
    ("put", "/v1/nodes/{id}/pull"),
    ("delete", "/v1/nodes/{id}/pull"),
}


def test_every_edit_asks_for_if_match(platform):
    for path, calls in platform.app.openapi()["paths"].items():
        for method in ("patch", "put", "delete"):
            if method in calls and (method, path) not in REPLACES:
                assert "if-match" in [p["name"].lower() for p in calls[method]["parameters"]], (method, path)


@pytest.fixture(params=["hub", "window", "cluster", "matchmaking"])
async def slow(request, network, tmp_path):
    """A second process of each service that allows three calls a minute."""
    url = network[request.param].settings.database_url
    platform = Platform(request.param, url, tmp_path, calls_per_minute=3)
    yield platform
    await platform.close()


PAGES = {
    "hub": "/v1/users", "window": "/v1/demands", "cluster": "/v1/providers",
    "matchmaking": f"/v1/matches/hohhot/{uuid4()}",
}  # fmt: skip


async def test_who_calls_too_often_waits_and_nobody_else_does(slow, monkeypatch):
    monkeypatch.setattr(
        "common.limits.time.time", lambda: 1_800_000_000.0
    )  # the minute does not end meanwhile
    monkeypatch.setattr(slow.runtime.verifier, "_now", slow.runtime.clock)
    busy, calm = str(uuid4()), str(uuid4())
    path = PAGES[slow.kind]
    for _ in range(3):
        # A new token each time: it is the caller who is counted.
        assert (await slow.http.get(path, headers=slow.who(busy, "operator"))).status_code in (200, 404)
    for headers in (slow.who(busy, "operator"), slow.who(busy, "sme")):
        answer = await slow.http.get(path, headers=headers)
        assert (answer.status_code, answer.json()["code"]) == (429, "rate-limited")
        assert 1 <= int(answer.headers["retry-after"]) <= 60
        assert answer.headers["content-type"] == "application/problem+json"
    assert (await slow.http.get(path, headers=slow.who(calm, "operator"))).status_code in (200, 404)
    monkeypatch.setattr("common.limits.time.time", lambda: 1_800_000_060.0)
    assert (await slow.http.get(path, headers=slow.who(busy, "operator"))).status_code in (200, 404)


async def test_the_public_catalogue_has_a_limit_too(network, tmp_path):
    hub = Platform("hub", network["hub"].settings.database_url, tmp_path, calls_per_minute=3)
    try:
        answers = [await hub.http.get("/v1/catalogue") for _ in range(7)]
        assert 429 in {answer.status_code for answer in answers}
        assert answers[0].status_code == 200
    finally:
        await hub.close()
