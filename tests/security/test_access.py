"""Who may call what: every operation of every service, by every kind of caller.

The table below is the whole of it. An operation that is missing here fails a test.
"""

import base64
import hmac
import json
import time
from uuid import uuid4

import pytest
from common.auth import LEEWAY_S, MAX_TOKEN
from cryptography.hazmat.primitives.asymmetric.ec import ECDSA
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from cryptography.hazmat.primitives.hashes import SHA256
from joserfc.jwk import ECKey

from tests.security.platforms import EVERY_ROLE, ISSUER, KEY, Operation, bearer, signed

ANYBODY = frozenset(EVERY_ROLE)
SME = frozenset({"sme", "window_staff"})
AGENCY = frozenset({"agency"})
STAFF = frozenset({"window_staff", "cluster_staff", "operator"})
AGENCY_OR_STAFF = AGENCY | STAFF
OPERATOR = frozenset({"operator"})
OVERSEER = frozenset({"operator", "department"})
WINDOW_STAFF = frozenset({"operator", "window_staff"})
BOOKER = frozenset({"sme", "agency"})
READERS = frozenset({"operator", "department", "window_staff"})
MARKET = frozenset({"agency", "operator", "window_staff", "cluster_staff"})

PUBLIC = {
    "GET /healthz", "GET /readyz", "POST /oauth/token", "POST /v1/users", "GET /.well-known/jwks.json",
    "GET /.well-known/openid-configuration", "GET /v1/catalogue", "GET /v1/catalogue/facets",
    "GET /v1/catalogue/{owner}/{id}", "GET /v1/technology/achievements", "GET /v1/catalogue/templates/{form}",
    "GET /v1/catalogue/hsds", "GET /v1/catalogue/hsds/profile", "GET /v1/catalogue/hsds/profile/{file}",
    "GET /v1/catalogue/hsds/schema/{file}", "GET /v1/catalogue/hsds/services", "GET /v1/catalogue/hsds/services/{id}",
    "GET /v1/catalogue/hsds/organizations", "GET /v1/catalogue/hsds/organizations/{id}",
    "GET /v1/catalogue/hsds/taxonomies", "GET /v1/catalogue/hsds/taxonomies/{id}",
    "GET /v1/catalogue/hsds/taxonomy_terms", "GET /v1/catalogue/hsds/taxonomy_terms/{id}",
    # Without a token the states, with an operator's the figures; a bad token is refused.
    "GET /v1/nodes", "GET /v1/nodes/{id}",
}  # fmt: skip
ASK = {"GET /v1/nodes", "GET /v1/nodes/{id}"}  # public, but a token that is sent must be good

