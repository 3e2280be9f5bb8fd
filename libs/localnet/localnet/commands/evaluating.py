"""match evaluate: how good and how quick the search is, on a collection of one's own or on the shipped one."""

import asyncio
import json
import sqlite3
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
    "anchors-told": "校准模型 · calibrating the model (characters)",
    "documents": "建立索引 · indexing",
    "passages": "读取文档 · reading documents (characters)",
    "queries": "运行查询 · running queries",
    "postgres": "装入 PostgreSQL · loading PostgreSQL",
}
WAYS = {
    "lexical": "按词语 lexical",
    "semantic": "按语义 semantic",
    "fused": "融合 fused",
    "postgres": "全文检索 PostgreSQL",
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
    except sqlite3.Error as error:
        raise Trouble(
            (f"向量存放处不可用：{where}：{error}", f"the vectors cannot be kept: {where}: {error}"),
            ("存放处须可写、有空间，且未被损坏", "the folder must be writable, whole and have room"),
            ("用 --cache 换一个目录，或删除它", "name another folder: --cache, or delete this one"),
        ) from error
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


def _settings(embeddings: str) -> "Settings":
    """The settings that matchmaking would be started with. Raises: Trouble."""
    from common.settings import Settings
    from pydantic import ValidationError

    given: dict[str, Any] = {"embeddings": embeddings} if embeddings else {}
    unused: dict[str, Any] = {"node": "matchmaking", "topology": Path(), "database_url": "postgresql:"}
    try:
        return Settings(**unused, **given, embeddings_timeout_s=PATIENCE_S)
    except ValidationError as error:
        said = str(error.errors(include_input=False, include_url=False)[0]["msg"])
        raise Trouble(
            (f"语义模型的设置有误：{said}", f"the settings of the model are wrong: {said}"),
            (
                "--embeddings 为 embedded、off 或 URL；URL 另需 HUBNET_EMBEDDINGS_MODEL",
                "--embeddings is embedded, off or a URL; a URL needs HUBNET_EMBEDDINGS_MODEL too",
            ),
            ("改正后重试；docs/operations.md 列有各项设置", "mend it and run again"),
            USAGE,
        ) from error


def _files(
    corpus: Path | None, queries: Path | None, qrels: Path | None, candidates: Path | None, half: Half
) -> tuple[Path, Path, Path] | None:
    """The three files, or None for the shipped set. Raises: Trouble."""
    if corpus and queries and qrels and half is Half.ALL:
        return corpus, queries, qrels
    if not (corpus or queries or qrels or candidates):
        return None
    raise Trouble(
        ("文件不齐，或与 --half 同用", "files are missing, or --half was named with them"),
        (
            "自备数据须同时给出 --corpus、--queries、--qrels；--half 只用于随软件发布者",
            "your own data needs --corpus, --queries and --qrels; --half is of the shipped set",
        ),
        ("补全文件，或都不给", "name all three, or none"),
        USAGE,
    )


def _collection(
    files: tuple[Path, Path, Path] | None, candidates: Path | None, shipped: Shipped, half: Half
) -> "Collection":
    from matchmaking.evaluation import repository
    from matchmaking.evaluation.shipped import development

    if files is None:
        return {Shipped.DEVELOPMENT: development}[shipped](half.value)
    return repository.read(*files, candidates)


def _trouble(refusal: "Refusal") -> Trouble:
    from common.errors import Invalid

    if not isinstance(refusal, Invalid):
        return Trouble(
            (refusal.zh, refusal.en),
            ("评测需要语义模型应答", "measuring needs the model to answer"),
            ("恢复模型后重试，或 --embeddings off", "run again once it does, or use --embeddings off"),
            REFUSED,
        )
    file = f"{refusal.field}: " if refusal.field else ""
    return Trouble(
        (f"{file}{refusal.zh}", f"{file}{refusal.en}"),
        (
            "BEIR 格式：corpus 与 queries 每行一个 JSON（_id、title、text），qrels 为制表符分隔的三列",
            "the layout of BEIR: one JSON a line (_id, title, text); qrels has three columns, tab-separated",
        ),
        ("改正文件后重试", "mend the file and run again"),
        USAGE,
    )


class Told:
    """Progress on standard error: a bar with the time that remains, or a line every few seconds."""

    def __init__(self) -> None:
        self._bars = Progress(
            TextColumn("{task.description}"), BarColumn(24), TextColumn("{task.completed:,.0f}"),
            TimeRemainingColumn(elapsed_when_finished=True), console=err, transient=True,
            disable=not err.is_terminal,
        )  # fmt: skip
        self._tasks: dict[str, TaskID] = {}
        self._began: dict[str, float] = {}
        self._said = time.monotonic()

    def __enter__(self) -> "Told":
        self._bars.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._bars.stop()

    def __call__(self, part: str, done: int, total: int | None) -> None:
        now = time.monotonic()
        if part not in self._tasks:
            self._tasks[part] = self._bars.add_task(PARTS[part], total=total)
            self._began[part] = now
        self._bars.update(self._tasks[part], completed=done, total=total)
        if not err.is_terminal and (now - self._said > EVERY_S or done == total):
            self._said = now
            self._line(part, done, total, now - self._began[part])

    @staticmethod
    def _line(part: str, done: int, total: int | None, took_s: float) -> None:
        if total is None:
            rest = ""
        elif done == total:
            rest = f"/{total}  {took_s:.1f} s"
        else:
            rest = f"/{total}  还需约 · about {took_s / max(done, 1) * (total - done):.0f} s"
        err.print(f"{PARTS[part]} {done}{rest}", soft_wrap=True)


def _better(found: "Report") -> "Report":
    """PostgreSQL as good as it can be: by the ranking function that suits these texts best."""
    from dataclasses import replace

    from matchmaking.evaluation.service import MODES

    own = {name: found.figures[name] for name in MODES}
    others = [figures for name, figures in found.figures.items() if name not in own]
    return replace(found, figures=own | {"postgres": max(others, key=lambda one: one.ndcg)})


def _warn(of: "Collection", found: "Report") -> None:
    told: Mapping[str, int] = {
        "个查询没有相关文档，不计入 · queries without a relevant document, left out": of.irrelevant,
        "个 qrels 中的查询不存在，未运行 · queries of qrels are not there, not run": of.unknown_queries,
        "个 qrels 中的文档不存在，按未找到计 · documents of qrels are not there, count as not found": (
            found.unknown_judged
        ),
        "个候选文档不存在，略过 · candidates are not there, passed over": found.unknown_candidates,
        "个查询没有候选，得 0 · queries have no candidates, score 0": found.without_candidates,
    }
    for note, count in told.items():
        if count:
            err.print(f"[yellow]![/] {count} {note}", soft_wrap=True)
    if found.model is None:
        err.print(
            "[yellow]![/] 语义模型未启用：语义一项为 0，融合只凭词语 · "
            "no model: semantic finds nothing, fused goes by words alone",
            soft_wrap=True,
        )


def _table(of: "Collection", found: "Report") -> Table:
    table = Table(
        title=f"{of.name}：{found.documents} 个文档 documents，{len(of.queries)} 个查询 queries",
        caption=f"模型 model: {found.model or '—'}；p50、p99 含读取查询 · with reading the query",
        box=box.SIMPLE_HEAD,
        title_justify="left",
        caption_justify="left",
    )
    table.add_column("方式 way")
    for head in ("nDCG@10", "MRR@10", "Recall@100", "p50 ms", "p99 ms"):
        table.add_column(head, justify="right", no_wrap=True)
    for name, one in found.figures.items():
        worth = (f"{100 * value:.1f}" for value in (one.ndcg, one.mrr, one.recall))
        table.add_row(WAYS[name], *worth, f"{one.p50_ms:.1f}", f"{one.p99_ms:.1f}")
    return table


COMMANDS = {"evaluate": evaluate}
