from collections.abc import Mapping
from datetime import datetime
from typing import Annotated, Any, Literal
from uuid import UUID

from common.fields import Line
from common.http import In, Out
from pydantic import ConfigDict, Field, StringConstraints

from hub.conformance.domain import Mode, Run, State

Outcomes = Annotated[tuple[Line, ...], Field(max_length=20)]
Digest = Annotated[str, StringConstraints(pattern="^[0-9a-f]{64}$")]


EXAMPLE: Any = {"outcomes": {"create": ["created"] * 4}, "messages": [], "digest": None}


class RunIn(In):
    """Which run. `exchange`: the platform acts, the hub watches; `serving`: the hub reads its feed (operators)."""

    mode: Literal["exchange", "serving"] = "exchange"

    model_config = ConfigDict(json_schema_extra={"examples": [{"mode": "exchange"}]})


class CompletionIn(In):
    """What the platform saw in the run.

    Shape: `outcomes` of each step by its name, one a line; `messages` the ids of the messages it read since
    the run began, in order, those of `probes` at least; `digest` that of its own catalogue.
    """

    outcomes: Annotated[Mapping[Line, Outcomes], Field(max_length=50)]
    messages: Annotated[tuple[UUID, ...], Field(max_length=1000)] = ()
    digest: Digest | None = None

    model_config = ConfigDict(json_schema_extra={"examples": [EXAMPLE]})


class RunOut(Out):
    """A run, and its report when it has ended. `script` is what the platform is to do."""

    node: str
    number: int
    mode: Mode
    state: State
    started_at: datetime
    finished_at: datetime | None
    script: dict[str, Any] | None
    probes: tuple[UUID, ...]
    report: dict[str, Any] | None

    @classmethod
    def of(cls, run: Run) -> "RunOut":
        shown = run.model_dump()
        if run.script is not None:
            # What must come of it is for the hub to know; what each step expects is written beside it.
            shown["script"] = {name: part for name, part in run.script.items() if name != "expected"}
        return cls.model_validate(shown)


class Runs(Out):
    """The newest first, without their scripts."""

    items: list[RunOut]


class AdmittedOut(Out):
    """A platform whose probation has ended."""

    id: str
    state: str
    since: datetime
    epoch: int
    version: int