READER = STAFF | {"platform"}
PROVIDERS = {
    "GET /v1/catalogue/changes": READER,
    "POST /v1/providers": AGENCY, "GET /v1/providers": AGENCY_OR_STAFF, "GET /v1/providers/{id}": AGENCY_OR_STAFF,
    "PATCH /v1/providers/{id}": AGENCY_OR_STAFF, "PUT /v1/providers/{id}/recognitions": STAFF, "POST /v1/providers/{id}/verification": STAFF,
    "POST /v1/providers/{id}/suspension": STAFF, "POST /v1/providers/{id}/restoration": STAFF,
    "POST /v1/providers/{id}/retirement": AGENCY_OR_STAFF, "POST /v1/offerings/import": STAFF,
    "POST /v1/offerings": AGENCY, "GET /v1/offerings": AGENCY_OR_STAFF, "GET /v1/offerings/{id}": AGENCY_OR_STAFF,
    "PATCH /v1/offerings/{id}": AGENCY_OR_STAFF, "POST /v1/offerings/{id}/review": STAFF,
    "POST /v1/offerings/{id}/pause": AGENCY_OR_STAFF, "POST /v1/offerings/{id}/resumption": AGENCY_OR_STAFF,
    "POST /v1/offerings/{id}/retirement": AGENCY_OR_STAFF, "GET /v1/quotations": AGENCY_OR_STAFF,
    "GET /v1/quotations/{id}": AGENCY_OR_STAFF, "POST /v1/quotations/{id}/viewing": AGENCY,
    "POST /v1/quotations/{id}/submission": AGENCY, "POST /v1/quotations/{id}/declination": AGENCY,
    "POST /v1/quotations/{id}/withdrawal": AGENCY, "GET /v1/assignments": AGENCY_OR_STAFF,
    "GET /v1/quotations/{id}/contact": ANYBODY,  # then only the enterprise it won
    "PUT /v1/providers/{id}/subscription": AGENCY, "DELETE /v1/providers/{id}/subscription": AGENCY,
    "GET /v1/providers/{id}/subscription": AGENCY_OR_STAFF, "GET /v1/opportunities": AGENCY_OR_STAFF,
    "GET /v1/opportunities/unread": AGENCY_OR_STAFF, "GET /v1/opportunities/stream": AGENCY_OR_STAFF,
    "GET /v1/opportunities/{id}": AGENCY_OR_STAFF, "POST /v1/opportunities/{id}/viewing": AGENCY,
    "POST /v1/opportunities/{id}/dismissal": AGENCY, "GET /v1/allocations": AGENCY_OR_STAFF,
    "GET /v1/allocations/{id}": AGENCY_OR_STAFF,
    "GET /v1/assignments/{id}": AGENCY_OR_STAFF, "POST /v1/assignments/{id}/reports": AGENCY,
}  # fmt: skip
MATRIX = {
    "hub": {
        "GET /v1/users": OPERATOR, "POST /v1/staff": OPERATOR, "GET /v1/users/me": ANYBODY,
        "POST /v1/users/me/password": ANYBODY, "GET /v1/users/{id}": ANYBODY,
        "POST /v1/users/{id}/deactivation": OPERATOR, "POST /v1/users/{id}/reactivation": OPERATOR,
        "POST /v1/clients": OPERATOR, "GET /v1/clients": OPERATOR, "POST /v1/clients/{id}/revocation": OPERATOR,
        "POST /v1/api-keys": ANYBODY, "GET /v1/api-keys": ANYBODY, "POST /v1/api-keys/{id}/revocation": ANYBODY,
        "GET /v1/keys": OPERATOR, "POST /v1/keys/rotation": OPERATOR, "GET /v1/cases": READERS,
        "GET /v1/cases/{demand_id}": READERS, "GET /v1/technology/needs": MARKET, "GET /v1/dead-letters": OPERATOR,
        # Behind these only its owner, its machine and its staff; to others the platform is not there.
        "POST /v1/nodes": ANYBODY, "GET /v1/nodes/{id}/membership": ANYBODY, "PATCH /v1/nodes/{id}/membership": ANYBODY,
        "POST /v1/nodes/{id}/keys": ANYBODY, "POST /v1/nodes/{id}/heartbeats": ANYBODY,
        "POST /v1/nodes/{id}/messages": ANYBODY, "GET /v1/nodes/{id}/messages": ANYBODY,
        "POST /v1/nodes/{id}/conformance": ANYBODY, "GET /v1/nodes/{id}/conformance": ANYBODY,
        "GET /v1/nodes/{id}/conformance/{number}": ANYBODY, "POST /v1/nodes/{id}/retirement": ANYBODY,
        "POST /v1/nodes/{id}/conformance/{number}/completion": ANYBODY,
        "POST /v1/nodes/{id}/activation": OPERATOR, "POST /v1/nodes/{id}/quarantine": OPERATOR,
        "POST /v1/nodes/{id}/release": OPERATOR,
        "POST /v1/nodes/{id}/digests": OPERATOR, "GET /v1/nodes/{id}/drift": ANYBODY,
        "GET /v1/nodes/{id}/catalogue/digest": ANYBODY, "GET /v1/nodes/{id}/catalogue/digest/{bucket}": ANYBODY,
        "POST /v1/nodes/{id}/catalogue/changes": ANYBODY, "GET /v1/nodes/{id}/catalogue/changes": ANYBODY,
        "PUT /v1/nodes/{id}/catalogue": ANYBODY, "GET /v1/nodes/{id}/forks": ANYBODY,
        "GET /v1/nodes/{id}/snapshots": ANYBODY, "GET /v1/nodes/{id}/snapshots/{number}": ANYBODY,
        "GET /v1/nodes/{id}/snapshots/{number}/outcomes": ANYBODY,
        "GET /v1/nodes/{id}/snapshots/{number}/outcomes.xlsx": ANYBODY,
        "POST /v1/nodes/{id}/snapshots/{number}/approval": OPERATOR,
        "POST /v1/nodes/{id}/snapshots/{number}/discard": ANYBODY,
        "PUT /v1/nodes/{id}/pull": OPERATOR, "GET /v1/nodes/{id}/pull": ANYBODY, "DELETE /v1/nodes/{id}/pull": OPERATOR,
        "POST /v1/nodes/{id}/restorations": OPERATOR, "GET /v1/nodes/{id}/restorations": OPERATOR,
        "POST /v1/nodes/{id}/restorations/completion": ANYBODY,
        "GET /v1/catalogue/hsds/catalogue": OVERSEER,
        "GET /v1/identities": OVERSEER, "GET /v1/identities/{credit_code}": OVERSEER,
        "PUT /v1/identities/{credit_code}/merge": OPERATOR, "DELETE /v1/identities/{credit_code}/merge": OPERATOR,
    },
    "window": PROVIDERS | {
        "POST /v1/enterprises": SME, "GET /v1/enterprises": ANYBODY, "GET /v1/enterprises/{id}": ANYBODY,
        "PATCH /v1/enterprises/{id}": SME, "POST /v1/demands": SME, "GET /v1/demands": ANYBODY,
        "GET /v1/demands/{id}": ANYBODY, "PATCH /v1/demands/{id}": SME, "POST /v1/demands/{id}/withdrawal": SME,
        "POST /v1/demands/similar": SME, "GET /v1/demands/{id}/similar": ANYBODY,
        "GET /v1/demands/{id}/allocations": ANYBODY,
        "GET /v1/demands/{id}/matches": ANYBODY, "POST /v1/demands/{id}/invitations": SME,
        "GET /v1/demands/{id}/invitations": ANYBODY, "GET /v1/demands/{id}/quotations": ANYBODY,
        "POST /v1/demands/{id}/award": SME, "GET /v1/engagements": ANYBODY, "GET /v1/engagements/{id}": ANYBODY,
        "POST /v1/engagements/{id}/acceptance": SME, "POST /v1/engagements/{id}/rating": SME,
        "GET /v1/engagements/{id}/contact": ANYBODY,  # then only the provider that won it
        "GET /v1/engagements/{id}/rating": ANYBODY, "PATCH /v1/engagements/{id}/rating": SME,
    },
    "cluster": PROVIDERS | {
        "POST /v1/resources": AGENCY, "GET /v1/resources": ANYBODY, "GET /v1/resources/{id}": ANYBODY,
        "PATCH /v1/resources/{id}": AGENCY_OR_STAFF, "POST /v1/resources/{id}/review": STAFF,
        "GET /v1/resources/{id}/calendar": ANYBODY, "POST /v1/resources/{id}/bookings": BOOKER,
        "POST /v1/resources/{id}/retirement": AGENCY_OR_STAFF, "GET /v1/bookings": ANYBODY,
        "GET /v1/bookings/{id}": ANYBODY, "POST /v1/bookings/{id}/confirmation": AGENCY_OR_STAFF,
        "POST /v1/bookings/{id}/cancellation": ANYBODY, "POST /v1/bookings/{id}/completion": AGENCY_OR_STAFF,
    },
    "matchmaking": {
        "GET /v1/matches/{owner}/{demand_id}": WINDOW_STAFF,
        "GET /v1/matches/{owner}/{demand_id}/why-not/{platform}/{offering_id}": WINDOW_STAFF,
        "GET /v1/matches/{owner}/{demand_id}/versions/{version}/replay": OPERATOR,
        "GET /v1/matches/{owner}/{demand_id}/similar": WINDOW_STAFF,
        "GET /v1/offerings/{platform}/{offering_id}/demands": STAFF,
        "GET /v1/weights": OPERATOR, "GET /v1/weights/{version}": OPERATOR, "POST /v1/weights": OPERATOR,
        "POST /v1/weights/{version}/activation": OPERATOR, "POST /v1/weights/{version}/retirement": OPERATOR,
        "GET /v1/outcomes/cases": OPERATOR,
        "POST /v1/campaigns": OPERATOR, "GET /v1/campaigns": OVERSEER, "GET /v1/campaigns/{id}": OVERSEER,
        "PATCH /v1/campaigns/{id}": OPERATOR, "POST /v1/campaigns/{id}/cancellation": OPERATOR,
        "POST /v1/campaigns/{id}/plans": OPERATOR, "GET /v1/campaigns/{id}/plans": OVERSEER,
        "GET /v1/campaigns/{id}/plans/{number}": OVERSEER, "GET /v1/campaigns/{id}/plans/{number}/inputs": OVERSEER,
        "POST /v1/campaigns/{id}/plans/{number}/acceptance": OPERATOR,
        "POST /v1/campaigns/{id}/plans/{number}/rejection": OPERATOR,
        "GET /v1/campaigns/{id}/allocations": OVERSEER,
        "POST /v1/campaigns/{id}/allocations/{allocation_id}/withdrawal": OPERATOR,
    },
}  # fmt: skip
# Addresses outside of the document that a browser or a scraper asks for.
UNLISTED = {"/metrics": 200, "/docs": 200, "/openapi.json": 200}
AT_A_PLATFORM = {"window_staff", "cluster_staff"}


