"""The rest of the network as matchmaking hears it: real envelopes into its inbox; and who calls it."""

import json
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from common import ids
from common.contracts import demands, offerings, providers, ratings
from common.contracts.envelope import Fact, wrap
from common.contracts.matches import MatchComputed
from common.inbox import Raw, Verdict
from fastapi import FastAPI
from matchmaking.embeddings.consumers import Embed
from sqlalchemy import text

from tests.integration.platform import KEY, Platform

NOW = datetime(2026, 3, 2, 2, tzinfo=UTC)


def raw(fact: Fact, source: str, id: UUID | None = None) -> Raw:
    envelope = wrap(fact, id=id or ids.new(), source=source, at=NOW)
    return Raw(envelope.model_dump_json().encode(), "hub", str(envelope.id), trusted=True)


def provider(name: str = "example", **changes: Any) -> providers.ProviderVerified:
    given = {
        "id": ids.derived("provider", name), "version": 1, "name": "示例检测公司",
        "credit_code": "91150100MA0EXAMPL1", "division": "150105", "state": "active",
    } | changes  # fmt: skip
    return providers.ProviderVerified.model_validate(given)


def offering(name: str = "milk", by: str = "example", **changes: Any) -> offerings.OfferingPublished:
    given = {
        "id": ids.derived("offering", name), "version": 1, "provider_id": ids.derived("provider", by),
        "provider_name": "示例检测公司", "kind": "service", "title": "牛奶与乳制品检测",
        "summary": "蛋白质、菌落总数、抗生素残留化验", "category": "technology_quality.testing",
        "division": "150105", "price": {"from_cents": 20_000, "to_cents": 50_000, "unit": "sample"},
        "lead_days": 3, "state": "published",
    } | changes  # fmt: skip
    return offerings.OfferingPublished.model_validate(given)


def demand(name: str = "milk", kind: type[demands.Demand] = demands.DemandSubmitted, **changes: Any) -> Any:
    given = {
        "id": ids.derived("demand", name), "version": 1, "number": "NM-1", "title": "牛奶化验",
        "text": "想找人化验牛奶的蛋白质和菌落", "industry": "C", "division": "150102", "size_class": "small",
        "state": "submitted", "submitted_at": NOW, "changed_at": NOW,
    } | changes  # fmt: skip
    return kind.model_validate(given)


def rating(number: int, grade: int, by: str = "example", **changes: Any) -> ratings.RatingGiven:
    given = {
        "id": ids.derived("rating", str(number)), "version": 1, "engagement_id": ids.new(),
        "demand_id": ids.new(), "platform": "baotou", "provider_id": ids.derived("provider", by),
        "grade": grade, "rated_at": NOW,
    } | changes  # fmt: skip
    return ratings.RatingGiven.model_validate(given)


class Clock:
    """The service's clock; tests move it."""

    def __init__(self, at: datetime = NOW):
        self.at = at

    def __call__(self) -> datetime:
        return self.at


class Network:
    """Says things to one process of the service and reads what it answers."""

    def __init__(self, app: FastAPI, clock: Clock):
        self.app, self.clock = app, clock
        self.runtime = app.state.runtime
        self.matchmaker = app.state.matchmaker
        self.runtime.verifier.fetch = self._keys
        self._platform = Platform(app, clock, self.runtime.settings.node)

    async def _keys(self) -> dict[str, Any]:
        return {"keys": [KEY.as_dict(private=False)]}

    async def close(self) -> None:
        for client in self._platform._clients:
            await client.aclose()
        await self.matchmaker.embeddings.close()
        await self.runtime.engine.dispose()

    async def get(self, path: str, role: str = "operator", home: str | None = None, **params: Any) -> Any:
        caller = self._platform.caller(f"a-{role}", role, home=home)
        return await caller.get(path, params=params)

    async def say(self, *facts: Fact, source: str = "baotou") -> list[Verdict]:
        return await self.deliver([raw(fact, source) for fact in facts])

    async def deliver(self, batch: Sequence[Raw]) -> list[Verdict]:
        return await self.runtime.inbox.deliver(batch)

    async def read(self) -> None:
        """What the background does, at once: read everything for its meaning, and take it over."""
        await Embed(self.matchmaker.embeddings)(self.runtime)
        async with self.runtime.transaction() as tx:
            await self.matchmaker.catalogue.refresh(tx)
            await self.matchmaker.catalogue.learn(tx)
            await self.matchmaker.demands.refresh(tx)
            await self.matchmaker.demands.read(tx, 1_000)
        index = self.matchmaker.catalogue.index
        assert index.read == (0 if self.matchmaker.embeddings.state == "off" else index.count)

    async def rows(self, statement: str, **values: Any) -> list[dict[str, Any]]:
        async with self.runtime.sessions() as tx:
            return [dict(row) for row in (await tx.execute(text(statement), values)).mappings()]

    async def answers(self) -> list[tuple[str, MatchComputed]]:
        """Every match sent, with its recipient."""
        found = await self.rows("SELECT envelope FROM outbox WHERE type = 'match.computed.v1' ORDER BY id")
        envelopes = [json.loads(row["envelope"]) for row in found]
        return [(e["recipient"], MatchComputed.model_validate(e["data"])) for e in envelopes]

    async def match(self) -> MatchComputed:
        """The last match sent."""
        return (await self.answers())[-1][1]
