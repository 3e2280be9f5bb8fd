"""A cluster platform, its laboratory and those who book there."""

import pytest
import yaml
from cluster.app import create_app
from cluster.resources.schemas import ResourceIn
from common.node import parse
from reference import credit_code

from tests.integration.platform import copied, migrated, numbers, running, url_of
from tests.servers import TOPOLOGY

PACKAGES = ("common", "agency", "cluster")
NODE = parse(yaml.safe_load(TOPOLOGY.read_text(encoding="utf-8"))).of_kind("cluster")[0].id


@pytest.fixture(scope="session")
def template():
    with migrated(PACKAGES) as name:
        yield name


@pytest.fixture
async def url(template):
    async with copied(template) as made:
        yield made


@pytest.fixture
def template_url(template):
    return url_of(template, template)


@pytest.fixture
async def platform(url):
    async with running(url, NODE, create_app) as here:
        yield here


@pytest.fixture
def staff(platform):
    return platform.caller("staff-1", "cluster_staff", home=platform.node)


@pytest.fixture
def lab(platform):
    return platform.caller("lab-1", "agency")


@pytest.fixture
def sme(platform):
    return platform.caller("sme-1", "sme")


@pytest.fixture
async def provider(lab, staff):
    """An active provider of `lab`."""
    body = {
        "name": "示例·稀土实验室", "credit_code": credit_code.complete(f"121502{next(numbers):011d}"),
        "division": "150203", "contact_name": "李四", "contact_phone": "0472-5200000",
        "contact_email": "lab@example.com",
    }  # fmt: skip
    made = (await lab.post("/v1/providers", json=body)).json()
    done = await staff.post(f"/v1/providers/{made['id']}/verification", json={"decision": "approve"})
    assert done.status_code == 200, done.text
    return done.json()


def form(provider_id, **changes):
    (example,) = ResourceIn.model_config["json_schema_extra"]["examples"]
    return example | {"provider_id": provider_id} | changes


@pytest.fixture
def resource_form():
    """A form that is right, for tests to spoil."""
    return form


@pytest.fixture
async def resource(lab, staff, provider):
    """A published instrument, open on working days from 8:30 to 17:30."""
    made = await lab.post("/v1/resources", json=form(provider["id"]))
    assert made.status_code == 201, made.text
    done = await staff.post(f"/v1/resources/{made.json()['id']}/review", json={"decision": "publish"})
    assert done.status_code == 200, done.text
    return done.json()