def rows(platform):
    return {o.name: o for o in platform.operations if o.name not in PUBLIC}


async def called(platform, operation: Operation, headers):
    body = operation.example if operation.media else None
    data = body.encode() if isinstance(body, str) else json.dumps(body).encode() if body is not None else b""
    media = {"Content-Type": operation.media} if operation.media else {}
    return await platform.http.request(
        operation.method, operation.url(), content=data, headers={"If-Match": '"1.1"'} | media | headers
    )


def test_every_operation_has_a_row(platform):
    assert set(rows(platform)) == set(MATRIX[platform.kind])
    assert {o.name for o in platform.operations} - set(rows(platform)) <= PUBLIC


async def test_what_is_public_needs_no_token(platform):
    for operation in platform.operations:
        if operation.name in PUBLIC:
            answer = await called(platform, operation, {})
            # 400: a sign-in with the example's made-up password; 404: a made-up id.
            assert answer.status_code in (200, 201, 400, 404, 409), f"{operation.name}: {answer.text}"
    for path, status in UNLISTED.items():
        assert (await platform.http.get(path)).status_code == status


def forged(claims):
    """A signature by a key of one's own under the name of the issuer's."""
    return signed(claims, ECKey.generate_key("P-256", {"kid": "test"}))


def _coded(part):
    return base64.urlsafe_b64encode(json.dumps(part).encode()).rstrip(b"=").decode()


