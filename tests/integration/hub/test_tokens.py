"""Tokens: who gets one, and which are refused."""

import base64
import hashlib
import hmac
import json
import time
from uuid import uuid4

import httpx
import pytest
from hub.users.service import DECOY, HASHER
from joserfc import jwt
from joserfc.jwk import ECKey

PASSWORD = "a-long-enough-one"


def bearer(token):
    return {"Authorization": f"Bearer {token}"}


def parts(token):
    return [json.loads(base64.urlsafe_b64decode(part + "==")) for part in token.split(".")[:2]]


def encode(value):
    return base64.urlsafe_b64encode(json.dumps(value).encode()).rstrip(b"=").decode()


async def published(world):
    return (await world.http.get("/.well-known/jwks.json")).json()["keys"]


async def test_operator_signs_in_with_the_password_shown_once(world):
    answer = await world.grant(grant_type="password", username="operator", password=world.operator_password)
    assert answer.status_code == 200
    assert answer.headers["cache-control"] == "no-store"
    body = answer.json()
    assert body["token_type"] == "Bearer"
    assert 600 <= body["expires_in"] <= 900
    header, claims = parts(body["access_token"])
    assert header["alg"] == "ES256"
    assert header["typ"] == "at+jwt"
    assert claims["iss"] == world.settings.hub_url
    assert claims["aud"] == "hubnet"
    assert claims["roles"] == ["operator"]
    assert claims["exp"] - claims["iat"] == body["expires_in"]
    assert {"sub", "nbf", "jti"} <= set(claims)
    me = await world.http.get("/v1/users/me", headers=bearer(body["access_token"]))
    assert me.json()["username"] == "operator"
    assert me.json()["id"] == claims["sub"]
    assert "password" not in me.text


async def test_client_signs_in_by_basic_or_form(world):
    secret = world.settings.bootstrap_client_file.read_text()
    in_form = await world.grant(grant_type="client_credentials", client_id="hubnet-cli", client_secret=secret)
    in_header = await world.http.post(
        "/oauth/token", data={"grant_type": "client_credentials"}, auth=("hubnet-cli", secret)
    )
    assert (in_form.status_code, in_header.status_code) == (200, 200)
    assert (
        await world.http.get("/v1/users", headers=bearer(in_header.json()["access_token"]))
    ).status_code == 200


@pytest.mark.parametrize(
    "fields, status, error",
    [
        ({"grant_type": "password", "username": "operator", "password": "wrong-wrong"}, 400, "invalid_grant"),
        ({"grant_type": "password", "username": "nobody", "password": "wrong-wrong"}, 400, "invalid_grant"),
        ({"grant_type": "password", "username": "operator"}, 400, "invalid_request"),
        (
            {"grant_type": "client_credentials", "client_id": "hubnet-cli", "client_secret": "x"},
            401,
            "invalid_client",
        ),
        (
            {"grant_type": "client_credentials", "client_id": "nobody", "client_secret": "x"},
            401,
            "invalid_client",
        ),
        ({"grant_type": "urn:hubnet:grant:api-key", "api_key": "pk_00_11"}, 400, "invalid_grant"),
        ({"grant_type": "urn:hubnet:grant:api-key", "api_key": "junk"}, 400, "invalid_grant"),
        ({"grant_type": "refresh_token", "refresh_token": "x"}, 400, "unsupported_grant_type"),
        ({"username": "operator"}, 400, "invalid_request"),
        ({"grant_type": "password", "username": "operator", "password": "x" * 5000}, 400, "invalid_request"),
        ({"grant_type": "password", "username": "a\0b", "password": "x"}, 400, "invalid_request"),
    ],
)
async def test_refusals_have_the_form_of_the_rfc(world, fields, status, error):
    answer = await world.grant(**fields)
    assert answer.status_code == status
    assert answer.json()["error"] == error
    answer.json()["error_description"].encode("ascii")
    assert answer.headers["cache-control"] == "no-store"
    if status == 401:
        assert answer.headers["www-authenticate"].startswith("Basic")


@pytest.mark.parametrize(
    "body, kind",
    [
        (b'{"grant_type":"password"}', "application/json"),
        (b"grant_type=password&grant_type=password", "application/x-www-form-urlencoded"),
        (b"grant_type=password&username=%ED%A0%80&password=x", "application/x-www-form-urlencoded"),
        (b"\xff\xfe", "application/x-www-form-urlencoded"),
        (b"&".join(b"f%d=1" % n for n in range(50)), "application/x-www-form-urlencoded"),
    ],
)
async def test_a_body_that_is_no_form_is_an_invalid_request(world, body, kind):
    answer = await world.http.post("/oauth/token", content=body, headers={"Content-Type": kind})
    assert (answer.status_code, answer.json()["error"]) == (400, "invalid_request")


