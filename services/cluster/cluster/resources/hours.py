"""Opening hours in local time, and what they leave free."""

from collections.abc import Iterable, Iterator
from datetime import date, datetime, time, timedelta
from typing import Annotated, Self

from common.contracts.envelope import Contract
from common.fields import CHINA
from pydantic import Field, StringConstraints, model_validator
from pydantic_core import PydanticCustomError

DAY_MINUTES = 24 * 60
Span = tuple[datetime, datetime]
ClockTime = Annotated[str, StringConstraints(pattern=r"^(([01]\d|2[0-3]):[0-5]\d|24:00)$")]


class Opening(Contract):
    """One stretch of one weekday, 1 for Monday; it may end at 24:00."""

    weekday: Annotated[int, Field(ge=1, le=7, strict=True)]
    opens: ClockTime
    closes: ClockTime

    @model_validator(mode="after")
    def _forward(self) -> Self:
        if minutes(self.opens) >= minutes(self.closes):
            raise PydanticCustomError(
                "hours_order", "closes before it opens", {"zh": "关闭时间须晚于开放时间"}
            )
        return self


def minutes(clock_time: str) -> int:
    return int(clock_time[:2]) * 60 + int(clock_time[3:])


def _days(start: datetime, end: datetime) -> Iterator[date]:
    day = start.astimezone(CHINA).date()
    while datetime.combine(day, time(), CHINA) < end:
        yield day
        day += timedelta(days=1)


def open_spans(openings: Iterable[Opening], start: datetime, end: datetime) -> list[Span]:
    """When it is open between two moments, adjacent stretches joined. Without opening hours: always."""
    openings = list(openings)
    if not openings:
        return [(start, end)]
    spans: list[Span] = []
    for day in _days(start, end):
        midnight = datetime.combine(day, time(), CHINA)
        today = [o for o in openings if o.weekday == day.isoweekday()]
        for opening in sorted(today, key=lambda o: minutes(o.opens)):
            opens = max(midnight + timedelta(minutes=minutes(opening.opens)), start)
            closes = min(midnight + timedelta(minutes=minutes(opening.closes)), end)
            if opens >= closes:
                continue
            if spans and spans[-1][1] >= opens:
                spans[-1] = (spans[-1][0], max(spans[-1][1], closes))
            else:
                spans.append((opens, closes))
    return spans


def covered(openings: Iterable[Opening], start: datetime, end: datetime) -> bool:
    """Whether it is open all the way from one moment to the other."""
    return open_spans(openings, start, end) == [(start, end)]


def free_spans(spans: Iterable[Span], busy: Iterable[Span]) -> list[Span]:
    """What the busy stretches leave of the open ones."""
    taken = sorted(busy)
    free: list[Span] = []
    for start, end in spans:
        at = start
        for busy_start, busy_end in taken:
            if busy_end <= at or busy_start >= end:
                continue
            if busy_start > at:
                free.append((at, busy_start))
            at = max(at, busy_end)
        if at < end:
            free.append((at, end))
    return free


def slots(free: Iterable[Span], length: timedelta, limit: int) -> list[Span]:
    """The first places where that much time fits."""
    return [(start, start + length) for start, end in free if end - start >= length][:limit]
