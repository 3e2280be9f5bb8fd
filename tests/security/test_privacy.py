"""What is personal stays where it was given: never on the bus, in the audit, in a log or at another platform."""

from uuid import uuid4

import pytest
from reference import credit_code

from tests.security.straight_path import OWNER, PEOPLE

# Where a contact lives. The answers kept for repeated calls are its owner's own.
AT_HOME = {
    "hub": set(),
    "window": {"enterprises", "providers", "idempotency_keys"},
    "cluster": {"providers", "resources", "idempotency_keys"},
    "matchmaking": set(),
}
CANARIES = [value for person in PEOPLE for value in person]


async def tables(platform):
    found = await platform.rows(
        "SELECT table_name FROM information_schema.tables WHERE table_schema = 'public' ORDER BY 1"
    )
    return [row["table_name"] for row in found]


async def holding(platform, canary):
    """The tables where it is found, in text or in bytes."""
    found = set()
    for table in await tables(platform):
        as_bytes = f"%{canary.encode().hex()}%"
        escaped = f"%{canary.encode('ascii', 'backslashreplace').decode()}%".replace("\\", "\\\\")
        query = f'SELECT count(*) AS n FROM "{table}" t WHERE t::text LIKE ANY($1::text[])'
        if (await platform.rows(query, [f"%{canary}%", as_bytes, escaped]))[0]["n"]:
            found.add(table)
    return found


@pytest.mark.usefixtures("case")
@pytest.mark.parametrize("canary", CANARIES)
async def test_a_contact_is_nowhere_but_with_the_platform_it_was_given_to(network, canary):
    for kind, platform in network.items():
        assert await holding(platform, canary) - AT_HOME[kind] == set(), kind


@pytest.mark.usefixtures("case")
async def test_the_search_finds_what_there_is(network):
    """Else it would find nothing anywhere, and prove nothing."""
    assert "enterprises" in await holding(network["window"], OWNER.phone)
    for platform in network.values():
        assert {"outbox", "dead_letters", "audit", "inbox_failures"} <= set(await tables(platform))
    for kind, table in (
        ("window", "outbox"),
        ("window", "audit"),
        ("hub", "outbox"),
        ("matchmaking", "demands"),
    ):
        assert (await network[kind].rows(f"SELECT count(*) AS n FROM {table}"))[0]["n"] > 0
    # Also in the bytes of a dead letter.
    key, canary = str(uuid4()), f"canary-{uuid4().hex}"
    await network["hub"].hear(f'{{"phone": "{canary}"}}'.encode(), "hohhot", key=key)
    assert await holding(network["hub"], canary) == {"dead_letters"}


async def test_no_log_holds_a_contact(network, logged):
    """Refusals, conflicts and failures of a call that carries one."""
    window = network["window"]
    example = next(o.example for o in window.operations if o.name == "POST /v1/enterprises")
    body = example | OWNER.contact()
    answers = [
        await window.http.post("/v1/enterprises", json=json, headers=window.who(str(uuid4()), "sme"))
        for json in (
            body,
            body,
            body | {"division": "999999"},
            body | {"contact_phone": f"{OWNER.phone}\0"},
            [body],
        )
    ]
    assert {answer.status_code for answer in answers[1:]} <= {409, 422}
    # The worst: the database refuses, and the error is logged with all its causes.
    await window.rows("ALTER TABLE enterprises RENAME TO enterprises_away")
    try:
        other = body | {"credit_code": credit_code.complete("91150100MA0N00091")}
        answers.append(
            await window.http.post("/v1/enterprises", json=other, headers=window.who(str(uuid4()), "sme"))
        )
    finally:
        await window.rows("ALTER TABLE enterprises_away RENAME TO enterprises")
    assert answers[-1].status_code == 500, answers[-1].text
    assert "UndefinedTable" in logged.getvalue()
    for answer in answers[1:]:
        assert not [canary for canary in OWNER if canary in answer.text]
    assert not [canary for canary in OWNER if canary in logged.getvalue()]


async def test_no_log_and_no_table_holds_a_password(network, logged):
    hub, password, name = network["hub"], f"steppe-{uuid4().hex}", f"user-{uuid4().hex[:12]}"
    body = {"username": name, "password": password, "role": "sme", "home": "hohhot"}
    for wrong in (body, body, body | {"role": "king"}, body | {"username": "a\0"}):
        answer = await hub.http.post("/v1/users", json=wrong)
        assert password not in answer.text
    form = {"grant_type": "password", "username": name, "password": password}
    answer = await hub.http.post("/oauth/token", data=form)
    assert answer.status_code == 200, answer.text
    token = answer.json()["access_token"]
    (await hub.http.post("/oauth/token", data=form | {"password": password + "x"})).json()
    assert password not in logged.getvalue()
    assert token not in logged.getvalue()
    assert await holding(hub, password) == set()
    assert await holding(hub, token) == set()
