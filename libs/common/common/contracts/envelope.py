"""The envelope of every message, and the register of what may be inside.

CloudEvents 1.0, structured JSON, with the extensions of this network.
"""

from datetime import datetime
from typing import Any, ClassVar, Literal, Self
from uuid import UUID

from pydantic import BaseModel, ConfigDict

from common.fields import Moment, NodeId, Version


class Contract(BaseModel):
    """A frozen value on the bus. Unknown fields are ignored, so that contracts can grow."""

    model_config = ConfigDict(frozen=True, extra="ignore", allow_inf_nan=False)


class State(Contract):
    """The whole state of one entity at one version."""

    id: UUID
    epoch: Version = 1
    version: Version


class Fact(State):
    """Something that happened, with the state it led to.

    `type` is `<noun>.<past verb>.v<major>`; `case_id` ties all facts of one case together.
    """

    type: ClassVar[str]

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        if "type" in cls.__dict__:
            FACTS[cls.type] = cls

    @property
    def case_id(self) -> UUID:
        return getattr(self, "demand_id", self.id)

    @classmethod
    def of(cls, state: BaseModel) -> Self:
        """The public part of a domain value."""
        return cls.model_validate(state.model_dump())


FACTS: dict[str, type[Fact]] = {}


class Envelope(Contract):
    """CloudEvents 1.0. `id` is the outbox id, the broker's message id and the inbox key in one."""

    specversion: Literal["1.0"] = "1.0"
    id: UUID
    type: str
    source: NodeId
    subject: UUID
    time: Moment
    datacontenttype: Literal["application/json"] = "application/json"
    entityversion: Version
    entityepoch: Version = 1
    correlationid: UUID
    causationid: UUID | None = None
    traceparent: str | None = None
    recipient: NodeId | None = None
    feedseq: int | None = None
    data: dict[str, Any]

    @property
    def noun(self) -> str:
        return self.type.split(".", 1)[0]


def wrap(
    fact: Fact,
    *,
    id: UUID,
    source: str,
    at: datetime,
    recipient: str | None = None,
    causation: UUID | None = None,
    traceparent: str | None = None,
) -> Envelope:
    return Envelope.model_construct(
        specversion="1.0",
        id=id,
        type=fact.type,
        source=source,
        subject=fact.id,
        time=at,
        datacontenttype="application/json",
        entityversion=fact.version,
        entityepoch=fact.epoch,
        correlationid=fact.case_id,
        causationid=causation,
        traceparent=traceparent,
        recipient=recipient,
        feedseq=None,
        data=fact.model_dump(mode="json"),
    )
