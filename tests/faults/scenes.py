"""For each deliberate bug the smallest scene that must show it. Without the bug the same scene holds.

A scene is deterministic: it waits for what it needs to see, holds what would race, and then ends it.
"""

import asyncio
import base64
import contextlib
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from common.ids import new

from tests.faults import picture
from tests.faults.nemesis import provision, publish, shut_out
from tests.faults.network import AGAIN_S, Running, brisk, until
from tests.faults.rounds import Run
from tests.faults.workload import AGENCY, Client, Held

PATIENCE_S = 40.0
QUIET_S = 8.0
# The nets that would mend a loss before anybody looks are taken away.
PLAIN: dict[str, Any] = {"without_digests": True, "receipt_after_s": 600.0}
HUB, HERE, THERE = "hub", "hohhot", "baotou"
NODES = (HUB, HERE, THERE, "matchmaking")


@dataclass
class Scene:
    """A window, its client, and everything that may be done to them."""

    run: Run

    @property
    def running(self) -> Running:
        return self.run.running

    @property
    def client(self) -> Client:
        return next(client for client in self.run.clients if client.node == HERE)

    async def offering(self) -> Held:
        """A fresh one, published and known to hub and matchmaking."""
        await self.client.offer()
        held = self.client.offerings[-1]
        await self.seen(held.id)
        return held

    async def seen(self, id: UUID) -> None:
        async def look() -> Any:
            return await self.running.fetch(
                "matchmaking", "SELECT 1 FROM offerings WHERE id = $1 AND state = 'published'", id
            )

        await eventually(look, f"matchmaking does not hear of {id}")

    async def dies(self, node: str) -> None:
        """Killed, and started again by its supervisor."""
        before = self.running.pid(node)
        self.running.do("kill", node)
        await until(
            lambda: self.running.pid(node) not in (before, None), PATIENCE_S, lambda: f"{node} stays dead"
        )

    async def settled(self) -> None:
        """Nothing moves on the bus any more, or has had the time to."""
        await picture.quiet(lambda: picture.waiting(self.running), QUIET_S)


async def eventually(look: Callable[[], Awaitable[Any]], why: str, limit_s: float = PATIENCE_S) -> Any:
    loop = asyncio.get_running_loop()
    deadline = loop.time() + limit_s
    while not (found := await look()):
        if loop.time() > deadline:
            raise AssertionError(why)
        await asyncio.sleep(0.05)
    return found


Play = Callable[[Scene], Awaitable[None]]
Config = Callable[[Running], Any]


@dataclass(frozen=True)
class Trial:
    """A scene, the node that has the bug, and the invariants that must break. Without a node it is the bus's."""

    play: Play
    node: str | None
    breaks: frozenset[str]
    misconfigured: Config | None = None


TRIALS: dict[str, Trial] = {}


def shows(
    bug: str, *breaks: str, node: str | None = None, misconfigured: Config | None = None
) -> Callable[[Play], Play]:
    def register(play: Play) -> Play:
        TRIALS[bug] = Trial(play, node, frozenset(breaks), misconfigured)
        return play

    return register


@contextlib.asynccontextmanager
async def dying_as_it_writes(scene: Scene, times: int) -> AsyncIterator[None]:
    """The hub is killed each time it has begun to write what it was given; in the end it is left to."""
    writes = (
        "SELECT pid FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND query LIKE 'INSERT INTO inbox %'"
        " AND pid <> ALL($1::int[])"
    )
    async with scene.running.inside(HUB) as connection:
        lock = connection.transaction()
        await lock.start()
        await connection.execute("LOCK TABLE inbox IN ACCESS EXCLUSIVE MODE")
        yield
        before: list[int] = []
        for _ in range(times):

            async def new(before: list[int] = before) -> list[int]:
                return [pid for (pid,) in await scene.running.fetch(HUB, writes, before)]

            # After the first it may be that nothing is delivered again, which is what is to be seen.
            with contextlib.suppress(*([AssertionError] if before else [])):
                before = before + await eventually(new, "the hub does not write", QUIET_S)
                await scene.dies(HUB)
        await lock.rollback()
    await scene.running.ready(HUB)


