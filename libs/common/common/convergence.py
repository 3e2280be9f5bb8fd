"""The owner's side of a comparison: say what we have, list what is questioned, say again what is wanted.

It runs in the feeds, so that a digest comes after all it covers. See contracts.digests for the steps.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import groupby
from typing import Any
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from common import announcements, digests, ids, outbox, trace
from common.clock import Clock
from common.contracts.digests import (
    ROWS,
    DigestDisowned,
    DigestListed,
    DigestQuestioned,
    DigestRequested,
    DigestTaken,
    DigestWanted,
    Exchange,
    Wanted,
)
from common.contracts.envelope import Envelope, Fact, wrap
from common.digests import Digest, Key, Record
from common.inbox import Message, Routes
from common.outbox import HUB
from common.settings import Settings
from common.tables import AnnouncementRow


@dataclass(frozen=True)
class Line:
    """Between whom: who speaks, and the feed its words go into."""

    node: str
    feed: str

    async def say(self, tx: AsyncSession, *facts: Fact, at: datetime, recipient: str | None = None) -> None:
        await self.send(tx, [self.envelope(fact, at, recipient) for fact in facts])

    def envelope(self, fact: Fact, at: datetime, recipient: str | None = None) -> Envelope:
        return wrap(
            fact, id=ids.new(), source=self.node, at=at, recipient=recipient,
            causation=trace.causation.get(), traceparent=trace.traceparent.get(),
        )  # fmt: skip

    async def send(self, tx: AsyncSession, envelopes: Sequence[Envelope]) -> None:
        if envelopes:
            await outbox.owe(tx, [outbox.row(envelope, self.feed) for envelope in envelopes])


def follows(exchange: Exchange, **other: Any) -> dict[str, Any]:
    """The fields of the next step."""
    return {
        "id": exchange.id, "version": exchange.version + 1, "owner": exchange.owner, "round": exchange.round,
        "repair": exchange.repair, **other,
    }  # fmt: skip


async def digest(tx: AsyncSession, live: str, owner: str) -> Digest:
    """The digest of a relation; `live` may name :owner."""
    # The planner takes 256 buckets for as many groups as rows, and sorts them all.
    await tx.execute(text("SET LOCAL enable_sort = off"))
    rows = (await tx.execute(text(digests.buckets_of(live)), _named(live, owner=owner))).all()
    await tx.execute(text("SET LOCAL enable_sort = on"))
    return digests.read([tuple(row) for row in rows])


async def records(
    tx: AsyncSession, live: str, owner: str, buckets: Sequence[int], *, after: UUID | None = None,
    upto: UUID | None = None,
) -> list[Record]:  # fmt: skip
    """The records of some buckets, by bucket and id."""
    bounds = "".join(
        f" AND id {sign} :{name}" for sign, name, id in ((">", "after", after), ("<=", "upto", upto)) if id
    )
    query = (
        f"SELECT noun, id, epoch, version, content_hash FROM ({live}) records"
        f" WHERE get_byte(uuid_send(id), 15) = ANY(:buckets){bounds} ORDER BY get_byte(uuid_send(id), 15), id, noun"
    )
    values = _named(query, owner=owner, buckets=list(buckets), after=after, upto=upto)
    return [Record(*row) for row in (await tx.execute(text(query), values)).all()]


def _named(query: str, **values: Any) -> dict[str, Any]:
    return {name: value for name, value in values.items() if f":{name}" in query}


async def take(
    tx: AsyncSession,
    line: Line,
    live: str,
    owner: str,
    *,
    at: datetime,
    of: Exchange | None = None,
    round: int = 1,
    restored: int | None = None,
) -> UUID:
    """Say what the owner has, as a new exchange or the next step of one. Returns the exchange.

    Emits: DigestTaken.
    """
    found = await digest(tx, live, owner)
    steps: dict[str, Any] = follows(of) if of else {"id": ids.new(), "version": 1, "owner": owner}
    steps |= {"round": round, "buckets": found.texts, "restored": restored}
    fact = DigestTaken(**steps)
    await line.say(tx, fact, at=at)
    return fact.id


async def enumerate(
    tx: AsyncSession, line: Line, live: str, asked: DigestQuestioned, *, at: datetime
) -> None:
    """List every record of the buckets asked for. Emits: DigestListed, one for each part."""
    found = await records(tx, live, asked.owner, asked.buckets)
    of_bucket = {number: list(those) for number, those in groupby(found, lambda one: digests.bucket(one.id))}
    parts = [
        (number, first, those[first : first + ROWS], first + ROWS >= len(those))
        for number in asked.buckets
        for those in [of_bucket.get(number, [])]
        for first in range(0, max(len(those), 1), ROWS)
    ]
    facts: list[Fact] = []
    for place, (number, first, those, is_last) in zip(range(len(parts)), parts, strict=True):
        facts.append(
            DigestListed(
                **follows(asked),
                bucket=number,
                after=of_bucket[number][first - 1].id if first else None,
                upto=None if is_last else those[-1].id,
                rows=tuple((r.noun, r.id, r.epoch, r.version, r.content[: digests.SHORT]) for r in those),
                rest=len(parts) - place - 1,
            )
        )
    await line.say(tx, *facts, at=at)


def announced(
    type: str, body: dict[str, Any], *, source: str, at: datetime, recipient: str | None = None
) -> Envelope:
    """A state said again, exactly as it was said: a field that came with a later release would make it another."""
    return Envelope.model_construct(
        specversion="1.0", id=ids.new(), type=type, source=source, subject=UUID(body["id"]), time=at,
        datacontenttype="application/json", entityversion=body["version"], entityepoch=body["epoch"],
        correlationid=UUID(body.get("demand_id") or body["id"]), causationid=trace.causation.get(),
        traceparent=trace.traceparent.get(), recipient=recipient, feedseq=None, data=body,
    )  # fmt: skip


class Own:
    """The records of this very node."""

    def __init__(self, settings: Settings, now: Clock):
        self._node, self._now = settings.node, now
        self._line = Line(settings.node, HUB)

    async def on_requested(self, tx: AsyncSession, message: Message) -> None:
        assert isinstance(message.fact, DigestRequested)
        await take(tx, self._line, announcements.LIVE, self._node, at=self._now(), of=message.fact)

    async def on_questioned(self, tx: AsyncSession, message: Message) -> None:
        asked = message.fact
        assert isinstance(asked, DigestQuestioned)
        if asked.owner == self._node:
            # Nothing is said between the listing and its place in the feed.
            await announcements.still(tx)
            await enumerate(tx, self._line, announcements.LIVE, asked, at=self._now())

    async def on_wanted(self, tx: AsyncSession, message: Message) -> None:
        asked = message.fact
        assert isinstance(asked, DigestWanted)
        if asked.owner == self._node:
            await self._again(tx, asked)

    async def _again(self, tx: AsyncSession, asked: DigestWanted) -> None:
        """Say again what is wanted, or that it is not ours. Emits: *Announced, DigestDisowned, DigestTaken."""
        at = self._now()
        await announcements.still(tx)
        held = await announcements.said(tx, [(one.noun, one.id) for one in asked.records])
        unknown: list[Key] = [(one.noun, one.id) for one in asked.records if (one.noun, one.id) not in held]
        known = [one for one in asked.records if (one.noun, one.id) in held]
        await self._line.send(tx, [await self._said(tx, held[one.noun, one.id], one, at) for one in known])
        if unknown:
            await self._line.say(tx, DigestDisowned(**follows(asked), records=tuple(unknown)), at=at)
        if asked.last:
            await take(tx, self._line, announcements.LIVE, self._node, at=at, of=asked, round=asked.round + 1)

    async def _said(self, tx: AsyncSession, held: AnnouncementRow, wanted: Wanted, at: datetime) -> Envelope:
        body = held.body
        if wanted.above is not None and (held.epoch, held.version) <= wanted.above:
            body = body | await _raise(tx, wanted)
            await announcements.keep(tx, [announcements.row(held.type, body, None)])
        return announced(f"{held.noun}.announced.v1", body, source=self._node, at=at)

    @property
    def routes(self) -> Routes:
        return (
            ("digest.requested.v1", self.on_requested),
            ("digest.questioned.v1", self.on_questioned),
            ("digest.wanted.v1", self.on_wanted),
        )


async def _raise(tx: AsyncSession, wanted: Wanted) -> dict[str, int]:
    """Give a record of ours the version after the one that stands against it."""
    assert wanted.above is not None
    epoch, version = wanted.above
    await tx.execute(
        text(f"UPDATE {wanted.noun}s SET epoch = :epoch, version = :version WHERE id = :id"),
        {"epoch": epoch, "version": version + 1, "id": wanted.id},
    )
    return {"epoch": epoch, "version": version + 1}
