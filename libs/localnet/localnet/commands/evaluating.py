"""match evaluate: how good and how quick the search is, on a collection of one's own or on the shipped one."""

import asyncio
import json
import sys
import time
from collections.abc import Mapping
from contextlib import AsyncExitStack
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import structlog
import typer
from rich import box
from rich.progress import BarColumn, Progress, TaskID, TextColumn, TimeRemainingColumn
from rich.table import Table

from localnet.commands.screen import AsJson, DataDir, err, folder_of, out
from localnet.trouble import REFUSED, USAGE, Trouble

if TYPE_CHECKING:
    from common.errors import Refusal
    from common.settings import Settings
    from matchmaking.evaluation.collection import Collection
    from matchmaking.evaluation.service import Report

CACHE = "evaluation"
# Figures are of quality: a model on a busy machine is waited for.
PATIENCE_S = 60.0
EVERY_S = 10.0
PARTS = {
    "anchors": "校准模型 · calibrating the model",
    "documents": "建立索引 · indexing",
    "passages": "读取文档 · reading documents (characters)",
    "queries": "运行查询 · running queries",
    "postgres": "装入 PostgreSQL · loading PostgreSQL",
}
WAYS = {
    "lexical": "按词语 lexical",
    "semantic": "按语义 semantic",
    "fused": "融合 fused",
    "postgres": "PostgreSQL 全文检索 full text",
}


class Half(StrEnum):
    """Which queries of the shipped set."""

    TUNE = "tune"
    REPORT = "report"
    ALL = "all"


class Shipped(StrEnum):
    """The collections that come with the software."""

    DEVELOPMENT = "development"


class Peer(StrEnum):
    """Another engine over the same documents."""

    POSTGRES = "postgres"


def evaluate(
    corpus: Annotated[
        Path | None, typer.Option(help="文档 corpus.jsonl，可为 .gz · Documents; may be .gz")
    ] = None,
    queries: Annotated[Path | None, typer.Option(help="查询 queries.jsonl · Queries")] = None,
    qrels: Annotated[Path | None, typer.Option(help="相关性标注 qrels.tsv · Judgements")] = None,
    candidates: Annotated[
        Path | None, typer.Option(help="仅对所列文档排序 · Rank only the documents listed: candidates.tsv")
    ] = None,
    shipped: Annotated[
        Shipped, typer.Option("--set", help="未给文件时用随软件发布者 · The shipped set, without files")
    ] = Shipped.DEVELOPMENT,
    half: Annotated[
        Half, typer.Option(help="随软件发布者的哪一半 · Which half of the shipped set")
    ] = Half.ALL,
    embeddings: Annotated[
        str, typer.Option(help="embedded、off 或 URL，默认取 HUBNET_EMBEDDINGS · Default HUBNET_EMBEDDINGS")
    ] = "",
    cache: Annotated[
        Path | None, typer.Option(help="已算向量的存放处，默认在数据目录 · Where vectors are kept")
    ] = None,
    peer: Annotated[Peer | None, typer.Option(help="与之比较 · Compare with: postgres")] = None,
    as_json: AsJson = False,
    data_dir: DataDir = None,
) -> None:
    """评测检索质量，无需启动网络 · Measure the search, without a running network.

    文件为 BEIR 格式 · Files are in the layout of BEIR.
    """
    structlog.configure(logger_factory=structlog.PrintLoggerFactory(sys.stderr))
    settings = _settings(embeddings)
    files = _files(corpus, queries, qrels, candidates, half)
    where = cache or folder_of(data_dir).root / CACHE
    from common.errors import Refusal

    try:
        of = _collection(files, candidates, shipped, half)
        with Told() as told:
            found = asyncio.run(_run(of, settings, where, told, peer))
    except Refusal as refusal:
        raise _trouble(refusal) from refusal
    _warn(of, found)
    figures = found.figures
    if as_json:
        document = {name: one.document() for name, one in figures.items()}
        about = {"queries": len(of.queries), "documents": found.documents, "model": found.model}
        typer.echo(json.dumps(document | about, ensure_ascii=False))
    else:
        out.print(_table(of, found))


async def _run(
    of: "Collection", settings: "Settings", where: Path, told: "Told", peer: Peer | None
) -> "Report":
    from matchmaking.evaluation import service
    from matchmaking.evaluation.repository import Vectors

    vectors = Vectors(where)
    try:
        async with AsyncExitStack() as stack:
            peers: dict[str, service.Ranker] = {}
            if peer is not None:
                from localnet import fulltext

                searched = await stack.enter_async_context(fulltext.loaded(of.documents, told))
                peers = searched.rankers
            found = await service.evaluate(of, settings, vectors, told, peers)
    finally:
        vectors.close()
    return found if peer is None else _better(found)


