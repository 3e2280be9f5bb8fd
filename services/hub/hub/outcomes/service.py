"""Put what became of each row beside the row as it came."""

import asyncio
import tempfile
from collections.abc import Iterator
from itertools import islice
from typing import BinaryIO, cast

from common.auth import Principal
from common.errors import Conflict
from sqlalchemy.ext.asyncio import AsyncSession

from hub.outcomes.report import REMOVED, Annotated
from hub.snapshots import files
from hub.snapshots import service as snapshots
from hub.snapshots.domain import DUE, Outcome, Snapshot
from hub.uploads import service as uploads
from hub.uploads.domain import Broken
from hub.uploads.service import Begin

CHUNK = 2000


async def page(
    tx: AsyncSession, who: Principal, node: str, number: int, *, outcome: str | None, after: int, limit: int
) -> tuple[list[Outcome], int | None]:
    """What became of each row, in the order of the file. Raises: NotFound."""
    snapshot = await snapshots.get(tx, who, node, number)
    found = await snapshots.outcomes(tx, snapshot, outcome=outcome, after=after, limit=limit + 1)
    return found[:limit], found[limit - 1].line if len(found) > limit else None


async def annotated(begin: Begin, who: Principal, node: str, number: int) -> BinaryIO:
    """The file as it came, with what became of each row, as a workbook.

    Raises: NotFound; Conflict while the outcomes are not settled.
    """
    async with begin() as tx:
        snapshot = await snapshots.get(tx, who, node, number)
    if snapshot.state in DUE:
        raise Conflict(
            "snapshot-at-work",
            zh="快照仍在处理；请稍后再取",
            en="the snapshot is still being worked on; ask again later",
            retry_after_s=2,
        )
    made = tempfile.NamedTemporaryFile(prefix="outcomes-", suffix=".xlsx")  # noqa: SIM115  it is answered with
    try:
        report = Annotated(cast(BinaryIO, made))
        try:
            await _annotate_rows(begin, snapshot, report)
        except Broken:
            await _annotate(begin, snapshot, report, -1)
        await asyncio.to_thread(report.close)
        made.seek(0)
    except BaseException:
        made.close()
        raise
    return cast(BinaryIO, made)


async def _annotate_rows(begin: Begin, snapshot: Snapshot, report: Annotated) -> None:
    """The rows of a table with their outcomes. Raises: Broken when there is no table any more."""
    if snapshot.format not in ("csv", "xlsx"):
        raise Broken("no-table", zh="不是表格", en="it is no table")
    async with uploads.whole(begin, snapshot.batch, snapshot.size_bytes, snapshot.format) as file:
        rows = files.rows(file) if snapshot.format == "csv" else files.sheets(file)
        while chunk := await asyncio.to_thread(_some, rows):
            async with begin() as tx:
                known = await snapshots.outcomes_between(tx, snapshot, chunk[0][0], chunk[-1][0])
            await asyncio.to_thread(
                lambda chunk=chunk, known=known: [
                    report.row(sheet, cells, known.get(line)) for line, sheet, cells in chunk
                ]
            )
    await _annotate(begin, snapshot, report, files.AFTER)


async def _annotate(begin: Begin, snapshot: Snapshot, report: Annotated, after: int) -> None:
    """Outcomes alone: of what was removed, and of files that are no tables."""
    while True:
        async with begin() as tx:
            found = await snapshots.outcomes(tx, snapshot, outcome=None, after=after, limit=CHUNK)
        for outcome in found:
            report.outcome(REMOVED if outcome.line > files.AFTER else "", outcome)
        if len(found) < CHUNK:
            return
        after = found[-1].line


def _some(rows: Iterator[files.Row]) -> list[files.Row]:
    return list(islice(rows, CHUNK))
