from datetime import datetime
from uuid import UUID

from common.contracts.envelope import Contract


class DeadLetter(Contract):
    """A parked message, without its content."""

    id: UUID
    source: str
    message_key: str
    reason: str
    detail: str
    payload_bytes: int
    received_at: datetime
    resolved_at: datetime | None
