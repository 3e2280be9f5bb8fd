from common.db import Tx
from common.http import Now
from fastapi import APIRouter, Depends
from fastapi.responses import HTMLResponse

from hub.deps import Network, public_rate
from hub.status import page, service

router = APIRouter(dependencies=[Depends(public_rate)])
HEADERS = {
    "Content-Security-Policy": page.POLICY,
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "no-cache",
    "Content-Language": "zh-CN",
}


@router.get("/", include_in_schema=False)
async def status(tx: Tx, network: Network, now: Now) -> HTMLResponse:
    return HTMLResponse(page.render(await service.now(tx, network, at=now)), headers=HEADERS)
