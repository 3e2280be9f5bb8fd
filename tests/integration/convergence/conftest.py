"""A window, the hub and matchmaking on databases of their own, and a wire between them that the test drives."""

import contextlib
import functools
import itertools
import json
from urllib.parse import urlsplit

import asyncpg
import pytest
from common import db, journal, migrate
from common.auth import Principal
from common.contracts.envelope import wrap
from common.errors import Unavailable
from common.ids import new
from common.inbox import Raw
from hub.app import create_app as hub
from hub.members import service as members
from hub.nodes.service import Listener
from matchmaking.app import create_app as matchmaking
from window.app import create_app as window

from tests.integration.platform import copied, execute, migrated, running

MAKERS = {"hub": hub, "matchmaking": matchmaking}
# What the sequencer does after a commit: give the next numbers of each feed, in order.
NUMBER = """
WITH fresh AS (
  SELECT id, feed, row_number() OVER (PARTITION BY feed ORDER BY id) AS n
  FROM outbox WHERE sent_at IS NULL AND feed_seq IS NULL AND feed <> 'self'
), heads AS (
  INSERT INTO feeds_out AS f (feed, last_seq) SELECT feed, max(n) FROM fresh GROUP BY feed
  ON CONFLICT (feed) DO UPDATE SET last_seq = f.last_seq + excluded.last_seq RETURNING feed, last_seq
), numbered AS (
  SELECT fresh.id, h.last_seq - max(n) OVER (PARTITION BY fresh.feed) + n AS seq FROM fresh JOIN heads h USING (feed)
)
UPDATE outbox o SET feed_seq = coalesce(o.feed_seq, numbered.seq), sent_at = now()
FROM outbox p LEFT JOIN numbered USING (id)
WHERE o.id = p.id AND p.sent_at IS NULL AND p.feed <> 'self' RETURNING o.*
"""


class Net:
    """The platforms by id, and what is on its way between them."""

    def __init__(self, platforms):
        self.platforms = platforms
        self.backups = []
        self.lost = set()  # (sender, type) of what the wire swallows
        self.carried = []

    def __getitem__(self, node):
        return self.platforms[node]

    async def sql(self, node, query, *values):
        return await self[node].rows(query, *values)

    async def carry(self):
        """Deliver, in order, what is owed, until nothing is: numbered as the sequencer does it."""
        while any([await self._carry(node) for node in self.platforms]):
            pass

    async def _carry(self, node):
        rows = await self.sql(node, NUMBER)
        for feed, group in itertools.groupby(
            sorted(rows, key=lambda row: (row["feed"], row["id"])), lambda r: r["feed"]
        ):
            raws = []
            for row in group:
                document = json.loads(row["envelope"]) | {"feedseq": row["feed_seq"]}
                data = json.dumps(document).encode()
                if feed in self.platforms and (node, row["type"]) not in self.lost:
                    self.carried.append((node, feed, row["type"], len(data)))
                    raws.append(Raw(data, node, str(row["message_id"]), trusted=node == "hub"))
            if raws:
                with contextlib.suppress(Unavailable):  # held: it comes again when it is sent again
                    await self[feed].runtime.inbox.deliver(raws)
        return bool(rows)

    async def say(self, node, *facts):
        """Let a platform say facts as its journal does, and deliver them."""
        platform = self[node]
        async with db.begin(platform.runtime.sessions) as tx:
            await journal.write_many(tx, facts, who=Principal.system(node), at=platform.clock())
        await self.carry()

    async def hear(self, node, fact, source):
        envelope = wrap(fact, id=new(), source=source, at=self[node].clock())
        raw = Raw(envelope.model_dump_json().encode(), source, str(envelope.id))
        return (await self[node].runtime.inbox.deliver([raw]))[0]

    async def beat(self, node):
        """A beat of the node, heard, answered and written down by the hub; then the node follows the answer."""
        hub, heart = self["hub"], self[node].runtime.heart
        listener = Listener(hub.runtime.settings.network, hub.app.state.hub.fences)

        class Wire:
            async def ask(self, subject, payload, patience):
                return listener.hear(subject, payload, hub.clock())

        heart._bus = Wire()
        connection = await asyncpg.connect(self[node].url)
        try:
            await heart.beat(connection)
        finally:
            await connection.close()
        async with db.begin(hub.runtime.sessions) as tx:
            await listener.write(tx, at=hub.clock())

    async def beats(self, *nodes, times=3):
        for _ in range(times):
            for node in nodes:
                await self.beat(node)

    async def resend(self, node):
        """What has had no receipt for long is sent again."""
        await self.sql(
            node,
            "UPDATE outbox o SET sent_at = NULL FROM feeds_out f WHERE o.feed = f.feed AND o.feed_seq > f.confirmed_seq",
        )

    async def backup(self, node):
        """A copy of the node's database as it is now."""
        await self[node].runtime.engine.dispose()
        name = urlsplit(self[node].url).path[1:]
        await execute(f"DROP DATABASE IF EXISTS {name}_old", f"CREATE DATABASE {name}_old TEMPLATE {name}")
        self.backups.append(f"{name}_old")

    async def restore(self, node):
        """Put the copy in the place of the database."""
        await self[node].runtime.engine.dispose()
        name = urlsplit(self[node].url).path[1:]
        await execute(f"DROP DATABASE {name} WITH (FORCE)", f"ALTER DATABASE {name}_old RENAME TO {name}")
        self.backups.remove(f"{name}_old")

    async def compare(self, node, *, repair=False):
        """Order a comparison at the hub's door and let it run to its end; what GET drift says then."""
        asked = await self.operator.post(f"/v1/nodes/{node}/digests", json={"repair": repair})
        assert asked.status_code == 202, asked.text
        await self.carry()
        return await self.drift(node)

    async def drift(self, node):
        answer = await self.operator.get(f"/v1/nodes/{node}/drift")
        assert answer.status_code == 200, answer.text
        return answer.json()

    @functools.cached_property
    def operator(self):
        return self["hub"].caller("ops", "operator")


