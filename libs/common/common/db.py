"""The engine, the one transaction an edge opens, and how values become rows.

A row class has the columns; the value it stores is a frozen pydantic model with the same names. The
domain works on values and never sees a row.
"""

from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from datetime import datetime
from functools import cache
from typing import Annotated, Any, TypeVar, cast
from uuid import UUID

from fastapi import Depends, Request
from pydantic import BaseModel
from pydantic_core import to_json
from sqlalchemy import (
    BigInteger,
    DateTime,
    Insert,
    MetaData,
    Select,
    Table,
    Text,
    TextClause,
    insert,
    select,
    text,
    tuple_,
    update,
)
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.dialects.postgresql import UUID as UUIDColumn
from sqlalchemy.exc import DBAPIError, InterfaceError, OperationalError
from sqlalchemy.exc import TimeoutError as NoneFree
from sqlalchemy.ext.asyncio import AsyncEngine, AsyncSession, async_sessionmaker, create_async_engine
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

from common.errors import Unavailable, stale

V = TypeVar("V", bound=BaseModel)


class Base(DeclarativeBase):
    """The metadata of every table in a process; migrations name constraints by it."""

    metadata = MetaData(
        naming_convention={
            "ix": "ix_%(column_0_label)s",
            "uq": "uq_%(table_name)s_%(column_0_name)s",
            "ck": "ck_%(table_name)s_%(constraint_name)s",
            "fk": "fk_%(table_name)s_%(column_0_name)s_%(referred_table_name)s",
            "pk": "pk_%(table_name)s",
        }
    )
    type_annotation_map = {
        datetime: DateTime(timezone=True),
        int: BigInteger,
        str: Text,
        UUID: UUIDColumn(as_uuid=True),
        dict: JSONB,
        list: JSONB,
    }


class Versioned:
    """Columns of every owned entity: who follows it, decides by (epoch, version)."""

    id: Mapped[UUID] = mapped_column(primary_key=True)
    epoch: Mapped[int] = mapped_column(default=1)
    version: Mapped[int]


def engine(url: str, size: int, overflow: int) -> AsyncEngine:
    return create_async_engine(
        url.replace("postgresql://", "postgresql+asyncpg://", 1),
        pool_size=size,
        max_overflow=overflow,
        pool_timeout=5,
        hide_parameters=True,  # an error's text goes to the log; what people wrote does not
        connect_args={
            "timeout": 5,
            "server_settings": {"statement_timeout": "15000", "idle_in_transaction_session_timeout": "30000"},
        },
    )


def sessions(bound: AsyncEngine) -> async_sessionmaker[AsyncSession]:
    return async_sessionmaker(bound, expire_on_commit=False, autoflush=False)


def lost(error: BaseException) -> bool:
    """Whether the database is away, as against having refused a statement."""
    if isinstance(error, DBAPIError) and not isinstance(error, OperationalError | InterfaceError):
        return error.connection_invalidated
    # Without a free connection in time it is as good as away, for the caller and for a message.
    return isinstance(error, OperationalError | InterfaceError | OSError | TimeoutError | NoneFree)


@asynccontextmanager
async def begin(maker: async_sessionmaker[AsyncSession]) -> AsyncIterator[AsyncSession]:
    """One transaction: commits at the end, rolls back on any exception.

    Raises: Unavailable when the database is away.
    """
    try:
        async with maker.begin() as tx:
            yield tx
    except Exception as error:
        if lost(error):
            raise Unavailable(
                "database-away",
                zh="数据库暂时不可用，未保存任何内容；请稍后重试",
                en="the database is away and nothing was saved; repeat the call later",
                retry_after_s=2,
            ) from error
        raise


async def transaction(request: Request) -> AsyncIterator[AsyncSession]:
    """The request's transaction. It commits before the answer leaves: see `Tx`."""
    async with begin(request.app.state.runtime.sessions) as tx:
        yield tx
    request.app.state.runtime.wake()


# scope="function": with the default scope the 201 leaves before the commit.
Tx = Annotated[AsyncSession, Depends(transaction, scope="function")]


def into(row: type[Base]) -> Insert:
    """An insert whose values come as parameters. On the table, not the class: that halves its cost."""
    return insert(cast(Table, row.__table__))


async def add(tx: AsyncSession, row: type[Base], value: BaseModel) -> None:
    """Store a new value."""
    await tx.execute(into(row), columns(row, value))