def unsigned(claims):
    return f"{_coded({'alg': 'none', 'kid': 'test'})}.{_coded(claims)}."


def confused(claims):
    """HS256 with the issuer's public key as the secret; no library would still make one."""
    said = f"{_coded({'alg': 'HS256', 'kid': 'test'})}.{_coded(claims)}"
    mac = hmac.digest(KEY.as_pem(private=False), said.encode(), "sha256")
    return f"{said}.{base64.urlsafe_b64encode(mac).rstrip(b'=').decode()}"


def zeroed(claims):
    """ECDSA with r = s = 0 (psychic signatures)."""
    head, body, _ = signed(claims).split(".")
    return f"{head}.{body}.{base64.urlsafe_b64encode(bytes(64)).rstrip(b'=').decode()}"


def altered(claims):
    """A good signature over other claims."""
    head, _, signature = signed(claims | {"roles": ["sme"]}).split(".")
    return f"{head}.{_coded(claims)}.{signature}"


def own_key_inside(claims):
    mine = ECKey.generate_key("P-256", {"kid": "mine"})
    return signed(claims, mine, kid="mine", jwk=mine.as_dict(private=False))


def critical(claims):
    """Rightly signed, but it demands an extension nobody here knows."""
    said = f"{_coded({'alg': 'ES256', 'kid': 'test', 'crit': ['exp-by-moon'], 'exp-by-moon': True})}.{_coded(claims)}"
    r, s = decode_dss_signature(KEY.private_key.sign(said.encode(), ECDSA(SHA256())))
    signature = r.to_bytes(32, "big") + s.to_bytes(32, "big")
    return f"{said}.{base64.urlsafe_b64encode(signature).rstrip(b'=').decode()}"


