"""Files of a collection, and vectors that were computed before."""

import gzip
import sqlite3
import zlib
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

from common import log
from common.errors import Invalid

from matchmaking.embedders.domain import Vector
from matchmaking.embeddings.domain import pack, unpack
from matchmaking.evaluation import collection
from matchmaking.evaluation.collection import Collection, Documents, wrong

FILE = "vectors.sqlite"
AT_ONCE = 500
WAIT_S = 30.0
_log = log.get("evaluation")


def read(documents: Path, queries: Path, judged: Path, candidates: Path | None = None) -> Collection:
    """A collection from its files. Its documents are read when they are asked for.

    Raises: Invalid with the file as `field`.
    """
    with _named(queries):
        asked = collection.queries(lines(queries))
    with _named(judged):
        scores = collection.judgements(lines(judged))
    among = None
    if candidates is not None:
        with _named(candidates):
            among = collection.candidates(lines(candidates))
    return collection.collected(documents.stem, lambda: _documents(documents), asked, scores, among)


def lines(path: Path) -> Iterator[str]:
    """The lines of a UTF-8 file, unpacked when its name ends in .gz. Raises: Invalid."""
    try:
        with (
            gzip.open(path, "rt", encoding="utf-8-sig", newline="\n")
            if path.suffix == ".gz"
            else path.open(encoding="utf-8-sig", newline="\n")
        ) as file:
            yield from file
    except UnicodeDecodeError:
        raise wrong(None, "不是 UTF-8 文本", "is no UTF-8 text") from None
    except (OSError, EOFError, zlib.error) as error:
        said = getattr(error, "strerror", None) or str(error)
        raise wrong(None, f"读不了：{said}", f"cannot be read: {said}") from None


def _documents(path: Path) -> Documents:
    with _named(path):
        yield from collection.documents(lines(path))


@contextmanager
def _named(path: Path) -> Iterator[None]:
    """Says in which file something is wrong."""
    try:
        yield
    except Invalid as error:
        error.field = error.field or str(path)
        raise


class Vectors:
    """Vectors by model and content hash in one file that several runs may share; in memory without a folder."""

    def __init__(self, folder: Path | None = None) -> None:
        self._connection = _opened(folder)

    def known(self, model: str, hashes: Sequence[bytes]) -> set[bytes]:
        return {hash_ for hash_, _ in self._rows(model, hashes, "NULL")}

    def get(self, model: str, hashes: Sequence[bytes]) -> dict[bytes, Vector]:
        return unpack(dict(self._rows(model, hashes, "vector")))

    def _rows(self, model: str, hashes: Sequence[bytes], column: str) -> Iterator[tuple[bytes, bytes]]:
        for start in range(0, len(hashes), AT_ONCE):
            part = hashes[start : start + AT_ONCE]
            marks = ",".join("?" * len(part))
            query = f"SELECT hash, {column} FROM vectors WHERE model = ? AND hash IN ({marks})"
            yield from self._connection.execute(query, (model, *part))

    def put(self, model: str, vectors: Mapping[bytes, Vector | None]) -> None:
        """Shape: None for a text that the model refuses."""
        rows = [(model, hash_, b"" if vector is None else pack(vector)) for hash_, vector in vectors.items()]
        with self._connection:
            self._connection.executemany("INSERT OR IGNORE INTO vectors VALUES (?, ?, ?)", rows)

    def close(self) -> None:
        self._connection.close()


def _opened(folder: Path | None) -> sqlite3.Connection:
    """A folder that cannot be used is said and done without: the figures are the same."""
    if folder is not None:
        try:
            folder.mkdir(parents=True, exist_ok=True)
            return _prepared(str(folder / FILE))
        except (OSError, sqlite3.Error) as error:
            _log.warning("vectors-not-kept", folder=str(folder), why=str(error))
    return _prepared(":memory:")


def _prepared(place: str) -> sqlite3.Connection:
    connection = sqlite3.connect(place, timeout=WAIT_S)
    try:
        with connection:
            connection.execute(
                "CREATE TABLE IF NOT EXISTS vectors (model TEXT, hash BLOB, vector BLOB, "
                "PRIMARY KEY (model, hash)) WITHOUT ROWID"
            )
    except sqlite3.Error:
        connection.close()
        raise
    return connection
