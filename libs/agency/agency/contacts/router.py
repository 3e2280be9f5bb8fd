"""/v1/quotations/{id}/contact."""

from uuid import UUID

from common.db import Tx
from common.http import Caller, Now
from fastapi import APIRouter, Response

from agency.contacts import service
from agency.contacts.schemas import ProviderContactOut

router = APIRouter(prefix="/v1/quotations", tags=["quotations"])


@router.get("/{id}/contact", summary="中选机构联系人 / Read the contact of the provider that won")
async def read(id: UUID, who: Caller, tx: Tx, now: Now, response: Response) -> ProviderContactOut:
    """授标后仅发出需求的企业可见，每次查看均留痕。After the award, for the enterprise alone; every read is noted."""
    response.headers["Cache-Control"] = "no-store"
    return ProviderContactOut.model_validate(await service.read(tx, who, id, at=now))
