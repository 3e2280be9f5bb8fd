"""All of it in three names, for the apps that mount it: `routers`, `routes`, `jobs`."""

from common.clock import Clock
from common.inbox import Routes
from common.runtime import every
from fastapi import APIRouter

from agency import jobs as work
from agency.allocations import consumers as allocation_consumers
from agency.allocations.router import router as allocations
from agency.assignments import consumers as assignment_consumers
from agency.assignments.router import router as assignments
from agency.changes.router import router as changes
from agency.contacts.router import router as contacts
from agency.imports.router import router as imports
from agency.offerings.router import router as offerings
from agency.opportunities import consumers as opportunity_consumers
from agency.opportunities.router import router as opportunities
from agency.providers.router import router as providers
from agency.quotations import consumers as quotation_consumers
from agency.quotations.router import router as quotations
from agency.retirements.router import router as retirements
from agency.subscriptions.router import router as subscriptions

routers: tuple[APIRouter, ...] = (
    providers, retirements, subscriptions, imports, changes, offerings, opportunities, quotations, contacts, assignments,
    allocations,
)  # fmt: skip
jobs = (every(5, work.restore_due), work.note_unsaid)


def routes(node: str, now: Clock, matchmaking: str) -> Routes:
    """Shape: `matchmaking` is the one node that tells of opportunities and allocations."""
    return (
        *quotation_consumers.routes(node, now),
        *assignment_consumers.routes(node),
        *opportunity_consumers.routes(node, matchmaking, now),
        *allocation_consumers.routes(node, matchmaking),
    )
