from common.auth import Principal
from common.clock import Clock
from common.contracts.progress import Progress
from common.inbox import Message, Routes
from sqlalchemy.ext.asyncio import AsyncSession

from window.engagements import service


def routes(node: str, now: Clock) -> Routes:
    async def on_progress_reported(tx: AsyncSession, message: Message) -> None:
        assert isinstance(message.fact, Progress)
        who = Principal.system(node)
        await service.report(tx, who, message.fact, source=message.envelope.source, at=now())

    return (("progress.reported.v1", on_progress_reported),)