IMPOSTORS = {
    "expired": lambda c: signed(c | {"exp": int(time.time()) - LEEWAY_S - 5}),
    "without an end": lambda c: signed({k: v for k, v in c.items() if k != "exp"}),
    "not valid yet": lambda c: signed(c | {"nbf": int(time.time()) + LEEWAY_S + 600}),
    "forged": forged,
    "alg none": unsigned,
    "HS256 with the public key": confused,
    "r = s = 0": zeroed,
    "altered": altered,
    "for another audience": lambda c: signed(c | {"aud": "payroll"}),
    "without an audience": lambda c: signed({k: v for k, v in c.items() if k != "aud"}),
    "of another issuer": lambda c: signed(c | {"iss": "https://issuer.example"}),
    "of an issuer alike": lambda c: signed(c | {"iss": ISSUER + "/"}),
    "without a subject": lambda c: signed({k: v for k, v in c.items() if k != "sub"}),
    "by an unknown key": lambda c: signed(c, kid="unknown"),
    "with a path as key": lambda c: signed(c, kid="../../../../dev/null"),
    "with its own key inside": own_key_inside,
    "with a critical extension": critical,
    "too long": lambda c: signed(c | {"pad": "x" * MAX_TOKEN}),
    "of 64 KB": lambda c: "e" * 65_536,
    "three dots": lambda c: "..",
    "no token at all": lambda c: "null",
}  # fmt: skip


@pytest.mark.parametrize("kind", ["nobody", "another scheme", *IMPOSTORS])
async def test_no_operation_opens_without_a_good_token(platform, kind):
    claims = platform.claims(str(uuid4()), *EVERY_ROLE, home=platform.node)
    if kind == "nobody":
        headers = {}
    elif kind == "another scheme":
        headers = {"Authorization": "Basic b3BlcmF0b3I6b3BlcmF0b3I="}
    else:
        headers = bearer(IMPOSTORS[kind](claims))
    asked = [o for o in platform.operations if o.name not in PUBLIC or (o.name in ASK and headers)]
    for operation in asked:
        answer = await called(platform, operation, headers)
        seen = (operation.name, answer.status_code, answer.headers.get("www-authenticate"))
        assert seen == (operation.name, 401, "Bearer"), answer.text
        assert answer.json()["code"] in ("no-token", "bad-token", "clock-skew")


def shut(answer):
    """Whether the role did not open it; behind an open one there may be other rules."""
    return answer.status_code == 403 and answer.json()["code"] == "role-needed"


async def test_the_token_of_these_tests_is_good(platform):
    """Else all of the above would be refused for the wrong reason."""
    who = platform.anybody()
    for operation in rows(platform).values():
        answer = await called(platform, operation, who)
        assert answer.status_code != 401 and not shut(answer), operation.name


@pytest.mark.parametrize("role", [*EVERY_ROLE, "platform", "no role"])
async def test_a_role_opens_what_is_its_own_and_nothing_else(platform, role):
    who = platform.who(str(uuid4()), *([] if role == "no role" else [role]), home=platform.node)
    for name, operation in rows(platform).items():
        allowed = MATRIX[platform.kind][name]
        opens = role in allowed or allowed == ANYBODY
        answer = await called(platform, operation, who)
        assert (name, shut(answer)) == (name, not opens), answer.text


@pytest.mark.parametrize("home", ["another platform", "nowhere"])
async def test_staff_of_another_platform_are_nobody_here(platform, home):
    elsewhere = {"another platform": "baotou" if platform.node != "baotou" else "hohhot", "nowhere": None}[
        home
    ]
    for role in AT_A_PLATFORM:
        who = platform.who(str(uuid4()), role, home=elsewhere)
        for name, operation in rows(platform).items():
            # The hub's register is read from afar: by any window's staff, for their own window.
            # All staff are far from matchmaking; whose rows they see, its repositories decide.
            far = (platform.kind == "hub" and allowed_from_afar(name, role, elsewhere)) or (
                platform.kind == "matchmaking"
                and role in MATRIX["matchmaking"][name]
                and (elsewhere is not None or name.startswith("GET /v1/offerings"))
            )
            opens = MATRIX[platform.kind][name] == ANYBODY or far
            answer = await called(platform, operation, who)
            assert (name, shut(answer)) == (name, not opens), answer.text


def allowed_from_afar(name, role, home):
    reads = name == "GET /v1/technology/needs" or (
        name.startswith("GET /v1/cases") and role == "window_staff"
    )
    return reads and home is not None


