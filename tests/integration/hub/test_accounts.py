"""People, machines, keys: made, limited, revoked."""

import asyncio

import pytest
from hub.provision import first_operator

PASSWORD = "a-long-enough-one"


def bearer(token):
    return {"Authorization": f"Bearer {token}"}


async def register(world, ip="127.0.0.1", **fields):
    body = {"username": "mengyuan-food", "password": PASSWORD, "role": "sme"} | fields
    async with world.client(ip) as client:
        return await client.post("/v1/users", json=body)


async def test_an_enterprise_registers_and_signs_in(world):
    made = await register(world, home="hohhot")
    assert made.status_code == 201
    assert made.json()["roles"] == ["sme"]
    assert made.json()["home"] == "hohhot"
    assert PASSWORD not in made.text
    answer = await world.grant(grant_type="password", username="Mengyuan-Food", password=PASSWORD)
    assert answer.status_code == 200
    audit = await world.rows(
        "SELECT actor, object_id FROM audit WHERE action = 'user.created' ORDER BY id DESC"
    )
    assert audit[0]["actor"] == audit[0]["object_id"] == made.json()["id"]


@pytest.mark.parametrize("role", ["operator", "window_staff", "department", "platform", "root"])
async def test_nobody_registers_as_staff(world, role):
    refused = await register(world, role=role)
    assert refused.status_code == 422
    extra = await register(world, roles=[role])
    assert extra.status_code == 422
    assert await world.rows("SELECT 1 FROM users WHERE username_key = 'mengyuan-food'") == []


@pytest.mark.parametrize(
    "fields, code, field",
    [
        ({"password": "short-one"}, "password-short", "password"),
        ({"username": "Grassland2026", "password": "ｇrassland2026"}, "password-guessable", "password"),
        ({"password": "aaaaaaaaaaaa"}, "password-guessable", "password"),
        ({"username": "Operator"}, "username-reserved", "username"),
        ({"username": "hub.admin"}, "username-reserved", "username"),
        ({"username": "a b c"}, "username-form", "username"),
        ({"username": "..abc"}, "username-form", "username"),
        ({"home": "atlantis"}, "unknown-platform", "home"),
        ({"username": "a\u0000bc"}, "invalid-input", "username"),
        ({"password": "a\ud800bcdefghijk"}, "invalid-input", None),
    ],
)
async def test_bad_registrations_say_what_to_mend(world, fields, code, field):
    import json

    body = {"username": "mengyuan-food", "password": PASSWORD, "role": "sme"} | fields
    refused = await world.http.post(
        "/v1/users", content=json.dumps(body), headers={"Content-Type": "application/json"}
    )
    assert (refused.status_code, refused.json()["code"]) == (422, code)
    if field:
        assert refused.json()["field"] == field
    assert fields.get("password", PASSWORD) not in refused.text


async def test_usernames_that_compare_alike_are_one(world):
    assert (await register(world, username="草原food")).status_code == 201
    for twin in ("草原FOOD", "草原ｆｏｏｄ", "草原ＦＯＯＤ"):
        answer = await register(world, username=twin)
        assert (answer.status_code, answer.json()["code"]) == (409, "username-taken")
    both = await asyncio.gather(*(register(world, username="twice") for _ in range(4)))
    assert sorted(answer.status_code for answer in both) == [201, 409, 409, 409]


async def test_registration_is_limited_per_address(world):
    answers = [await register(world, username=f"u{n}", password="short") for n in range(31)]
    assert answers[-2].status_code == 422
    assert answers[-1].status_code == 429
    assert (await register(world, ip="10.1.1.1")).status_code == 201


async def test_only_an_operator_opens_staff_accounts(world):
    staff = {"username": "baotou.staff", "password": PASSWORD, "roles": ["window_staff"], "home": "baotou"}
    assert (await world.http.post("/v1/staff", json=staff)).status_code == 401
    sme = await world.person("some-sme", "sme")
    assert (await world.http.post("/v1/staff", json=staff, headers=sme)).status_code == 403
    made = await world.http.post("/v1/staff", json=staff, headers=await world.operator())
    assert made.status_code == 201
    homeless = staff | {"username": "other.staff", "home": None}
    refused = await world.http.post("/v1/staff", json=homeless, headers=await world.operator())
    assert (refused.status_code, refused.json()["code"]) == (422, "home-needed")
    elsewhere = staff | {"username": "other.staff", "home": "hohhot-dairy"}
    refused = await world.http.post("/v1/staff", json=elsewhere, headers=await world.operator())
    assert refused.json()["code"] == "home-needed"


