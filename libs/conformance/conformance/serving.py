"""Whether a platform serves its catalogue so that nobody who reads it loses a record."""

import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import datetime
from typing import Annotated, Any
from urllib.parse import urlsplit
from uuid import UUID

from common.contracts.offerings import OfferingAnnounced
from common.contracts.providers import ProviderAnnounced
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from conformance import records
from conformance.fetching import Answer, Get, Unreachable
from conformance.records import Published
from conformance.reports import Report, Sheet

FEED = "/v1/catalogue/changes"
CONTRACTS = {"offering": OfferingAnnounced, "provider": ProviderAnnounced}
PAGE = 200
# Of a larger catalogue, so many records are read and page by page compared.
AT_MOST = 20_000
SMALL = 2
BAD_CURSOR = "no-cursor-of-yours!"
PROMPT_S = 5.0
WAITED_S = 6.0


class _Item(BaseModel):
    """The head of an item."""

    model_config = ConfigDict(extra="ignore", strict=False)
    noun: Annotated[str, Field(pattern="^(offering|provider)$")]
    id: UUID
    epoch: Annotated[int, Field(ge=1, strict=True)]
    version: Annotated[int, Field(ge=1, strict=True)]
    deleted: Annotated[bool, Field(strict=True)]
    data: dict[str, Any] | None = None


Key = tuple[str, str]
Read = Callable[[Mapping[str, object]], Awaitable[Answer]]


def split(url: str) -> tuple[str, str]:
    """The base address of a platform and the path of its feed, from the address of either."""
    if url.rstrip("/").endswith(FEED):
        return url.rstrip("/").removesuffix(FEED), FEED
    parts = urlsplit(url)
    if parts.path in ("", "/"):
        return url.rstrip("/"), FEED
    return f"{parts.scheme}://{parts.netloc}", parts.path


async def check(platform: Get, subject: str, at: datetime, *, feed: str = FEED) -> Report:
    """Try a platform's own addresses. Raises: Unreachable when it answers nothing at all."""

    async def get(query: Mapping[str, object]) -> Answer:
        return await platform(feed, query)

    sheet = Sheet("serving")
    await _alive(sheet, platform)
    items = await _whole(sheet, get)
    if items is not None:
        _heads(sheet, items)
        records.judge(sheet, _living(items))
        await _paging(sheet, get, items)
    return sheet.report(subject, at)


async def _alive(sheet: Sheet, get: Get) -> None:
    started = time.monotonic()
    answer = await get("/healthz", {})
    took = time.monotonic() - started
    sheet.note(
        "serve-alive", answer.status == 200 and took <= PROMPT_S, status=answer.status, seconds=round(took, 2)
    )


def _page(answer: Answer) -> dict[str, Any] | None:
    body = answer.json()
    if answer.status != 200 or not isinstance(body, dict):
        return None
    shaped = isinstance(body.get("items"), list) and isinstance(body.get("more"), bool)
    cursor = body.get("next_cursor")
    return body if shaped and isinstance(cursor, str) and cursor else None


async def _read(get: Read, limit: int, most: int) -> tuple[list[Any], list[str], Answer | None]:
    """Items from the start, the cursor behind each page, and the answer that could not be read, if any."""
    items: list[Any] = []
    cursors: list[str] = []
    while True:
        answer = await get({"after": cursors[-1] if cursors else None, "limit": limit})
        page = _page(answer)
        if page is None:
            return items, cursors, answer
        items += page["items"]
        after = str(page["next_cursor"])
        stuck = bool(cursors) and cursors[-1] == after
        cursors.append(after)
        if not page["more"] or stuck or len(items) >= most:
            return items, cursors, None


async def _whole(sheet: Sheet, get: Read) -> list[Any] | None:
    items, cursors, wrong = await _read(get, PAGE, AT_MOST)
    if wrong is not None:
        sheet.note("serve-feed", False, status=wrong.status, media=wrong.media, pages_read=len(cursors))
        return None
    sheet.note("serve-feed", True, items=len(items), pages=len(cursors))
    return items


