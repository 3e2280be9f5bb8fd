"""When a demand is to be matched."""

from datetime import date, datetime

from common.contracts.demands import Demand, DemandChanged, DemandSubmitted
from common.fields import CHINA

WAITING = ("submitted", "published")


def is_new_need(fact: Demand) -> bool:
    """It was submitted or edited, and awaits its match."""
    return isinstance(fact, DemandSubmitted | DemandChanged) and fact.state in WAITING


def is_unmatched(fact: Demand) -> bool:
    """It is open although nothing was found: what has been offered since may fit."""
    return fact.state == "no_match"


def today(at: datetime) -> date:
    """Days are counted where the demands are."""
    return at.astimezone(CHINA).date()