async def test_one_sees_oneself_and_nobody_else(world):
    one, two = await world.person("one-sme", "sme"), await world.person("two-sme", "sme")
    mine = (await world.http.get("/v1/users/me", headers=one)).json()["id"]
    assert (await world.http.get(f"/v1/users/{mine}", headers=one)).status_code == 200
    assert (await world.http.get(f"/v1/users/{mine}", headers=two)).status_code == 404
    assert (await world.http.get("/v1/users", headers=two)).status_code == 403
    assert (await world.http.get("/v1/users/me", headers=await world.operator())).status_code == 404
    everybody = (await world.http.get("/v1/users?limit=2", headers=await world.operator())).json()
    assert len(everybody["items"]) == 2
    rest = await world.http.get(f"/v1/users?after={everybody['next_cursor']}", headers=await world.operator())
    assert {u["username"] for u in everybody["items"] + rest.json()["items"]} == {
        "operator",
        "one-sme",
        "two-sme",
    }


async def test_changing_the_password(world):
    who = await world.person("one-sme", "sme")
    wrong = {"old_password": "not-the-old-one", "new_password": "another-long-one"}
    assert (await world.http.post("/v1/users/me/password", json=wrong, headers=who)).json()[
        "code"
    ] == "password-wrong"
    right = wrong | {"old_password": PASSWORD}
    assert (await world.http.post("/v1/users/me/password", json=right, headers=who)).status_code == 200
    old = await world.grant(grant_type="password", username="one-sme", password=PASSWORD)
    new = await world.grant(grant_type="password", username="one-sme", password="another-long-one")
    assert (old.status_code, new.status_code) == (400, 200)


async def test_a_deactivated_user_gets_no_token_nor_do_their_keys(world):
    who = await world.person("one-sme", "sme")
    id = (await world.http.get("/v1/users/me", headers=who)).json()["id"]
    key = (await world.http.post("/v1/api-keys", json={"name": "erp", "roles": ["sme"]}, headers=who)).json()[
        "key"
    ]
    operator = await world.operator()
    assert (await world.http.post(f"/v1/users/{id}/deactivation", headers=operator)).json()["active"] is False
    assert (await world.http.post(f"/v1/users/{id}/deactivation", headers=operator)).status_code == 409
    by_password = await world.grant(grant_type="password", username="one-sme", password=PASSWORD)
    by_key = await world.grant(grant_type="urn:hubnet:grant:api-key", api_key=key)
    assert by_password.json()["error"] == by_key.json()["error"] == "invalid_grant"
    assert (await world.http.post(f"/v1/users/{id}/reactivation", headers=operator)).status_code == 200
    assert (await world.grant(grant_type="urn:hubnet:grant:api-key", api_key=key)).status_code == 200


async def test_api_key_is_scoped_expiring_revocable_and_shown_once(world):
    who = await world.person("two.roles", "agency", "department")
    wide = await world.http.post("/v1/api-keys", json={"name": "x", "roles": ["operator"]}, headers=who)
    assert (wide.status_code, wide.json()["code"]) == (403, "scope-too-wide")
    body = {"name": "erp", "roles": ["agency"], "expires_in_days": 1}
    made = await world.http.post("/v1/api-keys", json=body, headers=who)
    assert made.status_code == 201
    assert made.headers["cache-control"] == "no-store"
    key = made.json()["key"]
    assert key.startswith(f"pk_{made.json()['lookup']}_")
    listed = await world.http.get("/v1/api-keys", headers=who)
    assert key not in listed.text
    assert "key" not in listed.json()["items"][0]
    token = await world.grant(grant_type="urn:hubnet:grant:api-key", api_key=key)
    assert token.json()["scope"] == "agency"
    assert (
        await world.http.get("/v1/cases", headers=bearer(token.json()["access_token"]))
    ).status_code == 403
    assert (
        await world.grant(grant_type="urn:hubnet:grant:api-key", api_key=key[:-1] + "~")
    ).status_code == 400
    world.clock.move(days=1, seconds=1)
    assert (await world.grant(grant_type="urn:hubnet:grant:api-key", api_key=key)).status_code == 400
    world.clock.move(days=-1)
    other = await world.person("other-sme", "sme")
    url = f"/v1/api-keys/{made.json()['id']}/revocation"
    assert (await world.http.post(url, headers=other)).status_code == 404
    assert (await world.http.get("/v1/api-keys", headers=other)).json()["items"] == []
    assert (await world.http.post(url, headers=who)).status_code == 200
    assert (await world.http.post(url, headers=who)).status_code == 409
    assert (await world.grant(grant_type="urn:hubnet:grant:api-key", api_key=key)).status_code == 400


async def test_a_narrow_token_makes_no_wider_key(world):
    await world.person("two.roles", "agency", "department")
    narrow = await world.grant(grant_type="password", username="two.roles", password=PASSWORD, scope="agency")
    refused = await world.http.post(
        "/v1/api-keys",
        json={"name": "x", "roles": ["department"]},
        headers=bearer(narrow.json()["access_token"]),
    )
    assert refused.json()["code"] == "scope-too-wide"
    machine = await world.http.post(
        "/v1/api-keys", json={"name": "x", "roles": ["operator"]}, headers=await world.operator()
    )
    assert machine.json()["code"] == "key-needs-person"


