"""Identifiers: time-ordered, so that an index grows at its end and a list pages by id."""

import uuid
from uuid import UUID

import uuid_utils

NAMESPACE = UUID("6f7a1c0e-3b54-4f0b-9b0f-2f5f4b1f7a10")


def new() -> UUID:
    """A fresh UUIDv7."""
    return UUID(bytes=uuid_utils.uuid7().bytes)


def derived(*parts: str) -> UUID:
    """The same id for the same parts on every machine: for what is loaded twice."""
    return uuid.uuid5(NAMESPACE, "\x1f".join(parts))
