"""Load offerings into a running network through its HTTP APIs, and see them arrive in the catalogue."""

import asyncio
import json
import time
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from uuid import uuid4

from localnet import agencies, examples
from localnet.accounts import open_accounts
from localnet.api import OPERATOR, Api
from localnet.examples import Line

IMPORT = "/v1/offerings/import"
# The service takes 4 MB and 5,000 lines at a time.
MOST_BYTES, MOST_LINES = 3_500_000, 4000
AT_ONCE = 4  # on two cores more only wait for each other
ARRIVAL_S = 90.0
POLL_S = 0.1
Told = Callable[[str, int, int], None]  # part, done, of how many


@dataclass
class Rejected:
    """A line that was refused: which, which field breaks which rule."""

    node: str
    line: int
    field: str
    rule: str
    zh: str
    en: str


@dataclass
class Loaded:
    """What came of it, by node."""

    outcomes: dict[str, Counter[str]] = field(default_factory=dict)
    rejected: list[Rejected] = field(default_factory=list)
    missing: dict[str, int] = field(default_factory=dict)
    became: list[tuple[str, int, str]] = field(default_factory=list)  # node, line, outcome

    def add(self, node: str, outcome: Mapping[str, int]) -> None:
        self.outcomes.setdefault(node, Counter()).update(outcome)

    @property
    def created(self) -> dict[str, int]:
        return {node: outcome["created"] for node, outcome in self.outcomes.items()}

    @property
    def total(self) -> Counter[str]:
        return sum(self.outcomes.values(), Counter())


def silent(_part: str, _done: int, _total: int) -> None:
    """Nobody watches."""


async def load_example(api: Api, told: Told = silent) -> Loaded:
    """Load the example catalogue and its people. A second time nothing changes."""
    network = api.endpoints.topology
    run = uuid4().hex
    before = await shown(api)
    people = examples.people(network)
    told("users", 0, len(people))
    await open_accounts(api, people)
    told("users", len(people), len(people))
    parcels = {
        node: [(number, line) for number, line in enumerate(lines, 1)]
        for node, lines in examples.imported(network).items()
    }
    loaded = Loaded()
    own = examples.agencies(network)
    gate = asyncio.Semaphore(AT_ONCE)
    done = Counter[str]()

    async def establish(agency: examples.Agency) -> None:
        async with gate:
            loaded.add(agency.node, await agencies.establish(api, agency, run))
        done["agencies"] += 1
        told("agencies", done["agencies"], len(own))

    told("agencies", 0, len(own))
    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(send(api, parcels, loaded, told))
        for agency in own:
            tasks.create_task(establish(agency))
    await arrive(api, loaded, before, told)
    return loaded


async def load_lines(
    api: Api, parcels: Mapping[str, Sequence[tuple[int, Line]]], told: Told = silent
) -> Loaded:
    """Load numbered lines, each at its node."""
    before = await shown(api)
    loaded = Loaded()
    await send(api, parcels, loaded, told)
    await arrive(api, loaded, before, told)
    return loaded


async def send(
    api: Api, parcels: Mapping[str, Sequence[tuple[int, Line]]], loaded: Loaded, told: Told
) -> None:
    total = sum(len(lines) for lines in parcels.values())
    gate = asyncio.Semaphore(AT_ONCE)
    done = 0
    told("lines", 0, total)

    async def one(node: str, lines: Sequence[tuple[int, Line]]) -> None:
        nonlocal done
        async with gate:
            answer = await api.send_lines(node, IMPORT, ndjson(lines), who=OPERATOR)
            loaded.became += [
                (node, lines[entry["line"] - 1][0], entry["outcome"]) for entry in answer["lines"]
            ]
            refused = [entry for entry in answer["lines"] if entry["outcome"] == "rejected"]
            if refused:
                loaded.rejected += await _explained(api, node, lines, refused)
        loaded.add(node, {name: answer[name] for name in ("created", "updated", "unchanged", "rejected")})
        done += len(lines)
        told("lines", done, total)

    async with asyncio.TaskGroup() as tasks:
        for node, lines in parcels.items():
            for part in parts(lines):
                tasks.create_task(one(node, part))


async def _explained(
    api: Api, node: str, lines: Sequence[tuple[int, Line]], refused: Sequence[dict[str, Any]]
) -> list[Rejected]:
    """The refused lines with both languages: they are refused once more, in English."""
    again = [lines[entry["line"] - 1] for entry in refused]
    answer = await api.send_lines(node, IMPORT, ndjson(again), who=OPERATOR, language="en")
    return [
        Rejected(
            node, number, entry["field"] or "", entry["rule"] or "", entry["message"] or "",
            english["message"] or "",
        )
        for (number, _), entry, english in zip(again, refused, answer["lines"], strict=True)
    ]  # fmt: skip


def ndjson(lines: Iterable[tuple[int, Line]]) -> bytes:
    return b"".join(json.dumps(line, ensure_ascii=False).encode() + b"\n" for _, line in lines)


def parts(lines: Sequence[tuple[int, Line]]) -> Iterable[Sequence[tuple[int, Line]]]:
    """Cut into what one call takes."""
    part: list[tuple[int, Line]] = []
    size = 0
    for entry in lines:
        length = len(ndjson([entry]))
        if part and (size + length > MOST_BYTES or len(part) >= MOST_LINES):
            yield part
            part, size = [], 0
        part.append(entry)
        size += length
    if part:
        yield part


async def shown(api: Api) -> Counter[str]:
    """How many offerings the region's catalogue holds of each platform."""
    from hubnet_client.hub import Client
    from hubnet_client.hub.api.catalogue import get_catalogue_facets

    hub = api.endpoints.hub
    with api.telling(hub):
        facets = await get_catalogue_facets.asyncio(client=api.at(Client, hub))
    return Counter(facets.platform.additional_properties)


async def complete(api: Api) -> bool:
    """Whether the example catalogue and its people are there."""
    network = api.endpoints.topology
    found = await shown(api)
    known = all(person.username in api.passwords.known for person in examples.people(network))
    return known and all(found[node] >= count for node, count in examples.expected(network).items())


async def arrive(api: Api, loaded: Loaded, before: Counter[str], told: Told) -> None:
    """Wait until the hub's catalogue holds what was created; `missing` says what it still lacks."""
    wanted = {node: before[node] + count for node, count in loaded.created.items() if count}
    total = sum(loaded.created.values())
    deadline = time.monotonic() + ARRIVAL_S
    while True:
        found = await shown(api)
        loaded.missing = {node: n - found[node] for node, n in wanted.items() if found[node] < n}
        told("catalogue", total - sum(loaded.missing.values()), total)
        if not loaded.missing or time.monotonic() > deadline:
            return
        await asyncio.sleep(POLL_S)
