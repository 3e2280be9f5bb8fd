"""A collection in the layout of BEIR: documents, queries, judgements, and perhaps candidates to rank."""

import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

from common.errors import Invalid

from matchmaking.evaluation.metrics import RELEVANT, Scores
from matchmaking.matching.retrieval import Document

HEADS = frozenset({"query-id", "query", "qid"})

# A gain is 2^score − 1.
HIGHEST = 100

Documents = Iterator[tuple[str, Document]]


@dataclass(frozen=True)
class Collection:
    """What is searched, what is asked and what is right.

    Shape: `queries` are those that are run: judged, with something relevant. `documents` reads them anew
    at each call, so that a large collection need not be held. With `candidates` only these are ranked.
    """

    name: str
    documents: Callable[[], Documents]
    queries: Mapping[str, str]
    judged: Mapping[str, Scores]
    candidates: Mapping[str, tuple[str, ...]] | None = None
    irrelevant: int = 0
    unknown_queries: int = 0

    def part(self, name: str, chosen: Callable[[str], bool]) -> "Collection":
        """The same documents, some of the queries."""
        queries = {key: text for key, text in self.queries.items() if chosen(key)}
        return replace(self, name=name, queries=queries)


def wrong(line: int | None, zh: str, en: str) -> Invalid:
    at = ("", "") if line is None else (f"第 {line} 行：", f"line {line}: ")
    return Invalid("collection-unreadable", zh=at[0] + zh, en=at[1] + en)


def documents(lines: Iterable[str]) -> Documents:
    """Documents by id, one at a time. Raises: Invalid naming the line; for an id that comes twice as well."""
    seen: set[str] = set()
    for number, line in _numbered(lines):
        entry = _entry(number, line)
        key = _id(number, entry, seen)
        yield key, Document(_text(number, entry, "title"), _text(number, entry, "text", needed=True))
    if not seen:
        raise wrong(None, "没有文档", "there is no document")


def queries(lines: Iterable[str]) -> dict[str, str]:
    """Texts by id. Raises: Invalid."""
    found: dict[str, str] = {}
    seen: set[str] = set()
    for number, line in _numbered(lines):
        entry = _entry(number, line)
        found[_id(number, entry, seen)] = _text(number, entry, "text", needed=True)
    return found


def judgements(lines: Iterable[str]) -> dict[str, dict[str, int]]:
    """Scores by query and document. Raises: Invalid, for a pair with two different scores as well."""
    found: dict[str, dict[str, int]] = {}
    for number, cells in _rows(lines):
        if len(cells) != 3:
            raise wrong(
                number,
                "应为三列，以制表符分隔：query-id、corpus-id、score",
                "must be three columns separated by tabs: query-id, corpus-id, score",
            )
        query, key, said = cells
        try:
            score = int(said)
        except ValueError:
            raise wrong(
                number, f"分值不是整数：{said[:40]}", f"the score is no integer: {said[:40]}"
            ) from None
        if score > HIGHEST:
            raise wrong(number, f"分值大于 {HIGHEST}", f"the score is above {HIGHEST}")
        if found.setdefault(query, {}).setdefault(key, score) != score:
            raise wrong(number, f"{query} {key} 有两个分值", f"{query} {key} has two scores")
    return found


def candidates(lines: Iterable[str]) -> dict[str, tuple[str, ...]]:
    """Documents to rank by query; further columns are passed over. Raises: Invalid."""
    found: dict[str, dict[str, None]] = {}
    for number, cells in _rows(lines):
        if len(cells) < 2:
            raise wrong(
                number,
                "应至少两列，以制表符分隔：query-id、corpus-id",
                "must be at least two columns separated by tabs: query-id, corpus-id",
            )
        found.setdefault(cells[0], {})[cells[1]] = None
    return {query: tuple(keys) for query, keys in found.items()}


def collected(
    name: str,
    documents_: Callable[[], Documents],
    asked: Mapping[str, str],
    judged: Mapping[str, Scores],
    among: Mapping[str, tuple[str, ...]] | None = None,
) -> Collection:
    """The parts put together; only queries that something relevant is known of are run."""
    telling = {query for query, scores in judged.items() if max(scores.values()) >= RELEVANT}
    return Collection(
        name=name,
        documents=documents_,
        queries={key: text for key, text in asked.items() if key in telling},
        judged=judged,
        candidates=among,
        irrelevant=sum(key in judged and key not in telling for key in asked),
        unknown_queries=sum(key not in asked for key in judged),
    )


def _numbered(lines: Iterable[str]) -> Iterator[tuple[int, str]]:
    for number, line in enumerate(lines, 1):
        if line.strip():
            yield number, line


def _rows(lines: Iterable[str]) -> Iterator[tuple[int, list[str]]]:
    for number, line in _numbered(lines):
        cells = [_clean(cell.strip()) for cell in line.rstrip("\r\n").split("\t")]
        if number > 1 or cells[0].casefold().replace("_", "-") not in HEADS:
            yield number, cells


def _entry(number: int, line: str) -> dict[str, Any]:
    try:
        entry = json.loads(line)
    except (ValueError, RecursionError) as error:
        said = str(error)[:100]
        raise wrong(number, f"不是 JSON：{said}", f"is no JSON: {said}") from None
    if not isinstance(entry, dict):
        raise wrong(number, "不是 JSON 对象", "is no JSON object")
    return entry


def _id(number: int, entry: dict[str, Any], seen: set[str]) -> str:
    given = entry.get("_id")
    if isinstance(given, bool) or not isinstance(given, str | int) or given == "":
        raise wrong(number, "没有 _id", "has no _id")
    key = _clean(str(given))
    if key in seen:
        raise wrong(number, f"编号重复：{key}", f"the id is there twice: {key}")
    seen.add(key)
    return key


def _text(number: int, entry: dict[str, Any], name: str, *, needed: bool = False) -> str:
    said = entry.get(name)
    if said is None and not (needed and name not in entry):
        return ""
    if not isinstance(said, str):
        raise wrong(number, f"{name} 不是文字", f"{name} is no text")
    return _clean(said)


def _clean(text: str) -> str:
    """JSON can hold halves of characters, and NUL: neither is text."""
    return text.encode("utf-8", "replace").decode("utf-8").replace("\0", " ")
