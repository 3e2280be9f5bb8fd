"""PostgreSQL's full-text search over a collection, in a server of its own that goes again: to compare with."""

import secrets
import socket
import tempfile
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import asyncpg

from localnet.postgres import EmbeddedPostgres

if TYPE_CHECKING:
    from matchmaking.evaluation.collection import Documents
    from matchmaking.evaluation.searching import Among
    from matchmaking.evaluation.service import Ranker, Tell

DEPTH = 100
AT_ONCE = 1_000
# The functions it ranks by, with and without regard to a document's length.
RANKINGS = (
    "ts_rank(said, {0})",
    "ts_rank(said, {0}, 1)",
    "ts_rank_cd(said, {0})",
    "ts_rank_cd(said, {0}, 1)",
)
# What a tsvector can hold.
POSITIONS, POSITIONS_EACH = 16_383, 256


class FullText:
    """A loaded server."""

    def __init__(self, connection: asyncpg.Connection) -> None:
        self._connection = connection

    @property
    def rankers(self) -> "dict[str, Ranker]":
        return {ranking: self._ranker(ranking.format("$1::text::tsquery")) for ranking in RANKINGS}

    def _ranker(self, ranking: str) -> "Callable[[str, str, Among], Awaitable[list[str]]]":
        found = f"SELECT id FROM documents WHERE said @@ $1::text::tsquery {{}} ORDER BY {ranking} DESC, id LIMIT {DEPTH}"
        everywhere, named = found.format(""), found.format("AND id = ANY($2)")

        async def rank(_query: str, text: str, among: "Among") -> list[str]:
            from matchmaking.matching import words

            any_of = " | ".join(map(_lexeme, dict.fromkeys(words.of(text))))
            if not any_of:
                return []
            if among is None:
                rows = await self._connection.fetch(everywhere, any_of)
            else:
                rows = await self._connection.fetch(named, any_of, list(among))
            return [row["id"] for row in rows]

        return rank


@asynccontextmanager
async def loaded(documents: "Callable[[], Documents]", tell: "Tell") -> AsyncIterator[FullText]:
    """The documents' words as the search reads them, the title's with weight A, no stemming."""
    with _server() as url:
        connection = await asyncpg.connect(url)
        try:
            await connection.execute(
                'CREATE TABLE documents (id text COLLATE "C" PRIMARY KEY, said tsvector)'
            )
            await _load(connection, documents(), tell)
            await connection.execute("CREATE INDEX ON documents USING gin (said)")
            await connection.execute("VACUUM ANALYZE documents")
            yield FullText(connection)
        finally:
            await connection.close()


async def _load(connection: asyncpg.Connection, documents: "Documents", tell: "Tell") -> None:
    rows: list[tuple[str, str]] = []
    count = 0
    insert = "INSERT INTO documents VALUES ($1, $2::text::tsvector)"
    for id_, document in documents:
        rows.append((id_, _vector(document.title, document.body)))
        count += 1
        if len(rows) == AT_ONCE:
            await connection.executemany(insert, rows)
            rows.clear()
            tell("postgres", count, None)
    await connection.executemany(insert, rows)
    tell("postgres", count, count)


def _vector(title: str, body: str) -> str:
    """A tsvector as text."""
    from matchmaking.matching import words

    places: dict[str, list[str]] = {}
    said = [(word, "A") for word in words.of(title)] + [(word, "") for word in words.of(body)]
    for at, (word, weight) in enumerate(said[:POSITIONS], 1):
        held = places.setdefault(word, [])
        if len(held) < POSITIONS_EACH:
            held.append(f"{at}{weight}")
    return " ".join(f"{_lexeme(word)}:{','.join(held)}" for word, held in places.items())


def _lexeme(word: str) -> str:
    return "'" + word.replace("\\", "\\\\").replace("'", "''") + "'"


@contextmanager
def _server() -> Iterator[str]:
    """The URL of an empty database. Raises: Trouble."""
    with tempfile.TemporaryDirectory(prefix="hubnet-fulltext-") as made:
        folder = Path(made)
        folder.chmod(0o755)  # the user that PostgreSQL runs as under root passes through
        password = folder / "password"
        password.touch(mode=0o600)
        password.write_text(secrets.token_urlsafe(32), encoding="ascii")
        server = EmbeddedPostgres(folder / "postgres", _free_port(), password, folder / "log")
        try:
            yield server.start()
        finally:
            server.stop()


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]
