"""Deliberate bugs, to see whether the suite would notice. Switched on in one child, before it serves."""

import inspect
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Any

from common import audit, copies, db, pulls, sequencer
from common.copies import Outcome
from common.messages import Verdict
from nats.aio.msg import Msg
from sqlalchemy.ext.asyncio import AsyncSession


@dataclass(frozen=True)
class Bug:
    """One that somebody might well write."""

    zh: str
    en: str
    switch_on: Callable[[], None]


BUGS: dict[str, Bug] = {}


def bug(name: str, zh: str, en: str) -> Callable[[Callable[[], None]], Callable[[], None]]:
    def register(switch_on: Callable[[], None]) -> Callable[[], None]:
        BUGS[name] = Bug(zh, en, switch_on)
        return switch_on

    return register


def exchange(owner: Any, name: str, other: Any) -> Any:
    """Put something in the place of what has a name; what was there.

    Raises: LookupError when nothing is there: the bug must then be written anew.
    """
    if name not in vars(owner):
        raise LookupError(f"{owner.__name__} has no {name}")
    before = getattr(owner, name)
    setattr(owner, name, other)
    return before


def rewritten(function: Any, old: str, new: str) -> Any:
    """The function with one piece of its text exchanged.

    Raises: LookupError when the text is not there: the bug must then be written anew.
    """
    function = inspect.unwrap(function)
    source = inspect.getsource(function)
    if source.count(old) != 1:
        raise LookupError(f"{function.__qualname__} has {old!r} {source.count(old)} times")
    names = inspect.getmodule(function).__dict__  # type: ignore[union-attr]
    exec(compile(source.replace(old, new), inspect.getfile(function), "exec"), names)
    return names[function.__name__]


@bug("ack-before-commit", "先确认后提交", "a message is acknowledged before its effect is committed")
def ack_before_commit() -> None:
    async def settle(
        batch: Sequence[Msg], deliver: Callable[[Sequence[Msg]], Awaitable[list[Verdict]]]
    ) -> None:
        for message in batch:
            await message.ack()
        await batch[0]._client.flush()
        await deliver(batch)

    exchange(pulls, "_settle", settle)


@bug("equal-version-overwrites", "版本门用 >=", "`>=` in the version gate: an equal version overwrites")
def equal_version_overwrites() -> None:
    rewritten(copies._upsert, "> (held.epoch, held.version)", ">= (held.epoch, held.version)")

    def judge(self: Any, state: copies.State, hash_: str) -> Outcome:
        if state.at >= self.at:
            self.at, self.hash = state.at, hash_
            return Outcome.APPLIED
        return Outcome.STALE

    exchange(copies._Held, "judge", judge)


@bug(
    "cursor-relay",
    "按游标读发件箱",
    "the outbox is read behind a cursor: a lower id that commits later is skipped",
)
def cursor_relay() -> None:
    unsent = "WHERE feed_seq IS NULL"
    if sequencer._NUMBER.count(unsent) != 1:
        raise LookupError(f"the sequencer numbers otherwise: {sequencer._NUMBER}")
    behind = "id > coalesce((SELECT max(id) FROM outbox WHERE feed_seq IS NOT NULL), 0)"
    sequencer._NUMBER = sequencer._NUMBER.replace(unsent, f"{unsent} AND {behind}")


@bug("tombstone-skipped", "忽略墓碑", "a deletion is taken for news of no interest")
def tombstone_skipped() -> None:
    async def living_only(
        tx: AsyncSession, table: Any, states: Sequence[copies.State], *more: Any
    ) -> list[Outcome]:
        outcomes = iter(await apply_all(tx, table, [state for state in states if not state.deleted], *more))
        return [Outcome.UNCHANGED if state.deleted else next(outcomes) for state in states]

    apply_all = exchange(copies, "apply_all", living_only)


@bug(
    "audit-unlocked",
    "审计链不加锁",
    "the audit is chained inside each transaction, and nobody locks the chain's end",
)
def audit_unlocked() -> None:
    execute = AsyncSession.execute

    async def chained(self: AsyncSession, statement: Any, *given: Any, **named: Any) -> Any:
        result = await execute(self, statement, *given, **named)
        if str(statement).startswith("INSERT INTO audit "):
            connection: Any = (await (await self.connection()).get_raw_connection()).driver_connection
            digest = await connection.fetchval(
                "SELECT hash FROM audit WHERE hash IS NOT NULL ORDER BY seq DESC LIMIT 1"
            )
            for entry in await connection.fetch(
                f"SELECT {audit._COLUMNS} FROM audit WHERE seq IS NULL AND xmin::text::bigint ="
                " (pg_current_xact_id()::text::bigint & 4294967295) ORDER BY id"
            ):
                # From a sequence, so that no two writers wait for each other.
                seq = await connection.fetchval("SELECT nextval('audit_numbers')")
                digest = audit.link(digest or audit.GENESIS, seq, entry)
                await connection.execute(
                    "UPDATE audit SET seq = $2, hash = $3 WHERE id = $1", entry["id"], seq, digest
                )
        return result

    async def nothing(_: Any) -> int:
        return 0

    exchange(AsyncSession, "execute", chained)
    exchange(audit, "seal", nothing)


@bug("answer-before-commit", "先应答后提交", "the caller has the receipt before the transaction commits")
def answer_before_commit() -> None:
    (transaction,) = [one for one in db.Tx.__metadata__ if one.dependency is db.transaction]
    object.__setattr__(transaction, "scope", "request")


@bug(
    "receipt-before-commit",
    "未落库先发回执",
    "the hub's receipt says what was sent, not what its database holds",
)
def receipt_before_commit() -> None:
    from common.heartbeat import Beat, Receipt
    from hub.nodes.service import Listener

    def generous(self: Any, subject: str, payload: bytes, at: Any) -> bytes | None:
        if hear(self, subject, payload, at) is None:
            return None
        return (
            Receipt(applied_seq=Beat.model_validate_json(payload).feed_seq, at=at).model_dump_json().encode()
        )

    hear = exchange(Listener, "hear", generous)


def without_digests() -> None:
    """No bug: takes away the net that would mend the loss before anybody looks."""
    from common import comparing

    async def compare(_: Any) -> None:
        return

    exchange(comparing, "compare", compare)