async def test_client_is_registered_and_revoked(world):
    operator = await world.operator()
    body = {"name": "包头接口", "roles": ["window_staff"], "home": "baotou"}
    assert (await world.http.post("/v1/clients", json=body)).status_code == 401
    made = (await world.http.post("/v1/clients", json=body, headers=operator)).json()
    assert made["client_secret"] not in (await world.http.get("/v1/clients", headers=operator)).text
    grant = {
        "grant_type": "client_credentials", "client_id": made["client_id"], "client_secret": made["client_secret"]
    }  # fmt: skip
    assert (await world.grant(**grant)).status_code == 200
    swapped = grant | {"client_id": "hubnet-cli"}
    assert (await world.grant(**swapped)).status_code == 401
    assert (
        await world.http.post(f"/v1/clients/{made['id']}/revocation", headers=operator)
    ).status_code == 200
    assert (await world.grant(**grant)).status_code == 401


async def test_provisioning_is_safe_to_repeat_and_to_run_twice_at_once(settings):
    told = await asyncio.gather(*(first_operator(settings) for _ in range(4)))
    assert sum(password is not None for password in told) == 1
    assert await first_operator(settings) is None


async def test_a_new_bootstrap_secret_replaces_the_old(world):
    old = world.settings.bootstrap_client_file.read_text()
    world.settings.bootstrap_client_file.write_text("another-secret-of-the-operator-0123456789")
    assert await first_operator(world.settings) is None
    grant = {"grant_type": "client_credentials", "client_id": "hubnet-cli"}
    assert (await world.grant(**grant, client_secret=old)).status_code == 401
    assert (await world.operator())["Authorization"]


async def test_rotation_overlaps_and_the_old_key_goes_after_its_tokens(world):
    from common.auth import Principal
    from hub.signing_keys import service

    async def kids():
        return {key["kid"] for key in (await world.http.get("/.well-known/jwks.json")).json()["keys"]}

    async def retire():
        async with world.app.state.runtime.transaction() as tx:
            return await service.retire_spent(tx, Principal.system("hub"), at=world.clock())

    # Verifiers compare tokens with the real time, so the past is where the story begins.
    world.clock.move(seconds=-500)
    await world.rows("UPDATE signing_keys SET signs_from = signs_from - interval '600 s'")
    before = await world.operator()
    (old,) = await kids()
    assert (await world.http.post("/v1/keys/rotation", json={})).status_code == 401
    rotated = await world.http.post("/v1/keys/rotation", json={}, headers=before)
    assert rotated.status_code == 201
    new = rotated.json()["kid"]
    # Published at once, but the old one signs until services have read the new one.
    assert await kids() == {old, new}
    assert kid(await world.operator()) == old
    again = await world.http.post("/v1/keys/rotation", json={}, headers=before)
    assert (again.status_code, again.json()["code"]) == (409, "rotation-pending")
    world.clock.move(seconds=500)
    # What every service does within 300 s, and the verifier's own clock did not see pass.
    await world.app.state.runtime.verifier.refresh(older_than_s=0)
    after = await world.operator()
    assert kid(after) == new
    for token in (before, after):
        assert (await world.http.get("/v1/keys", headers=token)).status_code == 200
    assert await retire() == 0
    world.clock.move(seconds=1000)
    assert await retire() == 1
    assert await kids() == {new}
    (row,) = await world.rows("SELECT sealed FROM signing_keys WHERE kid = $1", old)
    assert row["sealed"] is None
    actions = await world.rows("SELECT action FROM audit WHERE action LIKE 'signing-key.%' ORDER BY id")
    assert [row["action"] for row in actions] == ["signing-key.rotated", "signing-key.retired"]


async def test_a_compromised_key_goes_at_once(world):
    before = await world.operator()
    body = {"compromised": True}
    fresh = (await world.http.post("/v1/keys/rotation", json=body, headers=before)).json()
    assert fresh["status"] == "signing"
    keys = (await world.http.get("/.well-known/jwks.json")).json()["keys"]
    assert [key["kid"] for key in keys] == [fresh["kid"]]
    await world.app.state.runtime.verifier.refresh(older_than_s=0)
    assert (await world.http.get("/v1/keys", headers=before)).status_code == 401
    assert (await world.http.get("/v1/keys", headers=await world.operator())).status_code == 200


def kid(headers):
    import base64
    import json

    return json.loads(base64.urlsafe_b64decode(headers["Authorization"].split()[1].split(".")[0] + "=="))[
        "kid"
    ]
