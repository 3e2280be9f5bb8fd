"""Versions of the weights as operators send and read them."""

from datetime import datetime
from typing import Annotated, Any

from common.contracts.envelope import Contract
from common.fields import Attributes
from common.http import In, Out
from pydantic import ConfigDict, Field

from matchmaking.matching import weights
from matchmaking.rankings import documents
from matchmaking.rankings.domain import RankingState


def _example(schema: dict[str, Any]) -> None:
    """The weights of this release under another name, so that the example holds whatever they are."""
    document = documents.document(weights.current())
    example = {"document": document | {"version": "2026-1.example"}, "trained_on": {"cases": 0}}
    schema["examples"] = [example]


class WeightsIn(In):
    """A candidate. Only the components' weights may differ from the active version."""

    model_config = ConfigDict(json_schema_extra=_example)

    document: Annotated[Attributes, Field(description="权重文档 · The weights document, as shipped")]
    trained_on: Annotated[Attributes, Field(description="训练数据概要 · A summary of the training")] = {}
    evaluation: Annotated[
        Attributes,
        Field(
            description="训练者自己的评测，仅留存；以本服务重算为准 · The maker's own; measured again here"
        ),
    ] = {}


class MeasuredOut(Contract):
    """nDCG@10 on held-out cases, measured by this service; `low` and `high` hold 95 %."""

    against: str
    cases: int
    current: float
    candidate: float
    difference: float
    low: float
    high: float
    wins: bool


class WeightsOut(Out):
    """A version and its life; `claimed` is what its maker said of it."""

    version: str
    state: RankingState
    document: dict[str, Any]
    made_by: str
    trained_on: dict[str, Any]
    claimed: dict[str, Any]
    evaluation: MeasuredOut | None
    created_at: datetime | None
    activated_at: datetime | None
    activated_by: str | None
    retired_at: datetime | None
    retired_by: str | None


class WeightsListOut(Out):
    """All versions, newest first; the release's own is the last."""

    items: tuple[WeightsOut, ...]
