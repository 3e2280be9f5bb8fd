"""What a window says in these tests."""

from uuid import uuid4

from common.contracts import demands, offerings, providers

PROVIDER = uuid4()


def provider(**other):
    known = {
        "id": PROVIDER, "version": 1, "name": "示例检测中心", "credit_code": "91150100MA0N0000X1",
        "division": "150100", "state": "active",
    }  # fmt: skip
    return providers.ProviderVerified(**known | other)


def offering(id, version=1, **other):
    known = {
        "id": id, "version": version, "provider_id": PROVIDER, "provider_name": "示例检测中心", "kind": "service",
        "title": "示例检测", "summary": "三日出报告", "category": "testing", "division": "150100",
        "state": "published",
    }  # fmt: skip
    kind = offerings.OfferingRetired if other.get("state") == "retired" else offerings.OfferingPublished
    return kind(**known | other)


def demand(clock, **other):
    known = {
        "id": uuid4(), "version": 1, "number": "HH-2026-000001", "title": "求购检测", "text": "每月十批", "industry": "C",
        "division": "150102", "size_class": "small", "submitted_at": clock(), "changed_at": clock(),
        "state": "submitted",
    }  # fmt: skip
    return demands.DemandSubmitted(**known | other)
