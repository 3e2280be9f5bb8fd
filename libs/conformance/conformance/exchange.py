"""Whether a platform speaks and listens so that nothing is lost: judged by what the hub holds of it."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from pydantic import BaseModel, ConfigDict

from conformance import records
from conformance.records import Published
from conformance.reports import Report, Sheet
from conformance.script import RULES, Script

FRESH_S = 15
SKEW_S = 300
NEAR_S = 5
# So many ids beyond what was sent are shown.
SHOWN = 5


class Beats(BaseModel):
    """The last heartbeat, and since when they come without a gap."""

    model_config = ConfigDict(frozen=True)
    heard_at: datetime
    beating_since: datetime
    epoch: int
    offset_s: float


class Held(BaseModel):
    """What the hub has of a record of the script."""

    model_config = ConfigDict(frozen=True)
    version: int
    epoch: int
    deleted: bool
    forked: bool
    text: str


class Told(BaseModel):
    """What the platform says of its run.

    Shape: `outcomes` are those it was answered, a list a step; `messages` the ids of the probes it read, in
    order; `digest` that of its own catalogue.
    """

    model_config = ConfigDict(frozen=True)
    outcomes: Mapping[str, Sequence[str]]
    messages: Sequence[str]
    digest: str | None


class Observed(BaseModel):
    """What the hub saw."""

    model_config = ConfigDict(frozen=True)
    own_key: bool
    beats: Beats | None
    held: Mapping[str, Held]
    foreign_untouched: bool | None
    highest_epoch: int
    probes: Sequence[tuple[int, UUID]]
    confirmed_seq: int
    digest: str
    records: Sequence[Published]


def judge(subject: str, script: Script, told: Told, seen: Observed, at: datetime) -> Report:
    sheet = Sheet("exchange")
    sheet.note(
        "send-key", seen.own_key, why=None if seen.own_key else "the run was finished by another account"
    )
    for step in script.steps:
        said = list(told.outcomes.get(step.name, ()))
        sheet.note(
            RULES[step.name],
            said == list(step.expects),
            step=step.name,
            expected=list(step.expects),
            told=said,
        )
    _held(sheet, script, seen)
    if seen.foreign_untouched is None:
        sheet.note("send-not-owner", None, why="no other platform has a record yet")
    else:
        sheet.note("send-not-owner", seen.foreign_untouched, step="foreign")
    beat_rules(sheet, seen.beats, seen.highest_epoch, at)
    _heard(sheet, told, seen)
    equal = told.digest == seen.digest
    sheet.note("digest-equal", equal, hub=seen.digest, platform=told.digest or "none given")
    records.judge(sheet, seen.records)
    return sheet.report(subject, at)


def _held(sheet: Sheet, script: Script, seen: Observed) -> None:
    """What was said must also be what is held."""
    for one in script.expected:
        held = seen.held.get(str(one.id))
        want: dict[str, Any] = {"version": one.version, "deleted": one.deleted, "text": one.text}
        if held is None:
            wrong = {"id": str(one.id), "held": "nothing"}
        else:
            have = {"version": held.version, "deleted": held.deleted, "text": held.text}
            differing = {name: have[name] for name in want if have[name] != want[name] and name != "text"}
            if not one.deleted and held.text != one.text:
                differing["text"] = held.text
            if held.forked:
                differing["forked"] = True
            if not differing:
                continue
            wrong = {"id": str(one.id), "expected": {name: want[name] for name in want}, "held": differing}
        for rule in one.rules:
            sheet.note(rule, False, **wrong)


def beat_rules(sheet: Sheet, beats: Beats | None, highest_epoch: int, at: datetime) -> None:
    """Note the rules of heartbeats."""
    if beats is None:
        for rule in ("beat-fresh", "beat-steady", "beat-clock", "beat-clock-near", "beat-epoch"):
            sheet.note(rule, False, why="no heartbeat was ever heard")
        return
    age = (at - beats.heard_at).total_seconds()
    sheet.note("beat-fresh", age <= FRESH_S, heard_at=beats.heard_at.isoformat(), seconds_ago=round(age, 1))
    row = beats.heard_at - beats.beating_since
    sheet.note("beat-steady", row > timedelta(0), beating_for_s=round(row.total_seconds(), 1))
    offset = abs(beats.offset_s)
    sheet.note("beat-clock", offset <= SKEW_S, offset_s=beats.offset_s)
    sheet.note("beat-clock-near", offset <= NEAR_S, offset_s=beats.offset_s)
    sheet.note("beat-epoch", beats.epoch >= highest_epoch, heartbeat=beats.epoch, records=highest_epoch)


def _heard(sheet: Sheet, told: Told, seen: Observed) -> None:
    sent = [str(id) for _, id in seen.probes]
    read = [str(id).lower() for id in told.messages]
    sheet.note("hear-messages", read == sent, sent=sent, read=read[: len(sent) + SHOWN])
    # The second probe is of a type that no contract knows.
    past = len(read) > 1 and read[-1] == sent[-1]
    sheet.note("hear-unknown", past, unknown=sent[1], read=read[: len(sent) + SHOWN])
    last = seen.probes[-1][0]
    sheet.note("hear-confirm", seen.confirmed_seq >= last, last=last, confirmed=seen.confirmed_seq)
