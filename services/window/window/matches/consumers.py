from common.auth import Principal
from common.clock import Clock
from common.contracts.matches import Match
from common.errors import Forbidden
from common.inbox import Message, Routes
from sqlalchemy.ext.asyncio import AsyncSession

from window.matches import service


def routes(node: str, matchmaking: str, now: Clock) -> Routes:
    """Shape: `matchmaking` is the one node whose results count."""

    async def on_match_computed(tx: AsyncSession, message: Message) -> None:
        if message.envelope.source != matchmaking:
            raise Forbidden(
                "foreign-match",
                zh="对接结果只能来自对接服务",
                en="a match comes from matchmaking alone",
                field="source",
            )
        assert isinstance(message.fact, Match)
        await service.store(tx, Principal.system(node), message.envelope, message.fact, at=now())

    return (("match.computed.v1", on_match_computed),)
