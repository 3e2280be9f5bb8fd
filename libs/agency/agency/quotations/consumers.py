"""What the demand's window says of its invitations."""

from common.auth import Principal
from common.clock import Clock
from common.contracts.invitations import Invitation
from common.inbox import Message, Routes
from sqlalchemy.ext.asyncio import AsyncSession

from agency.quotations import service


def routes(node: str, now: Clock) -> Routes:
    who = Principal.system(node)

    async def on_issued(tx: AsyncSession, message: Message) -> None:
        assert isinstance(message.fact, Invitation)
        await service.receive(tx, who, message.fact, source=message.envelope.source, at=now())

    async def on_ended(tx: AsyncSession, message: Message) -> None:
        assert isinstance(message.fact, Invitation)
        await service.settle(tx, who, message.fact, source=message.envelope.source, at=now())

    return (
        ("invitation.issued.v1", on_issued),
        ("invitation.expired.v1", on_ended),
        ("invitation.awarded.v1", on_ended),
        ("invitation.lost.v1", on_ended),
    )
