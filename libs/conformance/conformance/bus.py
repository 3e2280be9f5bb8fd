"""Whether a node of the bus keeps the rules: judged by what the hub has of its messages."""

from collections.abc import Mapping
from datetime import datetime

from pydantic import BaseModel, ConfigDict

from conformance.exchange import Beats, beat_rules
from conformance.reports import Report, Sheet

ENVELOPE = ("not-json", "bad-envelope", "foreign-source", "too-large")
SCHEMA = ("bad-data", "unknown-type")
UNFORESEEN = ("quarantined",)


class BusObserved(BaseModel):
    """What the hub saw of a node.

    Shape: `parked` counts open dead letters by reason; `lag` its messages not applied yet, None before its
    first beat; `drift` the records that differ from the copies, None when they were never compared.
    """

    model_config = ConfigDict(frozen=True)
    beats: Beats | None
    highest_epoch: int
    parked: Mapping[str, int]
    forks: int
    lag: int | None
    owed: int
    drift: int | None


def judge(subject: str, seen: BusObserved, at: datetime) -> Report:
    sheet = Sheet("bus")
    beat_rules(sheet, seen.beats, seen.highest_epoch, at)
    for rule, reasons in (("bus-envelope", ENVELOPE), ("bus-schema", SCHEMA), ("bus-unforeseen", UNFORESEEN)):
        found = {reason: seen.parked[reason] for reason in reasons if reason in seen.parked}
        sheet.note(rule, not found, parked=found or None)
    named = {*ENVELOPE, *SCHEMA, *UNFORESEEN}
    refused = {reason: count for reason, count in seen.parked.items() if reason not in named}
    sheet.note("bus-rights", not refused, parked=refused or None)
    sheet.note("bus-version", seen.forks == 0, forks=seen.forks)
    sheet.note("bus-receipt", None if seen.lag is None else seen.lag == 0, messages_behind=seen.lag)
    sheet.note("bus-confirm", seen.owed == 0, unconfirmed=seen.owed)
    if seen.drift is None:
        sheet.note(
            "digest-equal", None, why="its catalogue was not compared yet: POST /v1/nodes/{id}/digests"
        )
    else:
        sheet.note("digest-equal", seen.drift == 0, differing=seen.drift)
    return sheet.report(subject, at)
