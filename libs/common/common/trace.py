"""What the current call is part of: carried to the log, the outbox and the audit without being passed by hand."""

from contextvars import ContextVar
from uuid import UUID

# The message whose handling caused what is written now; None when a person did.
causation: ContextVar[UUID | None] = ContextVar("causation", default=None)
# W3C trace context of the call, passed on as it came.
traceparent: ContextVar[str | None] = ContextVar("traceparent", default=None)
