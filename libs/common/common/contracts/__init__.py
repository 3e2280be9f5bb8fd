"""The facts services tell each other. One file a noun, one class a fact; importing this knows them all."""

from common.contracts import (
    bookings,
    demands,
    engagements,
    invitations,
    matches,
    offerings,
    progress,
    providers,
    quotations,
    ratings,
)

__all__ = [
    "bookings",
    "demands",
    "engagements",
    "invitations",
    "matches",
    "offerings",
    "progress",
    "providers",
    "quotations",
    "ratings",
]
