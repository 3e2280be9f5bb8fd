"""I1 to I8, as sentences about what the clients know and what the databases hold. Each yields what breaks it."""

import asyncio
import contextlib
import re
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

import asyncpg

from tests.faults.book import Book
from tests.faults.network import Running
from tests.faults.picture import Picture, copies, counted, told

TOMBSTONE = "retired"
SETTLED = frozenset({"matched", "no_match"})


@dataclass
class Watch:
    """Looks at the observers all the while: a version that was seen is never followed by a lower one."""

    running: Running
    seen: dict[tuple[str, str, str, UUID], tuple[int, int]] = field(default_factory=dict)
    fallen: list[str] = field(default_factory=list)
    looks: int = 0

    async def run(self) -> None:
        while True:
            began = time.monotonic()
            for node in ("hub", "matchmaking"):
                # While its database is away there is nothing to see.
                with contextlib.suppress(
                    OSError, asyncpg.PostgresError, asyncpg.InterfaceError, TimeoutError
                ):
                    await self.look(node)
            await asyncio.sleep(max(0.2, 4 * (time.monotonic() - began)))

    async def look(self, node: str) -> None:
        prefix = "catalogue_" if node == "hub" else ""
        for noun in ("offerings", "providers"):
            for row in await self.running.fetch(
                node, f"SELECT owner, id, epoch, version FROM {prefix}{noun}"
            ):
                key, now = (node, noun, row["owner"], row["id"]), (row["epoch"], row["version"])
                if now < self.seen.get(key, now):
                    self.fallen.append(
                        f"{node} {noun} {row['id']} of {row['owner']} fell from {self.seen[key]} to {now}"
                    )
                self.seen[key] = now
        self.looks += 1

    def forget(self, node: str) -> None:
        """Its database was put back on purpose."""
        self.seen = {key: version for key, version in self.seen.items() if key[0] != node}


@dataclass(frozen=True)
class Case:
    """What a check looks at.

    Shape: `planted` are the keys of the poison, `forks` the records that were said twice under one version,
    `restored` the platforms that were put back from a copy, `leaks` where contacts were found that do not belong there.
    """

    running: Running
    book: Book
    picture: Picture
    watch: Watch
    planted: frozenset[str] = frozenset()
    forks: frozenset[tuple[str, UUID]] = frozenset()
    restored: frozenset[str] = frozenset()
    leaks: tuple[str, ...] = ()

    def owned(self, node: str, noun: str) -> dict[UUID, Any]:
        return {row["id"]: row for row in self.picture.of(node, noun)}


def nothing_acknowledged_is_lost(case: Case) -> Iterator[str]:
    """I1: what was answered ok is there, at least at that version, at its owner, the hub and matchmaking.

    And the other way: what was refused is nowhere, and nothing is there that nobody did.
    """
    cases = {row["id"] for row in case.picture.of("hub", "cases")}
    sought = {row["id"] for row in case.picture.of("matchmaking", "demands")}
    for id, entity in case.book.entities.items():
        held = case.owned(entity.node, f"{entity.noun}s").get(id)
        if held is None:
            if entity.acknowledged:
                yield f"{entity.node} lost {entity.noun} {id}"
            continue
        if not any(act.ending != "fail" for act in entity.acts):
            yield f"{entity.node} has {entity.noun} {id}, which was refused"
        if held["version"] < entity.least_version:
            yield f"{entity.node} has {entity.noun} {id} at {held['version']}, {entity.least_version} was acknowledged"
        if entity.titles and not any(mark in held["title"] for mark in entity.titles):
            yield f"{entity.node} shows {entity.noun} {id} as {held['title']}, not {sorted(entity.titles)}"
        if not entity.acknowledged:
            continue
        if entity.noun == "demand":
            if id not in cases:
                yield f"the hub has no case of demand {id} of {entity.node}"
            if id not in sought:
                yield f"matchmaking has no demand {id} of {entity.node}"
            continue
        for place in ("hub", "matchmaking"):
            copy = copies(case.picture, place, f"{entity.noun}s").get((entity.node, id))
            if copy is None:
                yield f"{place} lacks {entity.noun} {id} of {entity.node}"
            elif copy["version"] < entity.least_version:
                yield f"{place} has {entity.noun} {id} at {copy['version']}, {entity.least_version} was acknowledged"
    refused = {act.mark for act in case.book.ended("fail") if act.titles}
    for node in case.running.platforms:
        for noun in ("offerings", "demands"):
            for row in case.picture.of(node, noun):
                if (mark := row["title"].rsplit(" ", 1)[-1]) in refused:
                    yield f"{node} shows {mark}, which was refused"


