"""Lines into the catalogue and changes out of it, in bulk."""

import io
from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

import asyncpg
from common.errors import Unavailable
from sqlalchemy import delete, func, select
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncSession

from hub.changes import statements
from hub.changes.domain import NOUNS, Fork, Result, Role
from hub.changes.lines import STORED, Held, Noun, Row
from hub.changes.tables import StagingRow

LOCK = 0x48554243
CHUNK = 1000


async def one_at_a_time(tx: AsyncSession, node: str) -> None:
    """Two hand-ins of one platform wait for each other."""
    await tx.execute(select(func.pg_advisory_xact_lock(LOCK, func.hashtext(node))))


async def run(tx: AsyncSession, statement: str, *values: Any) -> Sequence[Any]:
    """The rows of a statement with `$n` for its values.

    Raises: Unavailable when it met another writer and lost.
    """
    try:
        result = await (await tx.connection()).exec_driver_sql(statement, values)
    except DBAPIError as error:
        if getattr(error.orig, "sqlstate", None) in ("40P01", "40001"):
            raise Unavailable(
                "overtaken",
                zh="与其他写入冲突，未保存任何内容；请重新提交",
                en="it met another writer and nothing was saved; send it again",
                retry_after_s=1,
            ) from error
        raise
    return result.all() if result.returns_rows else ()


async def held(tx: AsyncSession, node: str, wanted: Mapping[Noun, Sequence[UUID]]) -> dict[UUID, Held]:
    """What the hub has of some records of a platform."""
    found: dict[UUID, Held] = {}
    for noun, ids in wanted.items():
        for row in await run(tx, statements.held(noun), node, list(ids)) if ids else ():
            found[row.id] = Held(row.epoch, row.version, row.body)
    return found


async def stage(tx: AsyncSession, batch: UUID, rows: Sequence[tuple[Role, Row]]) -> None:
    await _copy(
        tx, [f"{batch}\t{row.line}\t{row.noun}\t{row.id}\t{role}\t{row.stored}\n" for role, row in rows]
    )


async def stage_present(tx: AsyncSession, batch: UUID, lines: Iterable[Result]) -> None:
    """Records whose lines are wrong: they are not taken over, and not gone either."""
    nothing = "\t\\N" * len(STORED)
    named = [r for r in lines if r.id is not None and r.noun]
    await _copy(tx, [f"{batch}\t{r.line}\t{r.noun}\t{r.id}\tpresent{nothing}\n" for r in named])


async def _copy(tx: AsyncSession, records: Sequence[str]) -> None:
    """Raises: ConnectionError when the database goes away."""
    if not records:
        return
    connection = (await (await tx.connection()).get_raw_connection()).driver_connection
    assert connection is not None
    # As text: the driver's own way, value by value, costs three times as much.
    data = io.BytesIO("".join(records).encode())
    try:
        await connection.copy_to_table("catalogue_staging", source=data, columns=statements.STAGED)
    except (asyncpg.PostgresConnectionError, asyncpg.InterfaceError) as error:
        raise ConnectionError(type(error).__name__) from error


async def unstage(tx: AsyncSession, batch: UUID) -> None:
    await tx.execute(delete(StagingRow).where(StagingRow.batch == batch))


async def apply(
    tx: AsyncSession, batch: UUID, node: str, *, to: str | None, told: Sequence[str], at: datetime
) -> AsyncIterator[Result]:
    """Take over what is staged, providers before their offerings, and say what became of each line."""
    for noun in NOUNS:
        for row in await run(tx, statements.apply(noun), batch, node, to, list(told), _text(at)):
            yield Result.of(row.line, row.outcome, noun, row.id)
        await run(tx, statements.fork_of_a_line(noun), batch, node)


async def apply_into(
    tx: AsyncSession, batch: UUID, node: str, table: str, *, to: str | None, told: Sequence[str], at: datetime
) -> None:
    """The same, with what became of each line kept in a table; offerings are passed on later."""
    for noun in NOUNS:
        now = to if noun == "provider" else None
        await run(tx, statements.apply(noun, table), batch, node, now, list(told), _text(at))
        await run(tx, statements.fork_of_a_line(noun), batch, node)


async def transaction(tx: AsyncSession) -> int:
    """The number that this transaction's records are stamped with."""
    return (await run(tx, f"SELECT {statements.XID}"))[0][0]


async def pass_on(
    tx: AsyncSession, node: str, to: str, xid: int, after: UUID | None, limit: int, *, at: datetime
) -> UUID | None:
    """Owe some of the offerings that a transaction took over to a feed; the last of them."""
    values = (node, to, _text(at), xid, after or UUID(int=0), limit)
    rows = await run(tx, statements.later("offering"), *values)
    return rows[0][0] if rows else None


async def index(tx: AsyncSession, limit: int) -> int:
    """Bring the words of some that came in bulk into the index; how many."""
    return len(await run(tx, statements.indexed(limit)))


def _text(at: datetime) -> str:
    return at.isoformat().replace("+00:00", "Z")


async def missing(
    tx: AsyncSession, batch: UUID, node: str, noun: Noun
) -> AsyncIterator[list[tuple[UUID, Held]]]:
    """The living records of a platform that a batch does not name, in parts."""
    connection = await tx.connection()
    result = await connection.exec_driver_sql(
        f"SELECT id FROM ({statements.missing(noun)}) m ORDER BY id", (batch, node)
    )
    ids = [row.id for row in result]
    for at in range(0, len(ids), CHUNK):
        found = await held(tx, node, {noun: ids[at : at + CHUNK]})
        yield [*found.items()]


async def missing_count(tx: AsyncSession, batch: UUID, node: str, noun: Noun) -> int:
    rows = await run(tx, f"SELECT count(*) FROM ({statements.missing(noun)}) m", batch, node)
    return rows[0][0]


async def leaving(tx: AsyncSession, batch: UUID, node: str, noun: Noun) -> tuple[int, int]:
    """How many living records a batch deletes by word, and how many live."""
    gone, living = (await run(tx, statements.leaving(noun), batch, node))[0]
    return gone, living


async def forks(tx: AsyncSession, node: str, after: UUID | None, limit: int) -> list[Fork]:
    query = " UNION ALL ".join(statements.forks(noun) for noun in NOUNS)
    rows = await run(tx, f"{query} ORDER BY id LIMIT {limit:d}", node, after or UUID(int=0))
    return [Fork.model_validate(dict(row._mapping)) for row in rows]


async def announce(tx: AsyncSession, node: str, to: str, *, at: datetime) -> None:
    """Owe everything a platform has to a feed."""
    for noun in NOUNS:
        await run(tx, statements.again(noun), node, to, _text(at))
