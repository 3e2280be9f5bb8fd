"""The same over the bus: what cannot be read is parked with its reason, and what comes behind it is handled."""

import json
from uuid import uuid4

import pytest
from common.contracts import demands, invitations, offerings, providers
from common.inbox import MAX_BYTES, Verdict

from tests.security.bodies import BODIES, MARK

# A window is told of invitations, a cluster too; matchmaking and the hub of offerings.
SENDERS = {"hub": "hohhot", "window": "hub", "cluster": "hub", "matchmaking": "hub"}


def said(platform, **data):
    """A message this service listens to, right in every place."""
    if platform.kind in ("hub", "matchmaking"):
        fact = offerings.OfferingPublished(
            id=uuid4(), version=1, provider_id=uuid4(), provider_name="检测中心", kind="service", title="成分检测",
            summary="三日出报告", category="technology_quality.testing", division="150102", state="published",
            attributes={"standards": ["GB/T 3217"]}, state_reason="新",
        )  # fmt: skip
    else:
        fact = invitations.InvitationIssued(
            id=uuid4(), version=1, demand_id=uuid4(), demand_window="hohhot", platform=platform.node,
            provider_id=uuid4(), provider_name="检测中心", offering_id=uuid4(), offering_version=1,
            offering_title="检测", respond_by=platform.runtime.clock(), state="issued", state_reason="新",
            issued_at=platform.runtime.clock(),
            demand={"number": "1", "title": "检测", "text": "检测", "division": "150102", "size_class": "small"},
        )  # fmt: skip
    recipient = platform.node if platform.kind in ("window", "cluster") else None
    message = platform.heard(fact, "hohhot", recipient=recipient)
    message["traceparent"] = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
    message["data"] |= data
    return {name: value for name, value in message.items() if value is not None}


def nested(levels):
    return json.loads("[" * levels + "]" * levels)


def coded(message):
    return json.dumps(message, ensure_ascii=False).encode()


async def letters(platform, key):
    found = await platform.rows(
        "SELECT reason, detail, payload FROM dead_letters WHERE message_key = $1", key
    )
    return [(row["reason"], row["detail"], bytes(row["payload"])) for row in found]


async def parked(platform, data, sender=None):
    """Deliver something bad; the letter that it became."""
    key = str(uuid4())
    verdict = await platform.hear(data, sender or SENDERS[platform.kind], key=key)
    found = await letters(platform, key)
    assert (verdict, len(found)) == (Verdict.PARKED, 1), f"{verdict}: {data[:200]!r}"
    reason, detail, payload = found[0]
    assert reason and detail and payload == data[:MAX_BYTES]
    return reason, detail


async def goes_on(platform):
    """Whether a good message is still handled."""
    message = said(platform)
    assert await platform.hear(coded(message), SENDERS[platform.kind]) is Verdict.DONE
    handled = await platform.rows("SELECT 1 FROM inbox WHERE message_id = $1::uuid", message["id"])
    return len(handled) == 1


@pytest.mark.parametrize("name", BODIES)
async def test_a_hostile_message_is_parked_or_understood_never_tried_for_ever(platform, name):
    """Around it, everything is right: the spoilt place is one of the envelope or of the fact."""
    found, tried = [], 0
    for body in BODIES[name](said(platform)):
        if body.coding == "gzip" and len(body.data) < 200:
            continue
        key = str(uuid4())
        try:
            verdict = await platform.hear(body.data, SENDERS[platform.kind], key=key)
        except Exception as error:
            found.append(f"raised {type(error).__name__} {str(error)[:200]}: {body.data[:2000]!r}")
            continue
        tried += 1
        letter = await letters(platform, key)
        if verdict is Verdict.AGAIN or (verdict is Verdict.PARKED and not (letter and letter[0][0])):
            why = await platform.rows("SELECT last_error FROM inbox_failures WHERE message_key = $1", key)
            found.append(f"{verdict} {why and why[0]['last_error'][:300]}: {body.data[:2000]!r}")
        # The name of a type is shown, whoever made it up; a value is not.
        if letter and MARK in letter[0][1] and letter[0][0] != "unknown-type":
            found.append(f"echo: {letter[0][1][:200]}")
    assert found == [], f"{len(found)} of {tried}"
    assert await goes_on(platform)


def changed(message, **envelope):
    return coded({name: value for name, value in (message | envelope).items() if value is not None})


