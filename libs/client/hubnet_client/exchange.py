"""A platform's exchange with the hub over HTTP: its catalogue up, messages both ways."""

import json
from collections.abc import AsyncIterator, Iterable, Iterator, Mapping
from io import BytesIO
from typing import Any

from attrs import evolve

from hubnet_client.hub import Client
from hubnet_client.hub.api.nodes import (
    get_nodes_id_catalogue_changes,
    get_nodes_id_messages,
    post_nodes_id_catalogue_changes,
    post_nodes_id_messages,
)
from hubnet_client.hub.models import Changed, ChangesLineOut, MessagesLineOut
from hubnet_client.hub.types import File

MOST_BYTES = 4_000_000  # half of what the hub takes, so that an answer comes soon
MOST_CHANGES, MOST_MESSAGES = 5_000, 1_000
NDJSON = "application/x-ndjson"
LONG_S = 25
Record = Mapping[str, Any]


def parts(records: Iterable[Record], most: int) -> Iterator[tuple[int, bytes]]:
    """NDJSON in parts that one call takes, each with the number of lines before it."""
    before = count = size = 0
    lines: list[bytes] = []
    for record in records:
        line = json.dumps(record, ensure_ascii=False, separators=(",", ":"), default=str).encode() + b"\n"
        if lines and (count >= most or size + len(line) > MOST_BYTES):
            yield before, b"".join(lines)
            before, count, size, lines = before + count, 0, 0, []
        lines.append(line)
        count, size = count + 1, size + len(line)
    if lines:
        yield before, b"".join(lines)


def _file(part: bytes) -> File:
    return File(BytesIO(part), mime_type=NDJSON)


def _envelopes(answer: File) -> list[dict[str, Any]]:
    return [json.loads(line) for line in answer.payload.read().splitlines() if line]


class Platform:
    """One platform's own exchange; `hub` is connected with the platform's key.

    Shape: the line of an outcome counts through everything that was given. What is read is read to its end;
    with `follow` for ever, by long polls. After a cut go on where you stopped: `after`.
    Raises: Refused, also from the midst: what was answered before is done.
    """

    def __init__(self, hub: Client, node: str):
        self._hub, self._node = hub, node

    def push(self, changes: Iterable[Record]) -> Iterator[ChangesLineOut]:
        """Say changes of the catalogue; what became of each."""
        for before, part in parts(changes, MOST_CHANGES):
            told = post_nodes_id_catalogue_changes.sync(self._node, client=self._hub, body=_file(part))
            yield from (evolve(line, line=before + line.line) for line in told.lines)

    def send(self, envelopes: Iterable[Record]) -> Iterator[MessagesLineOut]:
        """Send messages; what became of each. `again` is to be sent unchanged later."""
        for before, part in parts(envelopes, MOST_MESSAGES):
            told = post_nodes_id_messages.sync(self._node, client=self._hub, body=_file(part))
            yield from (evolve(line, line=before + line.line) for line in told.lines)

    def changes(self, after: str | None = None, *, follow: bool = False) -> Iterator[tuple[Changed, str]]:
        """What the hub took over of this platform, each with the cursor of its page."""
        wait = LONG_S if follow else 0
        while True:
            page = get_nodes_id_catalogue_changes.sync(self._node, client=self._hub, after=after, wait=wait)
            yield from ((item, page.next_cursor) for item in page.items)
            after = page.next_cursor
            if not page.more and not follow:
                return

    def messages(self, after: int | None = None, *, follow: bool = False) -> Iterator[dict[str, Any]]:
        """What the network says to this platform; `feedseq` of the last one is the next `after`."""
        wait = LONG_S if follow else 0
        while True:
            answer = get_nodes_id_messages.sync(self._node, client=self._hub, after=after, wait=wait)
            envelopes = _envelopes(answer)
            yield from envelopes
            if envelopes:
                after = envelopes[-1]["feedseq"]
            elif not follow:
                return


class AsyncPlatform:
    """As Platform, awaited."""

    def __init__(self, hub: Client, node: str):
        self._hub, self._node = hub, node

    async def push(self, changes: Iterable[Record]) -> AsyncIterator[ChangesLineOut]:
        """Say changes of the catalogue; what became of each."""
        for before, part in parts(changes, MOST_CHANGES):
            told = await post_nodes_id_catalogue_changes.asyncio(
                self._node, client=self._hub, body=_file(part)
            )
            for line in told.lines:
                yield evolve(line, line=before + line.line)

    async def send(self, envelopes: Iterable[Record]) -> AsyncIterator[MessagesLineOut]:
        """Send messages; what became of each. `again` is to be sent unchanged later."""
        for before, part in parts(envelopes, MOST_MESSAGES):
            told = await post_nodes_id_messages.asyncio(self._node, client=self._hub, body=_file(part))
            for line in told.lines:
                yield evolve(line, line=before + line.line)

    async def changes(
        self, after: str | None = None, *, follow: bool = False
    ) -> AsyncIterator[tuple[Changed, str]]:
        """What the hub took over of this platform, each with the cursor of its page."""
        wait = LONG_S if follow else 0
        while True:
            page = await get_nodes_id_catalogue_changes.asyncio(
                self._node, client=self._hub, after=after, wait=wait
            )
            for item in page.items:
                yield item, page.next_cursor
            after = page.next_cursor
            if not page.more and not follow:
                return

    async def messages(
        self, after: int | None = None, *, follow: bool = False
    ) -> AsyncIterator[dict[str, Any]]:
        """What the network says to this platform; `feedseq` of the last one is the next `after`."""
        wait = LONG_S if follow else 0
        while True:
            answer = await get_nodes_id_messages.asyncio(self._node, client=self._hub, after=after, wait=wait)
            envelopes = _envelopes(answer)
            for envelope in envelopes:
                yield envelope
            if envelopes:
                after = envelopes[-1]["feedseq"]
            elif not follow:
                return