@pytest.fixture(scope="session")
def templates():
    with contextlib.ExitStack() as stack:
        yield {
            kind: stack.enter_context(migrated(migrate.PACKAGES[kind]))
            for kind in ("hub", "window", "matchmaking")
        }


@contextlib.asynccontextmanager
async def platforms(templates, *nodes):
    async with contextlib.AsyncExitStack() as stack:
        made = {}
        for node in nodes:
            kind = node if node in templates else "window"
            url = await stack.enter_async_context(copied(templates[kind]))
            made[node] = await stack.enter_async_context(running(url, node, MAKERS.get(node, window)))
            made[node].url = url
        net = Net(made)
        async with db.begin(net["hub"].runtime.sessions) as tx:
            await members.enrol(tx, net["hub"].runtime.settings.network, at=net["hub"].clock())
        yield net
        for name in net.backups:
            await execute(f"DROP DATABASE {name}")


EMPTIED = {
    "outbox", "inbox", "feeds_out", "feeds_in", "dead_letters", "audit", "announcements", "drift", "drift_differences",
    "catalogue_offerings", "catalogue_providers", "offerings", "providers", "offering_versions", "provider_versions",
}  # fmt: skip


@pytest.fixture(scope="module")
async def shared(templates):
    """One set of databases for tests that need no restore and no memory of matchmaking's."""
    async with platforms(templates, "hub", "hohhot", "matchmaking") as made:
        yield made


async def emptied(net):
    for node in net.platforms:
        found = await net.sql(node, "SELECT tablename FROM pg_tables WHERE schemaname = current_schema()")
        names = ", ".join(sorted(EMPTIED & {row["tablename"] for row in found}))
        await net.sql(node, f"TRUNCATE {names} CASCADE")
    net.lost.clear()
    net.carried.clear()
    return net


@pytest.fixture
async def net(templates):
    async with platforms(templates, "hub", "hohhot", "matchmaking") as made:
        yield made
