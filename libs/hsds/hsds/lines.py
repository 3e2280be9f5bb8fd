"""What was read, as lines of the import door of a window: a provider and one of its offerings each."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from hsds.findings import About, Dirt, Given, found

PROVIDER = (
    "name",
    "credit_code",
    "division",
    "categories",
    "qualifications",
    "recognitions",
    "profile",
    "example",
)
OFFERING = (
    "kind", "title", "summary", "category", "division", "service_area", "price", "lead_days", "size_classes",
    "qualifications", "capacity", "finance", "achievement", "attributes", "example",
)  # fmt: skip
LONGEST_REF = 120


@dataclass(frozen=True)
class Line:
    """A line to send. `row` is the service's row in its table, `platform` whose it is when the source says."""

    row: int
    reference: str
    platform: str | None
    body: dict[str, Any]


def lines(read: Iterable[Given | Dirt | About]) -> Iterator[Line | Dirt]:
    """Every published offering with its provider; every finding as it comes.

    Shape: the door publishes what it takes, so what is not published at its source stays out, and said.
    """
    providers: dict[str, Given] = {}
    used: set[str] = set()
    for one in read:
        if isinstance(one, Dirt):
            yield one
        elif isinstance(one, Given) and one.noun == "provider":
            providers[str(one.id)] = one
        elif isinstance(one, Given):
            provider = providers.get(str(one.data["provider_id"]))
            if provider is None:
                yield found("no-organization", "service", one.row, one.reference, "organization_id")
                continue
            used.add(str(provider.id))
            if one.data["state"] != "published" or provider.data["state"] != "active":
                yield found("not-active", "service", one.row, one.reference, "status")
                continue
            yield Line(one.row, one.reference, one.platform, _body(provider, one))
    for id, provider in providers.items():
        if id not in used:
            yield found("no-services", "organization", provider.row, provider.reference)


def _body(provider: Given, offering: Given) -> dict[str, Any]:
    said = {name: provider.data[name] for name in PROVIDER if name in provider.data}
    return {
        "provider": said | {"external_ref": provider.reference[:LONGEST_REF]},
        "offering": {name: offering.data[name] for name in OFFERING if name in offering.data}
        | {"external_ref": offering.reference[:LONGEST_REF]},
    }