@shows("ack-before-commit", "I1", "I3", node=HUB)
async def the_hub_dies_while_it_writes(scene: Scene) -> None:
    held = await scene.offering()
    async with dying_as_it_writes(scene, 1):
        await scene.client.edit(held, "offering", "retire", AGENCY)


@shows("equal-version-overwrites", "I3", node=HUB)
async def an_owner_says_two_things_under_one_version(scene: Scene) -> None:
    """As a window does that was put back from a copy."""
    held = await scene.offering()
    ((text,),) = await scene.running.fetch(
        HERE,
        "SELECT envelope FROM outbox WHERE entity = $1 AND feed = 'hub' ORDER BY id DESC LIMIT 1",
        held.id,
    )
    envelope = json.loads(text) | {"id": str(new())}
    envelope["data"]["title"] = "另一项内容"
    scene.run.forks.add((HERE, held.id))
    async with scene.running.speaking(HERE) as client:
        await publish(client, f"up.{HERE}.{envelope['type']}", json.dumps(envelope).encode(), envelope["id"])


def subject_of(token: str) -> str:
    """Whom a token is of."""
    body = token.split(".")[1]
    return json.loads(base64.urlsafe_b64decode(body + "=" * (-len(body) % 4)))["sub"]


@contextlib.asynccontextmanager
async def overtaken(scene: Scene) -> AsyncIterator[None]:
    """A retirement has written everything but its last row, and waits; what is done inside commits before it."""
    running, client = scene.running, scene.client
    held_by_all = await scene.offering()
    key = f"{client.book.run}-{len(client.book.acts):05d}"  # of the act that comes next
    async with running.inside(HERE) as connection:
        held = connection.transaction()
        await held.start()
        await connection.execute(
            "INSERT INTO idempotency_keys (caller, key, request_hash, status, answer) VALUES ($1, $2, '', 201, '')",
            subject_of(client._tokens[AGENCY]),
            key,
        )
        slow = asyncio.create_task(client.edit(held_by_all, "offering", "retire", AGENCY))
        waits = "SELECT 1 FROM pg_stat_activity WHERE datname = $1 AND wait_event_type = 'Lock'"
        await eventually(lambda: running.fetch(HERE, waits, running.database(HERE)), "nobody waits")
        yield
        await held.rollback()
        await slow


@shows("cursor-relay", "I1", "I3", node=HERE)
async def a_lower_id_commits_later(scene: Scene) -> None:
    async with overtaken(scene):
        act = await scene.client.submit()
        numbered = "SELECT 1 FROM outbox WHERE entity = $1 AND sent_at IS NOT NULL"
        await eventually(lambda: scene.running.fetch(HERE, numbered, act.entity), "nothing is sent")


@shows("audit-unlocked", "I6", node=HERE)
async def two_acts_are_noted_at_once(scene: Scene) -> None:
    async with scene.running.inside(HERE) as connection:
        await connection.execute("CREATE SEQUENCE IF NOT EXISTS audit_numbers")
        await connection.execute("GRANT ALL ON audit_numbers TO PUBLIC")
        await connection.execute(
            "SELECT setval('audit_numbers', (SELECT coalesce(max(seq), 0) + 1 FROM audit), false)"
        )
    async with overtaken(scene):
        await scene.client.offer()


@shows("tombstone-skipped", "I1", "I3", node=HUB)
async def an_offering_is_retired(scene: Scene) -> None:
    held = await scene.offering()
    await scene.client.edit(held, "offering", "retire", AGENCY)


async def limited(running: Running) -> None:
    """Three deliveries of each message, and no more."""
    async with running.speaking(HUB) as hub:
        await hub.jetstream(timeout=10).add_consumer(
            f"UP_{HERE}", brisk(HUB).evolve(backoff=[AGAIN_S[0]] * 2, max_deliver=3)
        )


@shows("max-deliver", "I1", "I3", misconfigured=limited)
async def the_hub_dies_at_three_deliveries(scene: Scene) -> None:
    held = await scene.offering()
    async with dying_as_it_writes(scene, 3):
        await scene.client.edit(held, "offering", "retire", AGENCY)


async def shared(running: Running) -> None:
    """Two windows in one stream."""
    async with running.speaking(HUB) as hub:
        stream = hub.jetstream(timeout=10)
        await stream.delete_stream(f"UP_{THERE}")
        found = (await stream.stream_info(f"UP_{HERE}")).config
        await stream.update_stream(found, subjects=[f"up.{HERE}.>", f"up.{THERE}.>"])


