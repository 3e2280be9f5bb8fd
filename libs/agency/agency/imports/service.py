"""Load providers with their offerings in bulk: every line answers for itself."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from common import journal, restoring
from common.auth import Principal
from common.errors import Conflict, Invalid, Refusal, TooLarge
from common.rules import explain
from pydantic import ValidationError
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncSession

from agency.imports import repository, rows
from agency.imports.rows import Batch, Outcome, Row
from agency.offerings import service as offerings
from agency.providers import service as providers


@dataclass(frozen=True)
class Result:
    """What became of a line, and which rule of which field stood against it."""

    line: int
    outcome: Outcome
    field: str | None = None
    rule: str | None = None
    zh: str | None = None
    en: str | None = None


async def load(tx: AsyncSession, who: Principal, body: bytes, *, at: datetime) -> list[Result]:
    """Create or bring up to date what the lines describe; providers are active and offerings published.

    Raises: TooLarge for too many lines; Conflict when a provider registered itself in between.
    Emits: ProviderRegistered, ProviderChanged, OfferingPublished, OfferingChanged.
    """
    lines = [(number, line) for number, line in enumerate(body.split(b"\n"), 1) if line.strip()]
    if not lines:
        raise Invalid(
            "empty-import",
            zh="没有可导入的行；每行一个 JSON 对象",
            en="there is no line to import; send one JSON object a line",
            field="body",
        )
    if len(lines) > rows.MAX_ROWS:
        raise TooLarge(
            "too-many-lines",
            zh=f"一次最多导入 {rows.MAX_ROWS} 行；请分批提交",
            en=f"one import takes at most {rows.MAX_ROWS} lines; send it in parts",
        )
    read = [(number, _parse(line)) for number, line in lines]
    good = [row for _, row in read if isinstance(row, Row)]
    await repository.one_at_a_time(tx)
    batch = await _known(tx, who, good, at)
    results = [
        _apply(batch, number, row) if isinstance(row, Row) else _unreadable(number, row)
        for number, row in read
    ]
    try:
        await providers.put(
            tx, new=[*batch.new_providers.values()], changed=[*batch.changed_providers.values()]
        )
        await offerings.put(tx, new=batch.new_offerings, changed=batch.changed_offerings)
    except IntegrityError as error:
        raise Conflict(
            "import-overtaken",
            zh="导入期间有机构自行登记；未保存任何内容，请重新提交",
            en="a provider registered itself meanwhile; nothing was saved, send the import again",
            retry_after_s=1,
        ) from error
    await journal.write_many(tx, batch.facts, who=who, at=at)
    return results


async def _known(tx: AsyncSession, who: Principal, good: Sequence[Row], at: datetime) -> Batch:
    node = who.node
    codes = sorted({rows.provider_code(row) for row in good})
    held = await providers.living(tx, who, codes)
    found = await offerings.known(tx, who, [rows.offering_id(node, row) for row in good])
    return Batch(node, f"import:{node}", at, await restoring.epoch(tx), held, found)


def _parse(line: bytes) -> Row | ValidationError:
    try:
        return Row.model_validate_json(line)
    except ValidationError as error:
        return error


def _apply(batch: Batch, number: int, row: Row) -> Result:
    try:
        return Result(number, rows.apply(batch, row))
    except Refusal as error:
        return Result(number, "rejected", error.field, error.code, error.zh, error.en)


def _unreadable(number: int, error: ValidationError) -> Result:
    first = error.errors(include_input=False, include_url=False)[0]
    zh, en = explain(dict(first))
    field = ".".join(str(part)[:60] for part in first["loc"]) or None
    return Result(number, "rejected", field, str(first["type"]).replace("_", "-"), zh, en)