async def test_password_guessing_is_slowed_per_account_and_address(world):
    for _ in range(5):
        assert (
            await world.grant(grant_type="password", username="operator", password="guess-guess")
        ).status_code == 400
    sixth = await world.grant(grant_type="password", username="OPERATOR", password=world.operator_password)
    assert sixth.status_code == 429
    assert int(sixth.headers["retry-after"]) > 0
    elsewhere = await world.grant(
        ip="10.0.0.9", grant_type="password", username="operator", password=world.operator_password
    )
    assert elsewhere.status_code == 200
    refused = await world.rows("SELECT actor FROM audit WHERE action = 'token.refused'")
    assert [row["actor"] for row in refused] == ["anonymous"] * 5


async def test_signing_in_rightly_is_not_slowed(world):
    for _ in range(7):
        answer = await world.grant(
            grant_type="password", username="operator", password=world.operator_password
        )
        assert answer.status_code == 200


def test_the_decoy_costs_as_much_as_a_real_hash():
    assert not HASHER.check_needs_rehash(DECOY)


async def test_scope_narrows_and_never_widens(world):
    await world.person("two.roles", "operator", "department")
    narrow = await world.grant(
        grant_type="password", username="two.roles", password=PASSWORD, scope="department"
    )
    assert narrow.json()["scope"] == "department"
    token = bearer(narrow.json()["access_token"])
    assert (await world.http.get("/v1/users", headers=token)).status_code == 403
    wide = await world.grant(
        grant_type="password", username="two.roles", password=PASSWORD, scope="window_staff"
    )
    assert (wide.status_code, wide.json()["error"]) == (400, "invalid_scope")


async def test_forged_tokens_are_refused(world):
    genuine = (await world.operator())["Authorization"].removeprefix("Bearer ")
    header, claims = parts(genuine)
    signature = genuine.rsplit(".", 1)[1]
    (key,) = await published(world)
    secret = json.dumps(key).encode()
    stranger = ECKey.generate_key("P-256")

    def signed(by, header=header, **changed):
        return jwt.encode(header, claims | changed, by, algorithms=["ES256"], default_type=None)

    def hs256(with_secret):
        start = f"{encode({**header, 'alg': 'HS256'})}.{encode(claims)}"
        mac = hmac.digest(with_secret, start.encode(), hashlib.sha256)
        return f"{start}.{base64.urlsafe_b64encode(mac).rstrip(b'=').decode()}"

    pem = ECKey.import_key(key).as_pem(private=False)
    forged = {
        "alg none": f"{encode({**header, 'alg': 'none'})}.{encode(claims)}.",
        "alg none with signature": f"{encode({**header, 'alg': 'none'})}.{encode(claims)}.{signature}",
        "HS256 with the public key as PEM": hs256(pem),
        "HS256 with the public key as JWK": hs256(secret),
        "changed claims": f"{encode(header)}.{encode(claims | {'sub': str(uuid4())})}.{signature}",
        "a stranger's key under our kid": signed(stranger),
        "a stranger's key under its own kid": signed(stranger, {"alg": "ES256", "kid": "mine"}),
        "a key in the header": signed(stranger, {**header, "jwk": stranger.as_dict(private=False)}),
        "no kid": signed(stranger, {"alg": "ES256"}),
        "zero signature": f"{encode(header)}.{encode(claims)}.{'A' * 86}",
        "garbage": "a.b.c",
        "empty parts": "..",
        "too long": "a" * 10_000,
    }
    assert (await world.http.get("/v1/users", headers=bearer(genuine))).status_code == 200
    for name, token in forged.items():
        answer = await world.http.get("/v1/users", headers=bearer(token))
        assert (name, answer.status_code) == (name, 401)
        assert answer.json()["code"] == "bad-token"


async def sign_with_our_key(world, **changed):
    """A token our key really signed, with claims the endpoint would never give."""
    from hub.signing_keys import service

    claims = {
        "iss": world.settings.hub_url, "aud": "hubnet", "sub": str(uuid4()), "iat": int(time.time()),
        "exp": int(time.time()) + 600, "roles": ["operator"],
    } | changed  # fmt: skip
    async with world.app.state.runtime.transaction() as tx:
        return await service.sign(
            tx, {name: value for name, value in claims.items() if value is not None},
            world.app.state.hub.pepper, at=world.clock(),
        )  # fmt: skip