async def test_what_belongs_to_somebody_else_is_not_there(network, case):
    """404, not 403: that there is such a record is nobody else's business."""
    tried = 0
    for (kind, noun), id in case.ids.items():
        platform = network[kind]
        strangers = [
            platform.who(str(uuid4()), "sme", "agency", "department"),
            platform.who(str(uuid4()), *AT_A_PLATFORM, "sme", "agency", home="erenhot"),
            # Of the case itself, but on its other side.
            *([case.scientist] if kind == "window" else [case.agent]),
        ]
        for who in strangers:
            for operation in platform.operations:
                if not operation.path.startswith(f"/v1/{noun}/{{id}}") or operation.name in OPEN_TO_ALL:
                    continue
                if noun == "providers" and MATRIX[kind][operation.name] == STAFF:
                    continue  # the role is missing already
                answer = await called(
                    platform, operation._replace(path=operation.path.replace("{id}", id)), who
                )
                allowed = {404, 403} if shut(answer) else {404}
                assert answer.status_code in allowed, f"{operation.name}: {answer.status_code} {answer.text}"
                assert not shut(answer) or MATRIX[kind][operation.name] != ANYBODY
                tried += answer.status_code == 404
    assert tried > 100


# What is published is there for everybody who has signed in.
OPEN_TO_ALL = {
    "GET /v1/resources/{id}", "GET /v1/resources/{id}/calendar", "POST /v1/resources/{id}/bookings",
}  # fmt: skip


async def test_what_belongs_to_somebody_else_is_in_no_list(network, case):
    for kind in ("window", "cluster"):
        platform = network[kind]
        stranger = platform.who(str(uuid4()), "sme", "agency", "department")
        for operation in platform.operations:
            if operation.method == "get" and "{" not in operation.path and operation.path.startswith("/v1/"):
                if operation.path.endswith("/stream"):
                    continue  # it has no end; what it sends is what the list holds
                if MATRIX[kind].get(operation.name) == READER:
                    continue  # the role is missing already
                answer = await platform.get(operation.path, stranger)
                if operation.path.endswith("/unread"):
                    assert not any(answer.values()), answer
                    continue
                items = answer["items"]
                if operation.path == "/v1/resources":
                    items = [item for item in items if item["email"] or item["contact_number"]]
                assert items == [], operation.path


async def test_the_owner_finds_what_is_theirs(network, case):
    """Else the two tests above would pass on an empty platform."""
    for (kind, noun), id in case.ids.items():
        owner = {"enterprises": case.sme, "demands": case.sme, "engagements": case.sme}.get(
            noun, case.agent if kind == "window" else case.scientist
        )
        assert (await network[kind].get(f"/v1/{noun}/{id}", owner))["id"] == id


async def test_a_window_sees_its_own_cases_only_at_the_hub(network, case):
    demand = case.ids["window", "demands"]
    hub = network["hub"]
    for home, status in (("hohhot", 200), ("baotou", 404)):
        answer = await hub.http.get(
            f"/v1/cases/{demand}", headers=hub.who(str(uuid4()), "window_staff", home=home)
        )
        assert answer.status_code == status
    assert (await hub.get("/v1/cases", hub.who(str(uuid4()), "window_staff", home="baotou")))["items"] == []


async def test_a_contact_is_for_the_other_side_of_the_award_alone(network, case):
    window = network["window"]
    engagement, quotation = case.ids["window", "engagements"], case.ids["window", "quotations"]
    stranger = window.who(str(uuid4()), *(set(EVERY_ROLE) - {"operator"}), home="baotou")
    for path, party in ((f"engagements/{engagement}", case.agent), (f"quotations/{quotation}", case.sme)):
        for who in (case.sme, case.agent, case.scientist, stranger):
            answer = await window.http.get(f"/v1/{path}/contact", headers=who)
            expected = 200 if who is party else 404
            assert (path, answer.status_code) == (path, expected), answer.text


async def test_an_operator_of_the_region_sees_no_contact_by_either_door(network, case):
    window = network["window"]
    operator = window.who(str(uuid4()), "operator")
    shown = await window.get(f"/v1/enterprises/{case.ids['window', 'enterprises']}", operator)
    assert "*" in shown["contact_phone"]
    path = f"/v1/engagements/{case.ids['window', 'engagements']}/contact"
    assert (await window.http.get(path, headers=operator)).status_code == 404
