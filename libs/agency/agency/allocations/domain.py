"""Whose word of an allocation (活动分配) counts here, on the provider's side."""

from common.contracts import allocations as contract
from common.errors import Forbidden


class Allocation(contract.Allocation):
    """An allocation as matchmaking last told it, to the account of the provider."""

    owner_subject: str


def ours(allocation: contract.Allocation, *, node: str, source: str, matchmaking: str) -> bool:
    """Whether its provider is at home here; else the demand alone is, and its side keeps it.

    Raises: Forbidden when it is not matchmaking's, or concerns nobody here.
    """
    if source != matchmaking or node not in (allocation.demand_window, allocation.platform):
        raise Forbidden(
            "foreign-allocation",
            zh="活动分配只能来自对接服务，且须与本平台的机构或需求有关",
            en="an allocation comes from matchmaking alone, and is of a provider or a demand of this platform",
            field="source",
        )
    return allocation.platform == node
