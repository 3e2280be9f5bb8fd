"""The example catalogue, dealt out: what is imported where, and which agencies register themselves."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from common.node import Topology
from reference import examples
from reference.examples import Enterprise, Provider

from localnet.accounts import STAFF, Account

# These answer invitations in the story, so somebody must own them. So must every laboratory: staff
# publish an instrument, but only its laboratory can submit it.
QUOTING = ("ex-baotou-food-testing", "ex-ulanqab-testing")
LABORATORY = "ex-lab-hohhot-dairy"
ENTERPRISE = "ex-ent-dairy"
DEMAND = "ex-demand-01"
Line = dict[str, Any]


@dataclass(frozen=True)
class Agency:
    """An example provider with an owner. `node` is its platform."""

    node: str
    owner: Account
    provider: Provider

    @property
    def published(self) -> int:
        """How many offerings the catalogue shows of it; each instrument is one."""
        return len(self.provider["offerings"]) + len(self.provider["resources"])


def home_of(provider: Provider, topology: Topology) -> str:
    """Its cluster's platform, or the window of its place."""
    if provider["cluster"]:
        return provider["cluster"]
    window = topology.window_for(provider["division"])
    assert window is not None, provider["division"]
    return window.id


def owned(provider: Provider) -> bool:
    return bool(provider["resources"]) or provider["external_ref"] in QUOTING


def agencies(topology: Topology) -> tuple[Agency, ...]:
    """The agencies that register themselves."""
    found: list[Agency] = []
    for provider in examples.example_providers():
        if owned(provider):
            node = home_of(provider, topology)
            name = provider["external_ref"]
            account = Account(name, "agency", node, provider["name"], f"agency at {topology.node(node).en}")
            found.append(Agency(node, account, provider))
    return tuple(found)


def imported(topology: Topology) -> dict[str, list[Line]]:
    """Lines for the import of each platform."""
    parcels: dict[str, list[Line]] = {}
    for service in examples.government_services():
        window = topology.window_for(service["provider"]["division"])
        assert window is not None, service["provider"]["division"]
        parcels.setdefault(window.id, []).append(dict(service))
    told = ("name", "credit_code", "division", "profile", "qualifications", "example", "external_ref")
    for provider in examples.example_providers():
        if owned(provider):
            continue
        said = {name: provider[name] for name in told}
        lines = parcels.setdefault(home_of(provider, topology), [])
        lines.extend({"provider": said, "offering": offering} for offering in provider["offerings"])
    return parcels


def expected(topology: Topology) -> Mapping[str, int]:
    """How many offerings the catalogue holds of each platform when all is loaded."""
    counts = Counter({node: len(lines) for node, lines in imported(topology).items()})
    for agency in agencies(topology):
        counts[agency.node] += agency.published
    return counts


def enterprise() -> Enterprise:
    return next(one for one in examples.example_enterprises() if one["external_ref"] == ENTERPRISE)


def enterprise_account(topology: Topology) -> Account:
    said = enterprise()
    window = topology.window_for(said["division"])
    assert window is not None, said["division"]
    return Account(ENTERPRISE, "sme", window.id, said["name"], f"enterprise in {window.en}")


def people(topology: Topology) -> tuple[Account, ...]:
    """Every example user."""
    return (enterprise_account(topology), *(agency.owner for agency in agencies(topology)), *STAFF)


def laboratories() -> set[str]:
    """The users of the laboratories that the story does not meet."""
    return {one["external_ref"] for one in examples.example_providers() if one["resources"]} - {LABORATORY}
