"""Keep a file as it comes, and give it back whole."""

import asyncio
import sys
import tempfile
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import BinaryIO, cast
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from hub.uploads import repository, workbook
from hub.uploads.domain import Broken, Format

Begin = Callable[[], AbstractAsyncContextManager[AsyncSession]]
UNPACK_S = 180.0


async def keep(tx: AsyncSession, batch: UUID, part: int, data: bytes) -> None:
    await repository.add(tx, batch, part, data)


@asynccontextmanager
async def whole(begin: Begin, batch: UUID, size_bytes: int, form: Format) -> AsyncIterator[BinaryIO]:
    """The file as rows can be read from it: a workbook unpacked.

    Raises: Broken.
    """
    with tempfile.NamedTemporaryFile(prefix="upload-") as file:
        size = 0
        async with begin() as tx:
            async for piece in repository.parts(tx, batch):
                await asyncio.to_thread(file.write, piece)
                size += len(piece)
        if size != size_bytes:
            raise Broken(
                "upload-lost",
                zh="上传的文件已丢失；请重新上传",
                en="the uploaded file was lost; send it again",
            )
        file.flush()
        if form != "xlsx":
            file.seek(0)
            yield cast(BinaryIO, file)
            return
        with tempfile.NamedTemporaryFile(prefix="upload-") as unpacked:
            await _unpack(file.name, unpacked.name)
            yield cast(BinaryIO, unpacked)


async def _unpack(given: str, made: str) -> None:
    """Raises: Broken for what is no workbook, or one that is too large when unpacked."""
    child = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "hub.uploads.workbook", given, made,
        stdin=asyncio.subprocess.DEVNULL, stdout=asyncio.subprocess.DEVNULL, stderr=asyncio.subprocess.DEVNULL,
    )  # fmt: skip
    try:
        async with asyncio.timeout(UNPACK_S):
            ended = await child.wait()
    except TimeoutError:
        ended = -1
    finally:
        if child.returncode is None:
            child.kill()
            await child.wait()
    if ended == workbook.NO_WORKBOOK:
        raise Broken(
            "no-workbook",
            zh="不是可读取的 Excel 文件（.xlsx）；请重新保存",
            en="it is no readable workbook (.xlsx); save it again",
        )
    if ended:
        raise Broken(
            "workbook-too-large",
            zh="Excel 文件解压后过大；请改用 CSV 或 NDJSON",
            en="the workbook is too large when unpacked; send CSV or NDJSON instead",
        )