@shows("shared-stream", "I1", "I3", misconfigured=shared)
async def a_window_claims_the_id_of_anothers_message(scene: Scene) -> None:
    running = scene.running
    held = await scene.offering()
    await scene.running.links[HERE].down()
    await scene.client.edit(held, "offering", "retire", AGENCY)
    owed = await running.fetch(HERE, "SELECT message_id FROM outbox WHERE sent_at IS NULL AND feed = 'hub'")
    async with running.speaking(THERE) as client:
        for (id,) in owed:
            scene.run.stage.planted.add(str(id))
            await publish(client, f"up.{THERE}.offering.published.v1", b"{", str(id))
    await scene.running.links[HERE].up()
    sent = "SELECT 1 FROM outbox WHERE message_id = $1 AND sent_at IS NOT NULL"
    await eventually(lambda: running.fetch(HERE, sent, owed[-1][0]), "the window does not send")


@shows("answer-before-commit", "I1", node=HERE)
async def the_disk_is_full_at_the_commit(scene: Scene) -> None:
    async with scene.running.inside(HERE) as connection:
        await connection.execute(
            "CREATE OR REPLACE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS"
            " $$ BEGIN RAISE EXCEPTION 'no space left' USING ERRCODE = 'disk_full'; END $$"
        )
        await connection.execute(
            "CREATE CONSTRAINT TRIGGER refuse AFTER INSERT ON offerings DEFERRABLE INITIALLY DEFERRED"
            " FOR EACH ROW EXECUTE FUNCTION refuse()"
        )
        await scene.client.offer()
        await connection.execute("DROP TRIGGER refuse ON offerings")


@shows("receipt-before-commit", "I1", "I3", node=HUB)
async def the_stream_is_lost_before_it_was_applied(scene: Scene) -> None:
    running = scene.running
    running.suffer(HERE, without_digests=True, receipt_after_s=1.0)
    await running.restart(HERE)
    receipts = "SELECT 1 FROM feeds_out WHERE feed = 'hub' AND confirmed_seq = last_seq"
    async with shut_out(running, HUB):
        await scene.client.offer()
        sent = "SELECT 1 WHERE NOT EXISTS (SELECT 1 FROM outbox WHERE sent_at IS NULL AND feed = 'hub')"
        await eventually(lambda: running.fetch(HERE, sent), "the window does not send")
        with contextlib.suppress(AssertionError):  # a receipt that must not come yet, were the hub honest
            await eventually(lambda: running.fetch(HERE, receipts), "no receipt", 2.0)
        async with running.speaking(HUB) as hub:
            await hub.jetstream(timeout=10).delete_stream(f"UP_{HERE}")
        await scene.dies(HUB)
    await running.ready(HUB)
    await provision(running)
    with contextlib.suppress(AssertionError):  # it never comes to what was confirmed and is not there
        await eventually(lambda: running.fetch(HERE, receipts), "no receipt", QUIET_S)
    running.suffer(HERE, **PLAIN)
    await running.restart(HERE)


async def play(run: Run, trial: Trial, bug: str | None) -> dict[str, list[str]]:
    """What a scene breaks that was whole before, with the bug or without any."""
    running = run.running
    before = await run.check()
    if bug and trial.misconfigured:
        await trial.misconfigured(running)
    elif bug and trial.node:
        running.suffer(trial.node, bug=bug, **PLAIN)
        await running.restart(trial.node)
    scene = Scene(run)
    try:
        await trial.play(scene)
        await scene.settled()
        after = await run.check()
    finally:
        if bug and trial.node:
            running.suffer(trial.node, **PLAIN)
            await running.restart(trial.node)
        if bug and trial.misconfigured:
            await mend_bus(running)
    return {name: [one for one in broken if one not in before[name]] for name, broken in after.items()}


async def mend_bus(running: Running) -> None:
    async with running.speaking(HUB) as hub:
        stream = hub.jetstream(timeout=10)
        found = (await stream.stream_info(f"UP_{HERE}")).config
        await stream.update_stream(found, subjects=[f"up.{HERE}.>"])
    await provision(running)
