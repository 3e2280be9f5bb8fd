"""People and an enterprise for the figures, made through the doors users have."""

from typing import Any

import httpx
from localnet.endpoints import Endpoints
from reference import examples


def token(endpoints: Endpoints, name: str) -> str:
    """An access token of a fresh SME."""
    hub = endpoints.urls[endpoints.hub]
    person = {"username": name, "password": "bench-password-2026", "role": "sme", "home": "hohhot"}
    with httpx.Client(trust_env=False) as client:
        client.post(f"{hub}/v1/users", json=person).raise_for_status()
        form = {"grant_type": "password", "username": name, "password": person["password"]}
        answer = client.post(f"{hub}/oauth/token", data=form)
        answer.raise_for_status()
        return answer.json()["access_token"]


def enterprise(endpoints: Endpoints, bearer: str, number: int = 0) -> str:
    """The id of an example enterprise registered in Hohhot."""
    example = [e for e in examples.example_enterprises() if e["division"].startswith("1501")][number]
    body: dict[str, Any] = {
        "name": example["name"],
        "credit_code": example["credit_code"],
        "division": example["division"],
        "industry": example["industry"],
        "employees": example["employees"],
        "revenue_cents": 2_600_000_000,
    }
    with httpx.Client(trust_env=False) as client:
        answer = client.post(
            f"{endpoints.urls['hohhot']}/v1/enterprises",
            json=body,
            headers={"Authorization": f"Bearer {bearer}"},
        )
        answer.raise_for_status()
        return answer.json()["id"]


def demand(enterprise_id: str) -> dict[str, Any]:
    return {
        "enterprise_id": enterprise_id,
        "title": "需要对一批生鲜乳和酸奶做食品安全检测",
        "text": "我司生产酸奶和奶酪，需要对一批生鲜乳和酸奶做食品安全检测并出具报告，含微生物、兽药残留和理化指标。",
        "category": "technology_quality.testing",
        "budget": {"from_cents": 100_000, "to_cents": 5_000_000},
        "must_haves": ["具备 CMA 资质"],
    }
