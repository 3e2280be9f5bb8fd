"""All of it in three names, for the apps that mount it: `routers`, `routes`, `jobs`."""

from common.clock import Clock
from common.inbox import Routes
from common.runtime import every
from fastapi import APIRouter

from agency import jobs as work
from agency.assignments import consumers as assignment_consumers
from agency.assignments.router import router as assignments
from agency.contacts.router import router as contacts
from agency.imports.router import router as imports
from agency.offerings.router import router as offerings
from agency.providers.router import router as providers
from agency.quotations import consumers as quotation_consumers
from agency.quotations.router import router as quotations
from agency.retirements.router import router as retirements

routers: tuple[APIRouter, ...] = (
    providers, retirements, imports, offerings, quotations, contacts, assignments,
)  # fmt: skip
jobs = (every(5, work.restore_due),)


def routes(node: str, now: Clock) -> Routes:
    return (*quotation_consumers.routes(node, now), *assignment_consumers.routes(node))
