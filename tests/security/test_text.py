"""Text is text: whatever it would mean to a browser, a database, a shell or a spreadsheet, it comes back as it went in."""

import html
import unicodedata
from dataclasses import replace
from uuid import uuid4

import pytest
from hub.members.domain import Membership
from reference import credit_code

from tests.security.straight_path import AGENT, OWNER, booked, carry, offering, provider

PAYLOADS = [
    "<script>alert(1)</script>", "<img src=x onerror=alert(1)>", "\"><svg/onload=alert`1`>", "javascript:alert(1)",
    "</title><b>", "<!-- -->", "&lt;b&gt; &amp;", "'; DROP TABLE demands; --", "' OR '1'='1", "1; SELECT pg_sleep(5)--",
    "\\'; --", "%' AND 1=1 --", "{{7*7}}", "${7*7}", "#{7*7}", "{% raw %}", "{0.__class__}", "%s%n%x", "%(x)s",
    '=HYPERLINK("http://x.example","y")', "=cmd|' /C calc'!A0", "+1+1", "-1+1", "@SUM(1)", "$(id)", "`id`",
    "; rm -rf / #", "| cat /etc/passwd", "../../etc/passwd", "..\\..\\x", "*)(uid=*))(|(uid=*", "$.x", "\\u0000", "\\x00",
    "𠮷野家 蒙古语 ᠮᠣᠩᠭᠣᠯ", "🐎🐑", "e\u0301tude", "ﷺ", "NULL", "undefined", "true", "1e999", "ＡＢＣ１２３",
]  # fmt: skip
_numbers = iter(range(600_000, 700_000))


def nfc(text):
    return unicodedata.normalize("NFC", text)


@pytest.mark.parametrize("text", PAYLOADS)
async def test_a_demand_is_kept_as_it_was_written(network, text):
    window, who = network["window"], network["window"].who(str(uuid4()), "sme")
    company = {
        "name": text, "credit_code": credit_code.complete(f"91150105{next(_numbers):09d}"), "division": "150105",
        "industry": "1441", "employees": 46, "revenue_cents": 1_850_000_000, **OWNER.contact(),
    }  # fmt: skip
    enterprise = await window.post("/v1/enterprises", who, company)
    assert enterprise["name"] == nfc(text)
    body = {
        "enterprise_id": enterprise["id"],
        "title": text,
        "text": f"{text}\n\t{text}",
        "must_haves": [text],
    }
    made = await window.post("/v1/demands", who, body)
    read = await window.http.get(f"/v1/demands/{made['id']}", headers=who)
    assert read.headers["content-type"] == "application/json"
    said = read.json()
    expected = (nfc(text), nfc(f"{text}\n\t{text}"), [nfc(text)])
    assert (said["title"], said["text"], said["must_haves"]) == expected
    # On through the network, to the register.
    await carry(network)
    case = await network["hub"].get(f"/v1/cases/{made['id']}", network["hub"].who("operator", "operator"))
    assert case["case"]["title"] == nfc(text)
    await window.get("/v1/demands", who)
    page = await network["hub"].get("/v1/cases?limit=5", network["hub"].who("operator", "operator"))
    assert nfc(text) in [item["title"] for item in page["items"]]


async def test_an_offering_is_kept_as_it_was_written(network):
    window, who = network["window"], network["window"].who(str(uuid4()), "agency")
    owner = await provider(window, who, AGENT, next(_numbers))
    offers = {
        text: await offering(
            window, who, owner, title=text, summary=text, attributes={"a": text, text[:50]: [text]}
        )
        for text in PAYLOADS
    }
    await carry(network)
    for text, id in offers.items():
        item = await network["hub"].get(f"/v1/catalogue/hohhot/{id}", {})
        assert (item["title"], item["summary"], item["attributes"]["a"]) == (nfc(text), nfc(text), nfc(text))


@pytest.mark.parametrize("text", PAYLOADS)
async def test_a_search_for_it_finds_it_or_nothing_and_harms_nothing(network, text):
    hub = network["hub"]
    for path in ("/v1/catalogue", "/v1/catalogue/facets"):
        answer = await hub.http.get(path, params={"q": text})
        assert answer.status_code in (200, 422), answer.text
    answer = await hub.http.get("/v1/cases", params={"q": text}, headers=hub.who("operator", "operator"))
    assert answer.status_code in (200, 422), answer.text
    for path in (f"/v1/nodes/{text}", f"/v1/catalogue/{text}/{uuid4()}", f"/v1/catalogue/hohhot/{text}"):
        answer = await hub.http.get(path.replace("#", "%23").replace("?", "%3F").replace("%s", "%25s"))
        assert 400 <= answer.status_code < 500, answer.text


async def test_a_wildcard_is_a_letter(network):
    """Else one character would find everything."""
    window, who, hub = network["window"], network["window"].who(str(uuid4()), "agency"), network["hub"]
    owner, word = await provider(window, who, AGENT, next(_numbers)), uuid4().hex
    await offering(window, who, owner, title=f"{word[:16]}检测{word[16:]}")
    await carry(network)
    asked = {word[:16]: 1, f"{word[:16]}%{word[16:]}": 0, f"{word[:16]}__{word[16:]}": 0, f"%{word[:16]}": 0}
    found = {q: len((await hub.http.get("/v1/catalogue", params={"q": q})).json()["items"]) for q in asked}
    assert found == asked


async def test_a_booking_is_kept_as_it_was_written(network):
    cluster, who = network["cluster"], network["cluster"].who(str(uuid4()), "agency")
    customer = cluster.who(str(uuid4()), "sme")
    owner = await provider(cluster, who, AGENT, next(_numbers))
    _, booking = await booked(cluster, who, owner, customer)
    for text in PAYLOADS[:3]:
        answer = await cluster.http.post(
            f"/v1/bookings/{booking}/cancellation", json={"reason": text}, headers=customer
        )
        assert answer.status_code in (200, 409), answer.text
    said = await cluster.get(f"/v1/bookings/{booking}", customer)
    assert PAYLOADS[0] in said.values()


async def test_the_status_page_shows_text_and_runs_nothing(network, monkeypatch):
    """Its only texts are names of nodes; even they are escaped."""
    hub, evil = network["hub"], "<script>alert('1')</script>\"&"
    topology = hub.settings.network
    nodes = tuple(replace(node, zh=evil, en=evil) if node.id == "hohhot" else node for node in topology.nodes)
    monkeypatch.setattr(hub.app.state.hub.roster, "_known", Membership(replace(topology, nodes=nodes)))
    answer = await hub.http.get("/")
    assert answer.status_code == 200
    assert evil not in answer.text and "<script" not in answer.text
    assert html.escape(evil) in answer.text
    policy = answer.headers["content-security-policy"]
    assert "default-src 'none'" in policy and "unsafe" not in policy
    assert answer.headers["x-content-type-options"] == "nosniff"
