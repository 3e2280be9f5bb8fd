from common.http import Out

from hub.messages.domain import Verdict

EXAMPLE = (
    '{"specversion": "1.0", "id": "0190a7d2-7c1e-7a10-8d55-3a5f6b7c8d01", "type": "provider.announced.v1",'
    ' "source": "example-window", "subject": "5f0e3c1a-0a55-4f6e-9f61-0d7f5f1c2a01", "time": "2026-11-23T02:00:00Z",'
    ' "entityversion": 1, "correlationid": "5f0e3c1a-0a55-4f6e-9f61-0d7f5f1c2a01", "data": {"id":'
    ' "5f0e3c1a-0a55-4f6e-9f61-0d7f5f1c2a01", "version": 1, "name": "示例检测中心", "credit_code":'
    ' "91150203MA0N1A2B3G", "division": "150123", "example": true, "state": "active"}}\n'
)


class LineOut(Out):
    """What became of one message: done also means that it was known; again: send it unchanged later.

    Shape: `code` names the rule that refused it, `detail` where; `message` says how to mend it.
    """

    line: int
    id: str
    verdict: Verdict
    code: str | None = None
    detail: str | None = None
    message: str | None = None


class MessagesOut(Out):
    """What became of the messages, each in order."""

    done: int
    parked: int
    again: int
    lines: list[LineOut]