def _heads(sheet: Sheet, items: Sequence[Any]) -> None:
    """Note the rules of single items."""
    bad: list[Any] = []
    unlike: list[Any] = []
    differing: list[Any] = []
    undead: list[Any] = []
    seen: dict[Key, int] = {}
    living = deleted = 0
    for number, item in enumerate(items):
        try:
            head = _Item.model_validate(item)
        except ValidationError as error:
            bad.append({"item": number, "field": _where(error)})
            continue
        key = (head.noun, str(head.id))
        seen[key] = seen.get(key, 0) + 1
        data = head.data or {}
        own = {"id": str(head.id), "epoch": head.epoch, "version": head.version}
        differing += [
            {"id": key[1], "field": f"data.{name}"}
            for name, value in own.items()
            if data.get(name, value) != value
        ]
        if head.deleted:
            deleted += 1
            if data and data.get("state") != "retired":
                undead.append({"id": key[1], "state": data.get("state")})
            continue
        living += 1
        try:
            CONTRACTS[head.noun].model_validate({**data, **own})
        except ValidationError as error:
            unlike.append({"id": key[1], "field": f"data.{_where(error)}"})
    sheet.listed("serve-line", bad, len(items))
    sheet.listed("serve-schema", unlike, living)
    sheet.listed("serve-agrees", differing, living + deleted)
    sheet.listed("serve-tombstone", undead, deleted)
    sheet.listed("serve-once", [{"id": id, "times": n} for (_, id), n in seen.items() if n > 1], len(seen))


def _where(error: ValidationError) -> str:
    """Field and rule; never the value, which may be personal."""
    first = error.errors(include_input=False, include_url=False)[0]
    return f"{'.'.join(str(part) for part in first['loc'])} ({first['type']})"


def _living(items: Sequence[Any]) -> list[Published]:
    return [
        Published(str(item["noun"]), str(item["id"]), item["data"])
        for item in items
        if isinstance(item, Mapping)
        and item.get("deleted") is False
        and isinstance(item.get("data"), Mapping)
    ]


def _keys(items: Sequence[Any]) -> list[Any]:
    return [
        (item.get("noun"), item.get("id"), item.get("epoch"), item.get("version"))
        for item in items
        if isinstance(item, Mapping)
    ]


async def _paging(sheet: Sheet, get: Read, whole: Sequence[Any]) -> None:
    """Note the rules of cursors. A catalogue that changes meanwhile is read again in the next run."""
    limit = SMALL if len(whole) <= PAGE else PAGE - 1
    first = _page(await get({"limit": limit}))
    too_many = first is not None and len(first["items"]) > limit
    sheet.note(
        "serve-limit", None if first is None else not too_many,
        asked=limit, items=len(first["items"]) if first else None,
    )  # fmt: skip
    items, cursors, wrong = await _read(get, limit, AT_MOST)
    lost = sorted(set(map(str, _keys(whole))) - set(map(str, _keys(items))))
    twice = len(items) - len(set(map(str, _keys(items))))
    sheet.note(
        "serve-pages", wrong is None and not lost and not twice,
        pages=len(cursors), lost=len(lost) or None, examples=lost[:3] or None, twice=twice or None,
        status=wrong.status if wrong else None,
    )  # fmt: skip
    if not cursors:
        return
    middle = cursors[len(cursors) // 2 - 1] if len(cursors) > 1 else None
    again = [await get({"after": middle, "limit": limit}) for _ in range(2)]
    same = _page(again[0]) is not None and again[0].json() == again[1].json()
    sheet.note("serve-repeat", same, statuses=[one.status for one in again])
    end = await get({"after": cursors[-1], "limit": limit})
    rest = _page(end)
    left = None if rest is None else len(set(map(str, _keys(rest["items"]))) & set(map(str, _keys(whole))))
    sheet.note("serve-resume", rest is not None and not left, status=end.status, items_again=left)
    bad = await get({"after": BAD_CURSOR})
    sheet.note("serve-cursor", 400 <= bad.status < 500, status=bad.status)
    problem = bad.json()
    told = bad.media == "application/problem+json" and isinstance(problem, dict) and bool(problem.get("code"))
    sheet.note("serve-problem", told if bad.status >= 400 else None, media=bad.media)
    started = time.monotonic()
    try:
        waited = await get({"after": cursors[-1], "wait": 1, "limit": limit})
    except Unreachable:
        sheet.note("serve-wait", False, why="no answer")
        return
    took = time.monotonic() - started
    sheet.note(
        "serve-wait", waited.status == 200 and took <= WAITED_S, status=waited.status, seconds=round(took, 1)
    )
