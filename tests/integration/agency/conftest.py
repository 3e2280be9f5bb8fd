"""The provider's side alone, as a window mounts it."""

import pytest
from agency import slices
from common.http import build
from reference import credit_code

from tests.integration.platform import copied, migrated, numbers, running

PACKAGES = ("common", "agency")
NODE, MATCHMAKING = "baotou", "matchmaking"


def create(settings, clock):
    return build(
        settings,
        title="t",
        summary="s",
        routers=slices.routers,
        routes=slices.routes(NODE, clock, MATCHMAKING),
        now=clock,
    )


@pytest.fixture(scope="session")
def template():
    with migrated(PACKAGES) as name:
        yield name


@pytest.fixture
async def url(template):
    async with copied(template) as made:
        yield made


@pytest.fixture
async def platform(url):
    async with running(url, NODE, create) as here:
        yield here


@pytest.fixture
def staff(platform):
    return platform.caller("staff-1", "window_staff", "cluster_staff", home=platform.node)


@pytest.fixture
def agency(platform):
    return platform.caller("agency-1", "agency")


@pytest.fixture
def other(platform):
    return platform.caller("agency-2", "agency")


def fresh_code() -> str:
    return credit_code.complete(f"911502{next(numbers):011d}")


def registration(**changes):
    return {
        "name": "示例·包头稀土检测有限公司", "credit_code": fresh_code(), "division": "150203",
        "categories": ["technology_quality.testing"], "profile": "检测", "contact_name": "张三丰",
        "contact_phone": "13800138000", "contact_email": "secret.person@example.com",
    } | changes  # fmt: skip


def offering(provider_id, **changes):
    return {
        "provider_id": provider_id, "title": "磁性能检测", "summary": "五日出报告",
        "category": "technology_quality.testing", "service_area": ["1502"],
        "price": {"from_cents": 100, "to_cents": 200, "unit": "sample"},
    } | changes  # fmt: skip


@pytest.fixture
async def provider(agency, staff):
    """An active provider of `agency`."""
    made = (await agency.post("/v1/providers", json=registration())).json()
    done = await staff.post(f"/v1/providers/{made['id']}/verification", json={"decision": "approve"})
    assert done.status_code == 200, done.text
    return done.json()


@pytest.fixture
def make():
    """Bodies that are right, for tests to spoil."""

    class Make:
        registration = staticmethod(registration)
        offering = staticmethod(offering)
        code = staticmethod(fresh_code)

    return Make
