"""The facts services tell each other. One file a noun, one class a fact; importing this knows them all."""

from common.contracts import (
    allocations,
    bookings,
    demands,
    engagements,
    finance,
    invitations,
    matches,
    offerings,
    opportunities,
    progress,
    providers,
    quotations,
    ratings,
    subscriptions,
    technology,
)

__all__ = [
    "allocations",
    "bookings",
    "demands",
    "engagements",
    "finance",
    "invitations",
    "matches",
    "offerings",
    "opportunities",
    "progress",
    "providers",
    "quotations",
    "ratings",
    "subscriptions",
    "technology",
]
