"""Vectors, which model serves, and whose turn it is to compute. Texts are public offerings and anchors: nothing takes a caller."""

from collections.abc import Collection, Mapping
from datetime import datetime
from typing import Any

from common.tables import MemoRow
from sqlalchemy import (
    ARRAY,
    BigInteger,
    ColumnElement,
    LargeBinary,
    Text,
    bindparam,
    delete,
    func,
    literal,
    select,
    text,
    update,
)
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from matchmaking.embedders.domain import Source
from matchmaking.embeddings.domain import Serving
from matchmaking.embeddings.tables import VectorRow

SERVING = "embeddings"
STREAMED = 1000
# Held by a process while it computes for a model, and given up by one that died.
LEASE_S = 60

_ADD = text(
    "INSERT INTO vectors (model, content_hash, vector) "
    "SELECT :model, k, v FROM unnest(:keys, :packed) AS given (k, v) "
    "ON CONFLICT DO NOTHING"
).bindparams(
    bindparam("model", type_=Text),
    bindparam("keys", type_=ARRAY(LargeBinary)),
    bindparam("packed", type_=ARRAY(LargeBinary)),
)
_LEASE = text(
    "INSERT INTO memos AS m (key, value) "
    "VALUES (:key, jsonb_build_object('by', CAST(:by AS text), 'until', extract(epoch FROM now()) + :seconds)) "
    "ON CONFLICT (key) DO UPDATE SET value = excluded.value "
    "WHERE m.value->>'by' = :by OR CAST(m.value->>'until' AS float) < extract(epoch FROM now()) RETURNING key"
).bindparams(bindparam("by", type_=Text), bindparam("seconds", type_=BigInteger))


def _keys(hashes: Collection[bytes]) -> Any:
    return func.unnest(literal(list(hashes), ARRAY(LargeBinary)))


async def packed(tx: AsyncSession, model: str, hashes: Collection[bytes]) -> dict[bytes, bytes]:
    """Those of the vectors that there are, as they are kept."""
    if not hashes:
        return {}
    statement = select(VectorRow.content_hash, VectorRow.vector).where(
        VectorRow.model == model, VectorRow.content_hash.in_(select(_keys(hashes)))
    )
    return {row.content_hash: row.vector for row in (await tx.execute(statement)).all()}


def unread(model: str, column: Any) -> ColumnElement[bool]:
    """Whether a model has neither read nor refused the text with the hash in that column."""
    return ~select(VectorRow.model).where(VectorRow.model == model, VectorRow.content_hash == column).exists()


async def known(tx: AsyncSession, model: str, hashes: Collection[bytes]) -> set[bytes]:
    """Those of the texts that need not be embedded: they have a vector, or were refused."""
    if not hashes:
        return set()
    statement = select(VectorRow.content_hash).where(
        VectorRow.model == model, VectorRow.content_hash.in_(select(_keys(hashes)))
    )
    return set((await tx.execute(statement)).scalars())


async def add(tx: AsyncSession, model: str, vectors: Mapping[bytes, bytes]) -> None:
    """Keep vectors; one that is there already stays."""
    await tx.execute(_ADD, {"model": model, "keys": list(vectors.keys()), "packed": list(vectors.values())})


async def dimensions(tx: AsyncSession, model: str) -> int | None:
    """How long this model's vectors are, where there are any."""
    statement = select(func.octet_length(VectorRow.vector) / 2).where(
        VectorRow.model == model, func.octet_length(VectorRow.vector) > 0
    )
    found = (await tx.execute(statement.limit(1))).scalar_one_or_none()
    return None if found is None else int(found)


async def forget_all_but(tx: AsyncSession, models: Collection[str]) -> None:
    await tx.execute(delete(VectorRow).where(VectorRow.model.not_in(list(models))))


async def now(tx: AsyncSession) -> datetime:
    """The database's clock, which all processes of the service share."""
    return (await tx.execute(select(func.now()))).scalar_one()


async def serving(tx: AsyncSession, *, lock: bool = False) -> Serving | None:
    statement = select(MemoRow.value).where(MemoRow.key == SERVING)
    found = (await tx.execute(statement.with_for_update() if lock else statement)).scalar_one_or_none()
    return None if found is None else Serving.model_validate(found)


async def begin_serving(tx: AsyncSession, source: Source, since: datetime) -> None:
    """Record the first source; one that another process recorded stays."""
    value = Serving(source=source, since=since).model_dump(mode="json")
    await tx.execute(insert(MemoRow).values(key=SERVING, value=value).on_conflict_do_nothing())


async def change_serving(tx: AsyncSession, source: Source, since: datetime) -> None:
    value = Serving(source=source, since=since).model_dump(mode="json")
    await tx.execute(update(MemoRow).where(MemoRow.key == SERVING).values(value=value))


async def lease(tx: AsyncSession, model: str, by: str) -> bool:
    """Take or renew the turn to compute for a model; false while another process has it."""
    given = {"key": f"{SERVING}:{model}", "by": by, "seconds": LEASE_S}
    return (await tx.execute(_LEASE, given)).first() is not None


async def release(tx: AsyncSession, model: str, by: str) -> None:
    """Give the turn up, if this process has it."""
    await tx.execute(
        delete(MemoRow).where(MemoRow.key == f"{SERVING}:{model}", MemoRow.value["by"].astext == by)
    )
