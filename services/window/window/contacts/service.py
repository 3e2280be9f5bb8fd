from datetime import datetime
from uuid import UUID

from common import audit
from common.auth import Principal
from sqlalchemy.ext.asyncio import AsyncSession

from window.engagements import service as engagements
from window.enterprises import service as enterprises
from window.enterprises.domain import Enterprise


async def read(tx: AsyncSession, who: Principal, engagement_id: UUID, *, at: datetime) -> Enterprise:
    """The enterprise of an engagement, for the provider that does its work. Every read is an audit row.

    Raises: NotFound for anybody but the provider's owner and staff, and once it is cancelled.
    """
    engagement = await engagements.worked_by(tx, who, engagement_id)
    enterprise = await enterprises.get(tx, Principal.system(who.node), engagement.enterprise_id)
    detail = {"enterprise": str(enterprise.id)}
    line = audit.row(who.subject, "contact.read", engagement.id, engagement.demand_id, at, detail)
    await tx.execute(audit.INSERT, line)
    return enterprise