@pytest.mark.parametrize(
    "changed, status",
    [
        ({}, 200),
        ({"exp": 1_700_000_000}, 401),
        ({"exp": None}, 401),
        ({"nbf": int(time.time()) + 7200}, 401),
        ({"iss": "https://other.example"}, 401),
        ({"iss": None}, 401),
        ({"aud": "another-service"}, 401),
        ({"aud": None}, 401),
        ({"sub": None}, 401),
        ({"roles": ["sme"]}, 403),
        ({"roles": []}, 403),
    ],
)
async def test_claims_decide(world, changed, status):
    token = await sign_with_our_key(world, **changed)
    assert (await world.http.get("/v1/users", headers=bearer(token))).status_code == status


async def test_an_external_issuer_is_a_setting(settings, clock, world):
    """Tokens of a real second issuer verify over HTTP; sign-in and accounts are there, not here."""
    import asyncio
    import threading
    from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

    from hub.app import create_app

    key = ECKey.generate_key("P-256", {"use": "sig", "alg": "ES256"}, auto_kid=True)
    body = json.dumps({"keys": [key.as_dict(private=False)]}).encode()

    class Keys(BaseHTTPRequestHandler):
        def do_GET(self):
            self.send_response(200)
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_):
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Keys)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    issuer = "https://login.example"
    own = settings.model_copy(
        update={"issuer": issuer, "jwks_url": f"http://127.0.0.1:{server.server_port}/keys"}
    )
    app = create_app(own, now=clock)
    try:
        transport = httpx.ASGITransport(app)
        async with httpx.AsyncClient(transport=transport, base_url="http://hub") as client:
            claims = {
                "iss": issuer, "aud": "hubnet", "sub": "u1", "exp": int(time.time()) + 60, "roles": ["department"]
            }  # fmt: skip
            token = jwt.encode({"alg": "ES256", "kid": key.kid}, claims, key)
            assert (await client.get("/v1/cases", headers=bearer(token))).status_code == 200
            home_made = (await world.operator())["Authorization"]
            assert (await client.get("/v1/cases", headers={"Authorization": home_made})).status_code == 401
            answer = await client.post(
                "/oauth/token", data={"grant_type": "password", "username": "a", "password": "b"}
            )
            assert answer.status_code == 400
            assert issuer in answer.json()["error_description"]
            body_ = {"username": "someone", "password": PASSWORD, "role": "sme"}
            refused = await client.post("/v1/users", json=body_)
            assert (refused.status_code, refused.json()["code"]) == (409, "identity-elsewhere")
    finally:
        await app.state.runtime.engine.dispose()
        await asyncio.to_thread(server.shutdown)
        thread.join()
        server.server_close()


async def test_no_secret_is_stored_or_told(world):
    """Nothing that signs in can be read from the database, nor the private key."""
    made = await world.http.post(
        "/v1/clients", json={"name": "接口", "roles": ["department"]}, headers=await world.operator()
    )
    secrets = [
        made.json()["client_secret"], world.operator_password, world.settings.bootstrap_client_file.read_text(),
        world.settings.pepper_file.read_text(),
    ]  # fmt: skip
    tables = await world.rows("SELECT tablename FROM pg_tables WHERE schemaname = 'public'")
    dump = ""
    for table in tables:
        rows = await world.rows(f'SELECT t::text AS line FROM "{table["tablename"]}" t')
        dump += "\n".join(row["line"] for row in rows)
    assert "argon2id" in dump
    assert [secret for secret in secrets if secret in dump] == []
    assert '"d"' not in dump
    assert all("d" not in key for key in await published(world))


async def test_discovery_names_what_works(world):
    found = (await world.http.get("/.well-known/openid-configuration")).json()
    assert found["issuer"] == world.settings.hub_url
    assert found["jwks_uri"].endswith("/.well-known/jwks.json")
    assert "urn:hubnet:grant:api-key" in found["grant_types_supported"]


async def test_a_nul_in_basic_credentials_is_an_invalid_request(world):
    answer = await world.http.post(
        "/oauth/token", data={"grant_type": "client_credentials"}, auth=("a%00b", "x%00y")
    )
    assert (answer.status_code, answer.json()["error"]) == (400, "invalid_request")
    broken = await world.http.post(
        "/oauth/token", data={"grant_type": "client_credentials"}, headers={"Authorization": "Basic %%%"}
    )
    assert (broken.status_code, broken.json()["error"]) == (401, "invalid_client")
