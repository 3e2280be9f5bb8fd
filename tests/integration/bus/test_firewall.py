"""A window behind a firewall: one outgoing TLS connection, and what happens to it."""

import asyncio
import ssl

import nats
import pytest
from localnet import rotation
from localnet.certificates import Authority
from localnet.natsconf import BROKER
from localnet.secrets import new_seed

from tests.integration.bus.site import site, templates, through_a_proxy, until

pytestmark = pytest.mark.long


@pytest.fixture(scope="module")
def databases():
    with templates() as made:
        yield made


@pytest.fixture(scope="module")
async def running(databases):
    async with site(through_a_proxy, *databases) as made:
        yield made


@pytest.fixture
async def away(running):
    await running.mend()
    yield running
    await running.mend()


async def test_a_cut_cable_is_named_and_costs_nothing(away):
    await away.work(3)
    away.line.hang()
    await away.says("no-answer")
    away.line.hear()
    await away.whole()


async def test_a_line_that_flaps_every_second_costs_nothing(away):
    async def flap():
        for _ in range(3):
            await away.line.down()
            await asyncio.sleep(0.5)
            await away.line.up()
            await asyncio.sleep(0.5)

    flapping = asyncio.create_task(flap())
    while not flapping.done():
        await away.work(2)
    await flapping
    await away.whole()


async def test_a_far_away_window_says_everything_in_order(away):
    away.line.latency_s, away.line.jitter_s = 0.5, 0.3
    await away.work(10)
    await away.whole()
    away.line.reset()
    await away.work(2)
    await away.whole()


async def test_a_thin_line_carries_a_backlog_without_sending_it_twice(away):
    await away.line.down()
    await away.says("unreachable", "connection-lost")
    await away.work(40)
    passed = away.line.passed
    away.line.bytes_s = 8000
    await away.line.up()
    await away.whole()
    assert away.line.passed - passed < 400_000


async def test_a_reset_connection_is_made_anew(away):
    connections = away.bus.connections
    await away.work(2)
    away.line.reset()
    await away.work(2)
    await until(lambda: away.bus.connections > connections)
    await away.whole()


async def test_what_comes_in_small_pieces_is_understood(away):
    away.line.slice_bytes = 7
    away.line.reset()
    await away.work(2)
    await away.whole()


async def test_an_expired_certificate_is_named_and_its_renewal_read_by_itself(away):
    away.authority.issue("hohhot", days=-1)
    assert (await away.ready())[1] is None  # what stands is not ended by it
    away.line.reset()
    await away.says("certificate-expired")
    away.authority.issue("hohhot")
    await away.whole()


async def test_an_expired_certificate_of_the_broker_is_named(away):
    away.authority.issue(BROKER, days=-1)
    away.reload()
    away.line.reset()
    await away.says("broker-certificate-expired")
    away.authority.issue(BROKER)
    away.reload()
    await away.whole()


async def test_a_certificate_of_another_authority_is_named(away, tmp_path):
    files, other = away.authority.files("hohhot"), Authority(tmp_path)
    other.issue("hohhot")
    kept = files.cert_file.read_bytes(), files.key_file.read_bytes()
    foreign = other.files("hohhot")
    files.key_file.write_bytes(foreign.key_file.read_bytes())
    files.cert_file.write_bytes(foreign.cert_file.read_bytes())
    away.line.reset()
    await away.says("certificate-refused")
    files.key_file.write_bytes(kept[1])
    files.cert_file.write_bytes(kept[0])
    await away.whole()


async def test_a_wrong_key_is_named_and_does_not_end_what_stands(away):
    seed = away.network.secrets.seed_file("hohhot")
    right, connections = seed.read_text(), away.bus.connections
    seed.write_text(new_seed())
    await away.work(2)
    assert away.bus.connections == connections
    away.line.reset()
    await away.says("key-refused")
    seed.write_text(right)
    await away.whole()


async def test_a_key_is_changed_under_work_and_nobody_else_notices(away):
    hub, mine = away.hub.bus.connections, away.bus.connections
    secrets = away.network.secrets
    before = secrets.public_key("hohhot")
    old_seed = secrets.seed_file("hohhot").read_text().strip()
    change = asyncio.create_task(
        asyncio.to_thread(rotation.rotate, away.network, "hohhot", away.reload, wait_s=30)
    )
    while not change.done():
        await away.work(1)
    assert change.result()
    assert secrets.public_key("hohhot") != before
    assert away.bus.connections == mine + 1
    assert away.hub.bus.connections == hub
    await away.whole()
    assert await refused(away, old_seed) == """Error("nats: 'Authorization Violation'")"""


async def test_without_a_certificate_or_in_the_clear_nobody_gets_in(away):
    files = away.authority.files("hohhot")
    seed = away.network.secrets.seed_file("hohhot").read_text().strip()
    bare = ssl.create_default_context(cafile=str(files.ca_file))
    assert "certificate" in (await refused(away, seed, bare)).lower()
    assert await refused(away, seed, None) != ""


async def refused(away, seed, context: ssl.SSLContext | str | None = "own"):
    """How the broker answers to a connection made by hand; empty when it lets it in."""
    files = away.authority.files("hohhot")
    if context == "own":
        context = ssl.create_default_context(cafile=str(files.ca_file))
        context.load_cert_chain(files.cert_file, files.key_file)
    said = []

    async def note(error):
        said.append(repr(error))

    try:
        client = await nats.connect(
            away.network.bus_url.replace("tls:", "nats:"), nkeys_seed_str=seed, tls=context, connect_timeout=2,
            tls_handshake_first=context is not None, allow_reconnect=False, max_reconnect_attempts=1, error_cb=note,
        )  # fmt: skip
    except (OSError, nats.errors.Error, TimeoutError, asyncio.TimeoutError) as error:
        return said[0] if said else repr(error)
    await client.close()
    return ""
