"""Whose word of an allocation (活动分配) counts here, on the demand's side."""

from common.contracts.allocations import Allocation
from common.errors import Forbidden


def ours(allocation: Allocation, *, node: str, source: str, matchmaking: str) -> bool:
    """Whether it is of a demand here; else the provider alone is at home here, and its side keeps it.

    Raises: Forbidden when it is not matchmaking's, or concerns nobody here.
    """
    if source != matchmaking or node not in (allocation.demand_window, allocation.platform):
        raise Forbidden(
            "foreign-allocation",
            zh="活动分配只能来自对接服务，且须与本平台的需求或机构有关",
            en="an allocation comes from matchmaking alone, and is of a demand or a provider of this platform",
            field="source",
        )
    return allocation.demand_window == node
