from datetime import datetime
from uuid import UUID

from common.http import Out


class DeadLetterOut(Out):
    """A message that was refused or could not be read. Its content stays in the database."""

    id: UUID
    source: str
    message_key: str
    reason: str
    detail: str
    payload_bytes: int
    received_at: datetime
    resolved_at: datetime | None
