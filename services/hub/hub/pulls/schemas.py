from datetime import datetime

from common.fields import Line
from common.http import In, Out
from pydantic import ConfigDict


class PullIn(In):
    """The address the hub may fetch a platform's changes from: the feed its platform declared."""

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"url": "https://window.example/v1/catalogue/changes"}]}
    )
    url: Line


class PullOut(Out):
    """How the hub's fetching of a platform's changes goes. `heard_at` is its last success."""

    node: str
    url: str
    approved_by: str
    approved_at: datetime
    pulled_at: datetime | None
    heard_at: datetime | None
    failures: int
    error: str | None
    next_at: datetime