@cache
def _all_into(row: type[Base], names: frozenset[str], clash: str) -> TextClause:
    table, chosen = row.__tablename__, ", ".join(_chosen(row, names))
    return text(
        f"INSERT INTO {table} ({chosen}) SELECT {chosen}"
        f" FROM json_populate_recordset(NULL::{table}, CAST(:rows AS json)){clash}"
    )


def _chosen(row: type[Base], names: frozenset[str]) -> list[str]:
    return [f'"{column.name}"' for column in row.__table__.columns if column.name in names]


def _names(values: Sequence[BaseModel | Mapping[str, Any]]) -> frozenset[str]:
    first = values[0]
    return frozenset(type(first).model_fields if isinstance(first, BaseModel) else first)


async def add_all(
    tx: AsyncSession, row: type[Base], values: Sequence[BaseModel | Mapping[str, Any]], *, known: bool = False
) -> None:
    """Store many at once, as one JSON parameter that the database takes apart.

    Binding every column of every row is the larger part of an insert's cost in this process.
    Shape: all values have the same fields; a field that the table has no column for stays out; bytes
    are given as the text that PostgreSQL reads, a backslash, an x and hex digits. With `known`, a row
    that is there already stays as it is.
    """
    if values:
        clash = " ON CONFLICT DO NOTHING" if known else ""
        statement = _all_into(row, _names(values), clash)
        await tx.execute(statement, {"rows": to_json(values).decode()})


@cache
def _all_over(row: type[Base], names: frozenset[str]) -> TextClause:
    table = row.__tablename__
    told = ", ".join(f"{name} = told.{name}" for name in _chosen(row, names - {"id"}))
    return text(
        f"UPDATE {table} AS held SET {told}"
        f" FROM json_populate_recordset(NULL::{table}, CAST(:rows AS json)) told"
        " WHERE held.id = told.id AND held.version = told.version - 1 RETURNING held.id"
    )


async def save_all(tx: AsyncSession, row: type[Base], values: Sequence[Any]) -> None:
    """Store the next version of many values, as `add_all` stores new ones.

    Raises: Stale when somebody else wrote one of those versions first.
    """
    if values:
        statement = _all_over(row, _names(values))
        saved = await tx.execute(statement, {"rows": to_json(values).decode()})
        if len(saved.all()) < len(values):
            raise stale()


async def save(tx: AsyncSession, row: type[Base], value: Any) -> None:
    """Store the next version of a value.

    Raises: Stale when somebody else wrote that version first.
    """
    table: Any = row
    result = await tx.execute(
        update(row)
        .where(table.id == value.id, table.version == value.version - 1)
        .values(columns(row, value))
        .returning(table.id)
    )
    if result.first() is None:
        raise stale()


def columns(row: type[Base], value: BaseModel) -> dict[str, Any]:
    """The value's fields that the row has columns for, JSON ones in JSON form."""
    table = row.__table__
    json = {c.name for c in table.columns if isinstance(c.type, JSONB)}
    plain = value.model_dump(exclude=json)
    if json:
        plain |= value.model_dump(mode="json", include=json)
    return {name: plain[name] for name in table.columns.keys() if name in plain}


def value(row: Any, kind: type[V]) -> V:
    """A row as the value it stores."""
    return kind.model_validate({c.name: getattr(row, c.name) for c in row.__table__.columns})


async def one(tx: AsyncSession, query: Select[Any], kind: type[V], *, lock: bool = False) -> V | None:
    """The single value a query finds; `lock` holds its row until the commit."""
    row = (await tx.execute(query.with_for_update() if lock else query)).scalar_one_or_none()
    return None if row is None else value(row, kind)


async def page(
    tx: AsyncSession, query: Select[Any], key: Any, kind: type[V], *, after: UUID | None, limit: int
) -> tuple[Sequence[V], UUID | None]:
    """The newest `limit` values before the cursor, and the cursor of the next page."""
    if after is not None:
        query = query.where(key < after)
    rows = (await tx.execute(query.order_by(key.desc()).limit(limit + 1))).scalars().all()
    found = [value(row, kind) for row in rows[:limit]]
    return found, (getattr(found[-1], key.key) if len(rows) > limit else None)


__all__ = [
    "Base", "Tx", "Versioned", "add", "add_all", "begin", "columns", "engine", "into", "lost", "one", "page", "save",
    "save_all", "select", "sessions", "transaction", "tuple_", "value",
]  # fmt: skip
