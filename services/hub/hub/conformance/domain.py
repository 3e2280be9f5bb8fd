"""A run of the conformance suite, and what the platform is told in it."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any, Literal
from uuid import UUID

from common import ids
from common.contracts.envelope import Contract, Envelope
from common.errors import Conflict

Mode = Literal["exchange", "serving", "bus"]
State = Literal["running", "passed", "failed", "overtaken"]
# Long enough for somebody who builds against it step by step.
OPEN_FOR = timedelta(days=7)
# The second is of a type that no contract knows; the third has a member that none knows.
PROBES = ("conformance.asked.v1", "conformance.unheard.v9", "conformance.asked.v1")


class Run(Contract):
    """One run.

    Shape: `script` and `probes` are what the platform was given, of the mode exchange.
    """

    node: str
    number: int
    mode: Mode
    state: State
    started_at: datetime
    started_by: str
    finished_at: datetime | None = None
    script: dict[str, Any] | None = None
    probes: tuple[UUID, ...] = ()
    report: dict[str, Any] | None = None


def finished(run: Run, report: Mapping[str, Any], *, passed: bool, at: datetime) -> Run:
    """Raises: Conflict when it has ended, or was left open for too long."""
    if run.state != "running":
        raise Conflict(
            "run-ended",
            zh="该次测试已结束；请开始新的一次：POST /v1/nodes/{id}/conformance",
            en="this run has ended; begin another: POST /v1/nodes/{id}/conformance",
        )
    if at - run.started_at > OPEN_FOR:
        raise Conflict(
            "run-expired",
            zh=f"该次测试已超过 {OPEN_FOR.days} 天；请开始新的一次",
            en=f"this run is older than {OPEN_FOR.days} days; begin another",
        )
    return run.model_copy(
        update={"state": "passed" if passed else "failed", "finished_at": at, "report": dict(report)}
    )


def probes(run: Run, node: str, at: datetime) -> list[Envelope]:
    """Messages that ask for nothing but to be read."""
    subject = ids.derived("conformance", node, str(run.number))
    return [
        Envelope(
            id=id, type=type, source="hub", subject=subject, time=at, entityversion=place, correlationid=subject,
            recipient=node, data={"id": str(subject), "version": place, "run": run.number, "probe": place},
        )
        for place, (id, type) in enumerate(zip(run.probes, PROBES, strict=True), start=1)
    ]  # fmt: skip
