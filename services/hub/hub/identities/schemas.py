from typing import Any
from uuid import UUID

from common.fields import NodeId
from common.http import In, Out
from pydantic import ConfigDict

from hub.catalogue.domain import Key, Registered
from hub.identities.domain import Identity


class SharedOut(Out):
    """A credit code that several records have; `merged` of them are merged into one."""

    credit_code: str
    name: str
    platforms: tuple[str, ...]
    records: int
    merged: int


class SharedPage(Out):
    """In the order of credit codes; ask again with `after=next_cursor` until it is null."""

    items: list[SharedOut]
    next_cursor: str | None = None


class RecordIn(In):
    """A provider's record: whose, and which."""

    platform: NodeId
    id: UUID


class RecordOut(Out):
    """A provider's record: whose, and which."""

    platform: str
    id: UUID

    @classmethod
    def of(cls, key: Key) -> "RecordOut":
        return cls(platform=key[0], id=key[1])


class MergeIn(In):
    """Which record speaks for all."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [{"primary": {"platform": "baotou", "id": "5f0e3c1a-0a55-4f6e-9f61-0d7f5f1c2a01"}}]
        }
    )

    primary: RecordIn


class RegisteredOut(RecordOut):
    """One record as its platform tells it. `offerings` counts those published."""

    epoch: int
    version: int
    name: str
    division: str
    state: str
    offerings: int
    primary: RecordOut | None

    @classmethod
    def told(cls, one: Registered) -> "RegisteredOut":
        return cls(
            platform=one.owner,
            id=one.id,
            epoch=one.epoch,
            version=one.version,
            offerings=one.offerings,
            primary=None if one.primary is None else RecordOut.of(one.primary),
            **{field: one.body[field] for field in ("name", "division", "state")},
        )


class DifferenceOut(Out):
    """A field that the records say differently; `said` in their order."""

    field: str
    said: list[Any]


class TogetherOut(Out):
    """What the merged record shows: the primary's, with what the others add to its lists."""

    name: str
    division: str
    categories: list[str]
    qualifications: list[dict[str, Any]]
    recognitions: list[dict[str, Any]]


class IdentityOut(Out):
    """The records of one organisation.

    Shape: `primary` speaks for all while `merged`; before that, `together` is what a merge would show.
    """

    credit_code: str
    merged: bool
    primary: RecordOut
    records: list[RegisteredOut]
    together: TogetherOut
    differences: list[DifferenceOut]

    @classmethod
    def of(cls, identity: Identity) -> "IdentityOut":
        said = identity.together
        lists = {name: said.get(name) or [] for name in ("categories", "qualifications", "recognitions")}
        return cls(
            credit_code=identity.credit_code,
            merged=identity.merged,
            primary=RecordOut.of(identity.primary),
            records=[RegisteredOut.told(one) for one in identity.records],
            together=TogetherOut(name=said["name"], division=said["division"], **lists),
            differences=[DifferenceOut(field=one.field, said=list(one.said)) for one in identity.differences],
        )
