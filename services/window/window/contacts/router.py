from uuid import UUID

from common.db import Tx
from common.http import Caller, Now
from fastapi import APIRouter, Response

from window.contacts import service
from window.contacts.schemas import EnterpriseContactOut

router = APIRouter(prefix="/v1/engagements", tags=["engagements"])


@router.get("/{id}/contact", summary="企业联系人 Read the enterprise's contact")
async def read(id: UUID, who: Caller, tx: Tx, now: Now, response: Response) -> EnterpriseContactOut:
    """授标后仅中选机构与本窗口工作人员可见，每次查看均留痕。For the provider that won and staff; every read is noted."""
    response.headers["Cache-Control"] = "no-store"
    return EnterpriseContactOut.model_validate(await service.read(tx, who, id, at=now))