def failures_are_told(case: Case) -> Iterator[str]:
    """I1: whoever cannot keep an act says so, 503 and when to come again; nobody breaks down."""
    for act in case.book.acts:
        if act.said[:1] == "5" and not act.said.startswith("503"):
            yield f"{act.node} answered {act.verb} {act.mark} with {act.said}"


def every_demand_is_matched_once(case: Case) -> Iterator[str]:
    """I2: each accepted demand that stands has one result for what it says now, and none has two."""
    results = counted(case.picture.of("matchmaking", "matches"), "owner", "demand_id", "demand_version")
    for id, entity in case.book.entities.items():
        if entity.noun != "demand" or not entity.acknowledged:
            continue
        held = case.owned(entity.node, "demands").get(id)
        if held is None or held["state"] == "withdrawn":
            continue
        if held["state"] not in SETTLED:
            yield f"demand {id} of {entity.node} is {held['state']}"
        found = [row for row in case.picture.of(entity.node, "results") if row["demand_id"] == id]
        if not [row for row in found if row["demand_version"] >= held["content_version"]]:
            yield f"{entity.node} has no result of demand {id} for version {held['content_version']}"
        if not [key for key in results if key[:2] == (entity.node, id) and key[2] >= held["content_version"]]:
            yield f"matchmaking has no result of demand {id} for version {held['content_version']}"
    for key, count in results.items():
        if count > 1:
            yield f"demand {key[1]} version {key[2]} has {count} results"


def copies_equal_their_owners(case: Case) -> Iterator[str]:
    """I3: the hub holds the union of its platforms and nothing else, and matchmaking what the hub holds."""
    for noun in ("offerings", "providers"):
        hub, matchmaking = (copies(case.picture, place, noun) for place in ("hub", "matchmaking"))
        union = {
            (node, row["id"]): row for node in case.running.platforms for row in case.picture.of(node, noun)
        }
        for key in sorted(union.keys() | hub.keys(), key=str):
            owner, copy = union.get(key), hub.get(key)
            if owner is None and copy is not None and copy["deleted"] and key[0] in case.restored:
                continue  # ended at the hub: the copy its owner was put back from does not know it
            if owner is None or copy is None:
                yield f"{noun} {key}: the owner has {told(owner) if owner else None}, the hub {told(copy) if copy else None}"
                continue
            said = (owner["epoch"], owner["version"], owner["state"] == TOMBSTONE, owner["title"])
            if said != (copy["epoch"], copy["version"], copy["deleted"], copy["title"]):
                yield f"{noun} {key}: the owner says {said}, the hub {told(copy)}"
        for key in sorted(hub.keys() | matchmaking.keys(), key=str):
            here, there = hub.get(key), matchmaking.get(key)
            if here is None or there is None:
                yield f"{noun} {key}: the hub has {told(here) if here else None}, matchmaking {told(there) if there else None}"
            elif plain(here) != plain(there):
                yield f"{noun} {key}: the hub has {told(here)}, matchmaking {told(there)}"
            elif here["forked"] and key not in case.forks:
                yield f"{noun} {key} is forked"


def plain(copy: Any) -> dict[str, Any]:
    """A copy without the flag: each place sees a fork, or not, by what reaches it."""
    return {name: value for name, value in dict(copy).items() if name != "forked"}


def nothing_ended_comes_back(case: Case) -> Iterator[str]:
    """I3: a tombstone that was acknowledged is one everywhere."""
    for id, entity in case.book.entities.items():
        if not entity.ended:
            continue
        held = case.owned(entity.node, f"{entity.noun}s").get(id)
        if held and held["state"] not in (TOMBSTONE, "withdrawn"):
            yield f"{entity.noun} {id} of {entity.node} is {held['state']} again"
        if entity.noun == "demand":
            continue
        for place in ("hub", "matchmaking"):
            copy = copies(case.picture, place, f"{entity.noun}s").get((entity.node, id))
            if copy is not None and not copy["deleted"]:
                yield f"{place} shows {entity.noun} {id} of {entity.node}, which is retired"


