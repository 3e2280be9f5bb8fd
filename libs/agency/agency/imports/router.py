"""/v1/offerings/import."""

from collections import Counter

from common.db import Tx
from common.http import Now
from common.idempotency import OnlyOnce
from common.problems import english
from fastapi import APIRouter, Request

from agency.deps import Staff
from agency.imports import service
from agency.imports.schemas import EXAMPLE, ImportOut, LineOut

MAX_BYTES = 4 * 1024 * 1024
BODY = {
    "requestBody": {
        "required": True,
        "description": "One JSON object a line: {provider, offering}",
        "content": {"application/x-ndjson": {"schema": {"type": "string"}, "example": EXAMPLE}},
    }
}

router = APIRouter(prefix="/v1/offerings", tags=["offerings"])


@router.post(
    "/import",
    summary="批量导入 / Import providers with their offerings",
    max_body_size=MAX_BYTES,
    openapi_extra=BODY,
)
async def load(request: Request, who: Staff, tx: Tx, now: Now, once: OnlyOnce) -> ImportOut:
    """每行一个 JSON 对象（NDJSON，最多 4 MB、5000 行）；逐行给出结果，坏行不影响其他行。

    One JSON object a line; every line has its own outcome and a bad one never holds the others. Loading
    the same file again changes nothing.
    """

    async def act() -> ImportOut:
        results = await service.load(tx, who, await request.body(), at=now)
        in_english = english(request)
        counts = Counter(result.outcome for result in results)
        return ImportOut(
            created=counts["created"],
            updated=counts["updated"],
            unchanged=counts["unchanged"],
            rejected=counts["rejected"],
            lines=tuple(
                LineOut(
                    line=result.line,
                    outcome=result.outcome,
                    field=result.field,
                    rule=result.rule,
                    message=result.en if in_english else result.zh,
                )
                for result in results
            ),
        )

    return await once(act, 200)
