"""Directories in HSDS form on disk: a folder of tables or a JSON file, read and written."""

import csv
from collections.abc import AsyncIterator, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from hsds import About, Defaults, Dirt, Given, profile, read_catalogue
from hsds.catalogue import LISTS
from hsds.scanning import Scanner
from hsds.tabular import DESCRIPTOR, read_tables, rows

from localnet.api import OPERATOR, Api
from localnet.trouble import USAGE, Trouble

CATALOGUE = "/v1/catalogue/hsds/catalogue"
CHUNK = 262_144
# A table of the region's size is a few megabytes; what is larger is no directory.
LARGEST = 256 * 1024 * 1024
# Records that stand below many others; a table has each once.
SHARED = {"location", "taxonomy", "taxonomy_term"}


def read(source: Path, defaults: Defaults) -> Iterator[Given | Dirt | About]:
    """Raises: Trouble when there is no directory at all."""
    try:
        if source.is_dir():
            files = {path.name: _bytes(path) for path in sorted(source.iterdir()) if _is_table(path)}
            if not any(name.endswith(".csv") for name in files):
                raise _nothing(source)
            yield from read_tables(files, defaults)
        else:
            yield from read_catalogue(_chunks(source), defaults)
    except OSError as error:
        raise Trouble(
            (f"读不了 {source}：{error.strerror}", f"{source} cannot be read: {error.strerror}"),
            ("目录为一个 CSV 文件夹或一个 JSON 文件", "a directory is a folder of CSV files or a JSON file"),
            ("核对路径后重试", "check the path and try again"),
            USAGE,
        ) from error


def _is_table(path: Path) -> bool:
    return path.is_file() and (path.suffix.lower() == ".csv" or path.name == DESCRIPTOR)


def _bytes(path: Path) -> bytes:
    if path.stat().st_size > LARGEST:
        raise Trouble(
            (f"{path} 超过 256 MB", f"{path} is larger than 256 MB"),
            ("一个表最多 256 MB", "a table has at most 256 MB"),
            ("请导出为 JSON 后导入", "export it as JSON and import that"),
        )
    return path.read_bytes()


def _chunks(path: Path) -> Iterator[bytes]:
    with path.open("rb") as file:
        while chunk := file.read(CHUNK):
            yield chunk


def _nothing(source: Path) -> Trouble:
    return Trouble(
        (f"{source} 中没有 CSV 文件", f"{source} holds no CSV file"),
        (
            "HSDS 表格形式为 organizations.csv、services.csv 等",
            "the tabular form of HSDS is organizations.csv, services.csv and so on",
        ),
        ("核对文件夹；JSON 形式请直接给出文件", "check the folder; for the JSON form name the file"),
        USAGE,
    )


async def fetched(api: Api, node: str, *, platform: str | None, every: bool) -> AsyncIterator[bytes]:
    """The whole catalogue of the running hub, as it comes."""
    wanted: dict[str, Any] = {"every": every} | ({"platform": platform} if platform else {})
    async for chunk in api.stream(node, CATALOGUE, OPERATOR, **wanted):
        yield chunk


class Folder:
    """Writes a tabular data package table by table, as records come.

    Raises: Trouble when the folder holds something already.
    """

    def __init__(self, path: Path):
        if path.exists() and (not path.is_dir() or any(path.iterdir())):
            raise Trouble(
                (f"{path} 不是空文件夹", f"{path} is no empty folder"),
                ("导出不覆盖任何文件", "an export overwrites nothing"),
                ("换一个文件夹", "name another folder"),
                USAGE,
            )
        path.mkdir(parents=True, exist_ok=True)
        self.path = path
        self.counts: dict[str, int] = {}
        self._scanner = Scanner()
        self._files = ExitStack()
        self._tables: dict[str, Any] = {}
        self._seen: set[tuple[str, str]] = set()

    def feed(self, chunk: bytes, *, last: bool = False) -> None:
        for item in self._scanner.feed(chunk, last=last):
            table = LISTS.get(item.key)
            if table and item.row:
                for name, cells in rows(table, item.value):
                    self._write(name, cells)

    def _write(self, table: str, cells: dict[str, str]) -> None:
        key = (table, cells.get("id", ""))
        if table in SHARED:
            if key in self._seen:
                return
            self._seen.add(key)
        columns = profile.columns(table)
        if table not in self._tables:
            path = self.path / profile.file_of(table)
            # Spreadsheets take UTF-8 for what it is only with a mark in front.
            file = self._files.enter_context(path.open("w", encoding="utf-8-sig", newline=""))
            self._tables[table] = csv.writer(file, lineterminator="\r\n")
            self._tables[table].writerow(columns)
        self._tables[table].writerow(cells.get(column, "") for column in columns)
        self.counts[table] = self.counts.get(table, 0) + 1

    def close(self) -> None:
        self._files.close()