def nothing_happens_twice(case: Case) -> Iterator[str]:
    """I4: an act sent again with its key has one effect; a result is told once; a version is written once."""
    shown: dict[str, list[UUID]] = {}
    for node in case.running.platforms:
        for noun in ("offerings", "demands"):
            for row in case.picture.of(node, noun):
                shown.setdefault(row["title"].rsplit(" ", 1)[-1], []).append(row["id"])
    for act in case.book.acts:
        if act.creates and len(found := shown.get(act.mark, [])) > 1:
            yield f"{act.verb} {act.mark} made {len(found)}: {found}"
    for key, count in counted(case.picture.of("matchmaking", "told"), "id", "version").items():
        if count > 1:
            yield f"the result {key[0]} version {key[1]} was told {count} times"
    for node in case.running.nodes:
        for row in case.picture.of(node, "audited"):
            if row["count"] > 1:
                yield f"{node} notes {row['action']} {row['object_id']} version {row['version']} {row['count']} times"


def nothing_private_leaves(case: Case) -> Iterator[str]:
    """I5: what people left as their contact is nowhere but in their own platform's database."""
    yield from case.leaks


def the_audit_is_whole(case: Case) -> Iterator[str]:
    """I6: every chain verifies, and every version that was acknowledged has its line."""
    for node, wrong in case.picture.chains.items():
        yield from (f"{node}: {problem}" for problem in wrong)
    for node in case.running.platforms:
        noted = {(row["object_id"], row["version"]) for row in case.picture.of(node, "audited")}
        for act in case.book.ended("ok"):
            if (
                act.node == node
                and act.version is not None
                and (str(act.entity), str(act.version)) not in noted
            ):
                yield f"{node} has no line of {act.verb} {act.entity} version {act.version}"


def only_poison_is_parked(case: Case) -> Iterator[str]:
    """I7: the dead letters are the poison that was planted, all of it and no other."""
    parked: set[str] = set()
    for node in case.running.nodes:
        for row in case.picture.of(node, "dead"):
            parked.add(row["message_key"])
            lost = node in case.restored and row["reason"] == "not-found"  # of what its copy does not know
            if row["message_key"] not in case.planted and not lost:
                yield f"{node} parked {told(row)}"
    yield from (f"the poison {key} was not parked" for key in sorted(case.planted - parked))


def versions_never_fall(case: Case) -> Iterator[str]:
    """I8: whoever looks at the hub or at matchmaking never sees a record become older."""
    yield from case.watch.fallen


INVARIANTS: dict[str, tuple[Callable[[Case], Iterator[str]], ...]] = {
    "I1": (nothing_acknowledged_is_lost, failures_are_told),
    "I2": (every_demand_is_matched_once,),
    "I3": (copies_equal_their_owners, nothing_ended_comes_back),
    "I4": (nothing_happens_twice,),
    "I5": (nothing_private_leaves,),
    "I6": (the_audit_is_whole,),
    "I7": (only_poison_is_parked,),
    "I8": (versions_never_fall,),
}


def check(case: Case) -> dict[str, list[str]]:
    """What breaks each invariant; an empty list says that it holds."""
    return {name: [one for look in looks for one in look(case)] for name, looks in INVARIANTS.items()}


async def leaks(running: Running, homes: dict[str, tuple[str, ...]], pattern: str) -> list[str]:
    """Where a contact is that should not be there: other databases, the broker's store, the logs.

    Shape: `homes` are the contacts left at each platform; all of them, and nothing else, look like `pattern`.
    """
    found: list[str] = []
    for node in running.nodes:
        async with running.reading(node) as connection:
            tables = await connection.fetch("SELECT tablename FROM pg_tables WHERE schemaname = 'public'")
            for (table,) in tables:
                told = await connection.fetch(
                    f"SELECT DISTINCT m[1] AS c FROM \"{table}\" AS t, regexp_matches(t::text, $1, 'g') AS m",
                    f"({pattern})",
                )
                found += [f"{node}.{table} holds {c}" for (c,) in told if c not in homes.get(node, ())]
    folder = running.network.folder
    for path in (*folder.logs.rglob("*"), *folder.nats.rglob("*")):
        if path.is_file():
            told = set(re.findall(pattern.encode(), await asyncio.to_thread(path.read_bytes)))
            found += [f"{path.relative_to(folder.root)} holds {c.decode()}" for c in told]
    return found
