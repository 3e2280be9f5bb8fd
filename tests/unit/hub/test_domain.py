"""Pure rules of the hub."""

from datetime import UTC, datetime, timedelta

import pytest
from common.errors import Conflict, Invalid
from hub.api_keys import domain as api_keys
from hub.cases import domain as cases
from hub.catalogue import domain as catalogue
from hub.clients import domain as clients
from hub.nodes import domain as nodes
from hub.routing import domain as routing
from hub.signing_keys import domain as keys
from hub.status import page
from hub.status.domain import Place, Status
from hub.users import domain as users

NOW = datetime(2026, 3, 31, 9, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    "quiet, state", [(0, "ready"), (15, "ready"), (16, "late"), (60, "late"), (61, "silent")]
)
def test_health(quiet, state):
    heard = nodes.Heard(
        node="hohhot", sent_at=NOW, heard_at=NOW, beating_since=NOW - timedelta(hours=1), epoch=1, feed_seq=0,
        applied_seq=0, unsent=0, unconfirmed=0, dead_letters=0, release="1", offset_s=0.0,
    )  # fmt: skip
    assert nodes.health(heard, NOW + timedelta(seconds=quiet)).state == state
    assert nodes.health(None, NOW).state == "never"


def signing_key(kid, signs_from, retired=False):
    at = NOW + timedelta(seconds=signs_from)
    return keys.SigningKey(
        kid=kid, public={}, sealed=b"x", published_at=NOW, signs_from=at, retired_at=NOW if retired else None
    )


def test_keys_sign_in_turn_and_go_when_spent():
    old, new = signing_key("old", 0), signing_key("new", 420)
    both = [old, new]
    assert keys.signer([], NOW) is None
    assert keys.signer(both, NOW) is old
    assert keys.signer(both, NOW - timedelta(days=1)) is old
    assert keys.signer(both, NOW + timedelta(seconds=420)) is new
    last = NOW + timedelta(seconds=420 + keys.TOKEN_LIFETIME_S + keys.GRACE_S)
    assert keys.spent(both, last - timedelta(seconds=1)) == []
    assert keys.spent(both, last) == [old]
    with pytest.raises(Conflict):
        keys.check_rotation(both, NOW)
    assert keys.status(new, both, NOW) == "published"
    assert keys.status(old, both, last) == "verifying"


@pytest.mark.parametrize(
    "one, other", [("Food", "food"), ("ＦＯＯＤ", "food"), ("Straße", "STRASSE"), ("ﬁne", "fine")]
)
def test_usernames_that_compare_alike(one, other):
    assert users.key(one) == users.key(other)


@pytest.mark.parametrize(
    "name", ["operator", "Operator", "admin", "hubnet", "hub.x", "ＯＰＥＲＡＴＯＲ", "platform-1"]
)
def test_reserved_names(name):
    with pytest.raises(Invalid):
        users.check_username(name, open_to_all=True)


def test_a_secret_is_bound_to_its_label_and_the_pepper():
    stored = clients.digest(b"p" * 32, clients.label("a"), "secret")
    assert clients.matches(b"p" * 32, clients.label("a"), "secret", stored)
    assert not clients.matches(b"p" * 32, clients.label("b"), "secret", stored)
    assert not clients.matches(b"q" * 32, clients.label("a"), "secret", stored)
    assert not clients.matches(b"p" * 32, clients.label("a"), "secret", None)
    assert not clients.matches(b"p" * 32, clients.label("a"), "\ud800", stored)


@pytest.mark.parametrize("key", ["", "pk", "pk_", "pk_a", "pk__b", "xx_a_b", "pk_a_"])
def test_what_is_no_api_key(key):
    assert api_keys.split(key) is None


def test_api_key_halves_come_back_whole():
    assert api_keys.split(api_keys.join("abc", "d_e-f_g")) == ("abc", "d_e-f_g")


@pytest.mark.parametrize(
    "code, prefix", [("150000", "15"), ("150100", "1501"), ("150781", "150781"), ("15", "15")]
)
def test_area_prefixes(code, prefix):
    assert catalogue.prefix(code) == prefix


def test_words_are_folded_bounded_and_escaped():
    assert catalogue.words("  ＩＣＰ icp  检测 ") == ("icp", "检测")
    assert len(catalogue.words(" ".join(map(str, range(50))))) == catalogue.MAX_WORDS
    assert catalogue.words(None) == ()
    assert catalogue.pattern("100%_\\") == "%100\\%\\_\\\\%"


def test_every_fact_of_a_case_has_its_words():
    from common.contracts.envelope import FACTS

    told = {kind.rsplit(".", 1)[0] for kind in FACTS if kind.split(".")[0] in cases.NOUNS}
    assert told == set(cases.SUMMARIES)


def test_every_noun_of_the_contracts_has_a_rightful_sender():
    from common.contracts.envelope import FACTS

    said = frozenset[str]().union(*routing.MAY_SAY.values())
    of_the_hub_alone = {"platform", "snapshot"}
    assert {kind.split(".")[0] for kind in FACTS} == said | of_the_hub_alone
    assert not said & of_the_hub_alone


def test_the_page_escapes_names_and_shows_every_state():
    places = tuple(
        Place(
            id=f"n{n}",
            kind=kind,
            zh=f"<b>{kind}&",
            en='"x"',
            state=state,
            since=NOW,
            lag=n,
            lon=111.0,
            lat=40.0,
            offerings=n,
        )
        for n, (kind, state) in enumerate(zip(page.KINDS, page.STATES, strict=True))
    )
    text = page.render(Status(at=NOW, places=places, cases={"closed": 3, "<odd>": 1}, dead_letters=2))
    assert "<b>hub&" not in text
    assert "&lt;b&gt;hub&amp;" in text
    assert "&lt;odd&gt;" in text
    assert "03-31 17:00:00" in text
    assert all(zh in text for zh, _ in page.STATES.values())


def test_destinations_never_include_the_sender_and_none_twice():
    from types import SimpleNamespace

    from common.node import Node, Topology

    network = Topology(
        (
            Node("hub", "hub", "", "", ("15",), 0),
            Node("a", "window", "", "", ("1501",), 1),
            Node("m", "matchmaking", "", "", ("15",), 40),
        )
    )

    def to(noun, source, recipient):
        return routing.destinations(
            SimpleNamespace(type=f"{noun}.said.v1", noun=noun, source=source, recipient=recipient), network
        )

    assert to("demand", "a", None) == ["m"]
    assert to("demand", "a", "m") == ["m"]
    assert to("invitation", "a", "a") == ["m"]
    assert to("quotation", "a", "hub") == ["m"]
    assert to("progress", "a", "a") == []
    assert to("booking", "a", "hub") == []
    assert to("match", "m", "a") == ["a"]


def test_a_suspension_goes_to_every_platform_that_may_invite():
    from types import SimpleNamespace

    from common.node import Node, Topology

    kinds = (("hub", "hub"), ("a", "window"), ("b", "window"), ("c", "cluster"), ("m", "matchmaking"))
    network = Topology(tuple(Node(id, kind, "", "", ("15",), port) for port, (id, kind) in enumerate(kinds)))
    said = SimpleNamespace(type="provider.suspended.v1", noun="provider", source="a", recipient=None)
    assert set(routing.destinations(said, network)) == {"b", "c", "m"}
    said.type = "provider.changed.v1"
    assert set(routing.destinations(said, network)) == {"m"}
