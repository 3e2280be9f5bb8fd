"""Ten industrial clusters (产业集聚区) with evidence: configuration, not an official list."""

from dataclasses import dataclass
from functools import cache

from reference.packaged import document


class UnknownCluster(ValueError):
    """The id is not in the list."""

    def __init__(self, id: str) -> None:
        super().__init__(f"no cluster {id!r}")
        self.id = id


@dataclass(frozen=True)
class Cluster:
    """A cluster. Facilities are proposals unless they are in `facilities_evidenced`."""

    id: str
    zh: str
    en: str
    seats: tuple[str, ...]
    industries: tuple[str, ...]
    facilities_evidenced: tuple[str, ...]
    facilities_proposed: tuple[str, ...]
    evidence: str
    status: str


@cache
def everything() -> tuple[Cluster, ...]:
    return tuple(
        Cluster(
            id=entry["id"],
            zh=entry["zh"],
            en=entry["en"],
            seats=tuple(entry["seats"]),
            industries=tuple(entry["industries"]),
            facilities_evidenced=tuple(entry["facilities_evidenced"]),
            facilities_proposed=tuple(entry["facilities_proposed"]),
            evidence=entry["evidence"],
            status=entry["status"],
        )
        for entry in document("clusters.json")["clusters"]
    )


def get(id: str) -> Cluster:
    """Return a cluster.

    Raises: UnknownCluster.
    """
    for cluster in everything():
        if cluster.id == id:
            return cluster
    raise UnknownCluster(id)
