"""Keep a file as it comes, and give it back whole."""

import asyncio
import pickle
import sys
import tempfile
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Any, BinaryIO, cast
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from hub.uploads import repository, workbook
from hub.uploads.domain import Broken, Format

Begin = Callable[[], AbstractAsyncContextManager[AsyncSession]]
UNPACK_S = 180.0
# Pieces that are heard before they are wanted.
AHEAD = 1
LENGTH = 8


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


@asynccontextmanager
async def spoken(module: str, *words: str) -> AsyncIterator[asyncio.Queue[Any]]:
    """What a module says that runs in a process of its own, piece by piece: None ends it, an exception breaks it."""
    child = await asyncio.create_subprocess_exec(
        sys.executable, "-m", module, *words,
        stdin=asyncio.subprocess.DEVNULL, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.DEVNULL,
    )  # fmt: skip
    heard: asyncio.Queue[Any] = asyncio.Queue(AHEAD)
    hearing = asyncio.create_task(_hear(child, heard))
    try:
        yield heard
    finally:
        hearing.cancel()
        if child.returncode is None:
            child.kill()
        await child.wait()


async def _hear(child: asyncio.subprocess.Process, heard: asyncio.Queue[Any]) -> None:
    assert child.stdout is not None
    try:
        while True:
            length = int.from_bytes(await child.stdout.readexactly(LENGTH))
            piece = await child.stdout.readexactly(length)
            await heard.put(await asyncio.to_thread(pickle.loads, piece))
    except asyncio.IncompleteReadError as error:
        whole = await child.wait() == 0 and not error.partial
        await heard.put(None if whole else RuntimeError(f"a process ended with {child.returncode}"))
