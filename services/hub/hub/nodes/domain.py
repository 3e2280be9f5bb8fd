"""How a node is, from what it last said and when."""

from datetime import datetime, timedelta
from typing import Literal

from common.contracts.envelope import Contract

State = Literal["ready", "late", "silent", "never"]
# A node beats every 5 s: three missed beats are no accident.
LATE_AFTER_S = 15
# A restart with its recovery takes less; after a minute somebody should look.
SILENT_AFTER_S = 60


class Heard(Contract):
    """The last beat of a node, as the hub heard it.

    Shape: `offset_s` is the node's clock minus ours, the way included; `beating_since` the first beat of
    the present unbroken row.
    """

    node: str
    sent_at: datetime
    heard_at: datetime
    beating_since: datetime
    epoch: int
    feed_seq: int
    applied_seq: int
    unsent: int
    unconfirmed: int
    dead_letters: int
    release: str
    offset_s: float


class Health(Contract):
    """The state of a node and since when; both None-free unless it never spoke."""

    state: State
    since: datetime | None


def health(heard: Heard | None, at: datetime) -> Health:
    if heard is None:
        return Health(state="never", since=None)
    quiet = at - heard.heard_at
    if quiet > timedelta(seconds=SILENT_AFTER_S):
        return Health(state="silent", since=heard.heard_at + timedelta(seconds=SILENT_AFTER_S))
    if quiet > timedelta(seconds=LATE_AFTER_S):
        return Health(state="late", since=heard.heard_at + timedelta(seconds=LATE_AFTER_S))
    return Health(state="ready", since=heard.beating_since)
