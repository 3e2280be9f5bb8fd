"""Reading what the bus brought: a message is either understood whole or refused with its reason."""

import hashlib
import json
import math
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from pydantic import ValidationError

from common import trace
from common.contracts.envelope import FACTS, Envelope, Fact
from common.fields import INT64

MAX_BYTES = 262_144
MAX_KEY = 200
MAX_DEPTH = 64
MAX_DIGITS = 30
# Escapes of NUL and surrogates: what calls for a closer look.
_SUSPECT = re.compile(rb"\\u(?:0000|[dD][89a-fA-F])")
_UNSTORABLE = re.compile("[\0\ud800-\udfff]")


@dataclass(frozen=True)
class Message:
    """Something heard: its envelope and the fact inside."""

    envelope: Envelope
    fact: Fact


class Verdict(StrEnum):
    """What the bus should do with a message now."""

    DONE = "done"
    PARKED = "parked"
    AGAIN = "again"


class Unreadable(Exception):
    """A message nobody can handle."""

    def __init__(self, reason: str, detail: str):
        super().__init__(f"{reason}: {detail}")
        self.reason, self.detail = reason, detail


@dataclass(frozen=True)
class Raw:
    """A message as it came. `sender` is who the bus proves it is from, `trusted` to forward for others."""

    data: bytes
    sender: str
    key: str
    trusted: bool = False


def read(raw: Raw) -> Message:
    """Parse a message.

    Raises: Unreadable naming what is wrong.
    """
    if len(raw.data) > MAX_BYTES:
        raise Unreadable("too-large", f"{len(raw.data)} bytes, at most {MAX_BYTES}")
    try:
        # As text: JSON on the bus is UTF-8, and NaN is no JSON.
        document = _JSON.decode(raw.data.decode())
    except (ValueError, RecursionError) as error:
        raise Unreadable("not-json", type(error).__name__) from None
    if _SUSPECT.search(raw.data) or raw.data.count(b"[") + raw.data.count(b"{") > MAX_DEPTH:
        _storable(document)
    try:
        envelope = Envelope.model_validate(document)
    except ValidationError as error:
        raise Unreadable("bad-envelope", _what(error)) from None
    if not raw.trusted and envelope.source != raw.sender:
        raise Unreadable("foreign-source", f"{raw.sender} speaks as {envelope.source}")
    contract = FACTS.get(envelope.type)
    if contract is None:
        raise Unreadable("unknown-type", envelope.type[:100])
    try:
        fact = contract.model_validate(envelope.data)
    except ValidationError as error:
        raise Unreadable("bad-data", _what(error)) from None
    if (fact.id, fact.epoch, fact.version) != (
        envelope.subject,
        envelope.entityepoch,
        envelope.entityversion,
    ):
        raise Unreadable("bad-data", "id, epoch or version differ between envelope and data")
    return Message(envelope, fact)


@contextmanager
def caused_by(message: Message) -> Iterator[None]:
    """What is written inside says that this message was its cause."""
    cause = trace.causation.set(message.envelope.id)
    parent = trace.traceparent.set(message.envelope.traceparent)
    try:
        yield
    finally:
        trace.causation.reset(cause)
        trace.traceparent.reset(parent)


def sequence_of(data: bytes) -> int | None:
    """The feed position of a message that may be unreadable otherwise."""
    try:
        found: Any = json.loads(data)["feedseq"]
    except (ValueError, KeyError, TypeError, RecursionError):
        return None
    return found if isinstance(found, int) and 0 < found < 2**62 else None


def printable(text: str) -> str:
    """A text of the sender's making, for a column and for the eyes of operators."""
    if text.isprintable():
        return text
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text)


def key_of(raw: Raw) -> str:
    """The message's key as an index takes it."""
    told = printable(raw.key)
    return told if len(told) <= MAX_KEY else hashlib.sha256(told.encode()).hexdigest()


def _no_number(name: str) -> float:
    raise ValueError(name)


def _integer(digits: str) -> int:
    number = int(digits) if len(digits) < MAX_DIGITS else INT64 + 1
    if abs(number) > INT64:
        raise Unreadable("bad-data", "a number is beyond 64 bits")
    return number


def _fraction(digits: str) -> float:
    number = float(digits)
    if math.isinf(number):
        raise Unreadable("bad-data", "a number is beyond all numbers")
    return number


_JSON = json.JSONDecoder(parse_constant=_no_number, parse_int=_integer, parse_float=_fraction)


def _storable(value: Any, depth: int = 0) -> None:
    """Raises: Unreadable for what no database takes: a contract may let it through, a column will not."""
    if depth > MAX_DEPTH:
        raise Unreadable("bad-data", f"nested deeper than {MAX_DEPTH} levels")
    if isinstance(value, dict):
        for name, item in value.items():
            _storable(name, depth)
            _storable(item, depth + 1)
    elif isinstance(value, list):
        for item in value:
            _storable(item, depth + 1)
    elif isinstance(value, str) and _UNSTORABLE.search(value):
        raise Unreadable("bad-data", "a text holds a NUL or a lone surrogate")


def _what(error: ValidationError) -> str:
    """Where and which rule; never the value, which may be personal."""
    return "; ".join(
        f"{'.'.join(map(str, e['loc']))}: {e['type']}" for e in error.errors(include_input=False)[:5]
    )
