"""How the platforms are, as the hub tells matchmaking and the windows (平台状态)."""

from typing import Literal

from common.contracts.envelope import Fact, State
from common.fields import Moment, NodeId

PlatformStanding = Literal["ready", "away", "quarantined", "retired"]


class Platform(State):
    """Whether a platform's providers may be invited.

    Shape: `away` has been silent beyond the limit; `as_of` is when it was last heard, None while it is
    being heard: what is shown of it may be so old.
    """

    node: NodeId
    standing: PlatformStanding
    as_of: Moment | None = None


class PlatformChanged(Platform, Fact):
    type = "platform.changed.v1"