WRONG = {
    "unknown type": ("unknown-type", lambda m: changed(m, type="yak.sold.v1")),
    "unknown version of a type": ("unknown-type", lambda m: changed(m, type=m["type"].replace(".v1", ".v2"))),
    "no type": ("bad-envelope", lambda m: changed(m, type=None)),
    "another envelope": ("bad-envelope", lambda m: changed(m, specversion="0.3")),
    "not JSON": ("not-json", lambda m: b"<xml/>"),
    "a NaN": ("not-json", lambda m: coded(m)[:-1] + b', "x": NaN}'),
    "an Infinity": ("not-json", lambda m: coded(m)[:-1] + b', "x": -Infinity}'),
    "UTF-16": ("not-json", lambda m: coded(m).decode().encode("utf-16")),
    "a byte order mark": ("not-json", lambda m: b"\xef\xbb\xbf" + coded(m)),
    "nothing": ("not-json", lambda m: b""),
    "a list": ("bad-envelope", lambda m: b"[]"),
    "over the limit": ("too-large", lambda m: changed(m, padding="0" * MAX_BYTES)),
    "wrong schema": ("bad-data", lambda m: changed(m, data=m["data"] | {"state": "sold"})),
    "empty data": ("bad-data", lambda m: changed(m, data={})),
    "another entity than the envelope says": ("bad-data", lambda m: changed(m, subject=str(uuid4()))),
    "another version": ("bad-data", lambda m: changed(m, entityversion=2)),
    "another epoch": ("bad-data", lambda m: changed(m, entityepoch=2)),
    "version zero": ("bad-envelope", lambda m: changed(m, entityversion=0)),
    "a time without a zone": ("bad-envelope", lambda m: changed(m, time="2026-11-24T00:00:00")),
    "a time out of mind": ("bad-envelope", lambda m: changed(m, time="9999-12-31T23:59:59Z")),
    "a source that is no node id": ("bad-envelope", lambda m: changed(m, source="hub\n> ")),
}


@pytest.mark.parametrize("wrong", WRONG)
async def test_what_is_wrong_with_a_message_is_its_reason(platform, wrong):
    reason, spoil = WRONG[wrong]
    found, _ = await parked(platform, spoil(said(platform)))
    assert found == reason
    assert await goes_on(platform)


async def test_a_foreign_source_is_parked(network):
    """The bus proves who speaks; only the hub speaks for others."""
    hub = network["hub"]
    assert (await parked(hub, coded(said(hub)), sender="baotou"))[0] == "foreign-source"
    for kind in ("window", "cluster", "matchmaking"):
        platform = network[kind]
        assert (await parked(platform, coded(said(platform)), sender="baotou"))[0] == "foreign-source"


async def test_a_node_may_not_say_what_is_not_its_own(network):
    hub = network["hub"]
    fact = demands.DemandSubmitted(
        id=uuid4(), version=1, number="1", title="检测", text="检测", industry="C", division="150102",
        size_class="small", state="submitted", submitted_at=hub.runtime.clock(), changed_at=hub.runtime.clock(),
    )  # fmt: skip
    message = hub.heard(fact, "matchmaking")
    assert (await parked(hub, coded(message), sender="matchmaking"))[0] == "noun-not-allowed"


async def test_a_copy_is_not_taken_over_by_another_node(network):
    """S4: whoever told of a record first owns it."""
    hub, id = network["hub"], uuid4()
    for source, verdict in (("hohhot", Verdict.DONE), ("baotou", Verdict.PARKED)):
        fact = providers.ProviderRegistered(
            id=id, version=1 if source == "hohhot" else 9, name="检测中心", credit_code="91150203MA0N1A2B3G",
            division="150203", state="active",
        )  # fmt: skip
        message = hub.heard(fact, source, recipient=None)
        data = coded({name: value for name, value in message.items() if value is not None})
        assert await hub.hear(data, source) is verdict


async def test_one_bad_message_among_good_ones_holds_nobody_up(network):
    from common.inbox import Raw

    hub = network["hub"]
    good = [coded(said(hub)) for _ in range(5)]
    batch = [*good[:2], b"{", *good[2:4], coded(said(hub, state="sold")), good[4]]
    verdicts = await hub.runtime.inbox.deliver([Raw(data, "hohhot", str(uuid4())) for data in batch])
    assert [str(verdict) for verdict in verdicts] == [
        "done",
        "done",
        "parked",
        "done",
        "done",
        "parked",
        "done",
    ]


@pytest.mark.parametrize(
    ("place", "value"),
    [
        ("feedseq", 10**30), ("feedseq", -1), ("feedseq", 2**62), ("feedseq", 2**63 - 1), ("feedseq", True),
        ("traceparent", "x" * 10_000), ("traceparent", "a\0b"), ("correlationid", "x"), ("causationid", 5),
        ("type", "a\0b.c.v1"), ("type", "offering.published.v1\n"), ("source", "Hub"), ("recipient", "a\0"),
        ("id", "00000000-0000-0000-0000-00000000000g"), ("entityversion", 2**63), ("entityepoch", 1e308),
        ("data", None), ("data", [1]), ("unknown", "a\0b"), ("unknown", nested(300)), ("unknown", nested(900)), ("time", 1e20), ("time", -(10**18)),
    ],
)  # fmt: skip
async def test_no_value_of_the_envelope_stops_the_feed(platform, place, value):
    message = said(platform) | {place: value}
    if place == "unknown":  # forwarding must not stumble over what the contract does not know either
        message["data"] |= {place: value}
    data = json.dumps(message).encode()
    verdict = await platform.hear(data, SENDERS[platform.kind])
    assert verdict in (Verdict.DONE, Verdict.PARKED)
    assert await goes_on(platform)


@pytest.mark.parametrize(
    "key", ["x" * 10_000, "".join(map(str, range(10_000))), "a\0b", "\ud800", "", "'; DROP TABLE inbox; --"]
)
async def test_no_message_key_stops_the_feed(platform, key):
    """The sender chooses it: a header of the bus."""
    assert await platform.hear(b"{", SENDERS[platform.kind], key=f"{uuid4()}{key}") is Verdict.PARKED
