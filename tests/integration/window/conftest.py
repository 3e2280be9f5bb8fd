"""One window on a real PostgreSQL, its doors driven by HTTP and by envelopes; the clock is ours."""

import asyncio
import os
import time
from collections.abc import AsyncIterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import asyncpg
import httpx
import pytest
from common import ids, migrate
from common.contracts.envelope import Fact, wrap
from common.contracts.matches import Candidate, Component, MatchComputed, NearMiss
from common.contracts.offerings import Price
from common.contracts.progress import ProgressReported
from common.contracts.quotations import (
    QuotationDeclined,
    QuotationExpired,
    QuotationSettled,
    QuotationSubmitted,
    QuotationViewed,
    QuotationWithdrawn,
)
from common.inbox import Raw, Verdict
from common.settings import Settings
from fastapi import FastAPI
from joserfc import jwt
from joserfc.jwk import ECKey
from reference import credit_code
from window.app import create_app

TOPOLOGY = Path(__file__).parents[3] / "deploy/topology.yaml"
PERSON = {
    "contact_name": "娜仁花",
    "contact_phone": "13947112233",
    "contact_email": "narenhua@secret.example",
}


class Watch:
    """A clock that stands until it is moved."""

    def __init__(self) -> None:
        self.at = datetime.now(UTC).replace(microsecond=0)

    def __call__(self) -> datetime:
        return self.at

    def forward(self, **by: float) -> None:
        self.at += timedelta(**by)


class Window:
    """The app, and the words to drive it."""

    def __init__(self, app: FastAPI, key: ECKey, settings: Settings, watch: Watch):
        self.app, self.key, self.settings, self.watch = app, key, settings, watch
        self.http = httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://window")
        self.codes = iter(range(10_000_000))
        self.person = PERSON
        self.made, self.refused = made, refused

    def token(self, subject: str, *roles: str, home: str | None = None, **claims: Any) -> dict[str, str]:
        body = {
            "iss": self.settings.token_issuer, "aud": "hubnet", "sub": subject, "roles": roles,
            "exp": int(time.time()) + 5 * 10**8, **({"home": home} if home else {}), **claims,
        }  # fmt: skip
        coded = jwt.encode({"alg": "ES256", "kid": self.key.kid}, body, self.key)
        return {"Authorization": f"Bearer {coded}", "Accept-Language": "en"}

    def sme(self) -> dict[str, str]:
        return self.token(f"sme-{uuid4()}", "sme")

    def staff(self, home: str = "hohhot") -> dict[str, str]:
        return self.token(f"staff-{home}", "window_staff", home=home)

    async def post(self, path: str, who: dict[str, str], body: Any, **headers: str) -> httpx.Response:
        return await self.http.post(
            path, json=body, headers=who | {k.replace("_", "-"): v for k, v in headers.items()}
        )

    async def get(self, path: str, who: dict[str, str]) -> httpx.Response:
        return await self.http.get(path, headers=who)

    async def patch(self, path: str, who: dict[str, str], body: Any, tag: str | None) -> httpx.Response:
        return await self.http.patch(path, json=body, headers=who | ({"If-Match": tag} if tag else {}))

    def profile(self, **other: Any) -> dict[str, Any]:
        code = credit_code.complete(f"91150100{next(self.codes):09d}")
        return {
            "name": "青城乳品有限公司", "credit_code": code, "division": "150105", "industry": "1441",
            "employees": 46, "revenue_cents": 1_850_000_000, **PERSON, **other,
        }  # fmt: skip

    async def enterprise(self, who: dict[str, str], **other: Any) -> dict[str, Any]:
        return made(await self.post("/v1/enterprises", who, self.profile(**other)))

    def draft(self, enterprise_id: str, **other: Any) -> dict[str, Any]:
        return {
            "enterprise_id": enterprise_id,
            "title": "乳制品检验检测",
            "text": "每月送检微生物与理化指标，需 CMA 资质。",
            "budget": {"from_cents": 1_000_000, "to_cents": 5_000_000},
            "needed_by": str(self.watch.at.date() + timedelta(days=60)),
            "must_haves": ["具备 CMA 资质"],
            **other,
        }

    async def demand(self, who: dict[str, str], **other: Any) -> dict[str, Any]:
        enterprise = await self.enterprise(who)
        return made(await self.post("/v1/demands", who, self.draft(enterprise["id"], **other)))

    async def hear(self, fact: Fact, source: str, *, id: UUID | None = None) -> Verdict:
        envelope = wrap(fact, id=id or ids.new(), source=source, at=self.watch.at, recipient="hohhot")
        raw = Raw(envelope.model_dump_json().encode(), "hub", str(envelope.id), trusted=True)
        return (await self.app.state.runtime.inbox.deliver([raw]))[0]

    def match(
        self, demand: dict[str, Any], *, version: int = 1, candidates: int = 3, **other: Any
    ) -> MatchComputed:
        said = {
            "id": ids.derived("match", demand["id"]), "version": version, "demand_id": demand["id"],
            "demand_version": demand["version"], "outcome": "matched" if candidates else "no_match",
            "engine": "test", "considered": 40, "computed_at": self.watch.at,
            "candidates": tuple(_candidate(n) for n in range(1, candidates + 1)),
            "near_misses": (
                NearMiss(offering_id=uuid4(), platform="baotou", provider_name="差一点公司", title="设备租赁", failed=("service-area",)),
            ),
        }  # fmt: skip
        return MatchComputed.model_validate(said | other)

    async def invited(
        self, who: dict[str, str], count: int = 3, **candidate: Any
    ) -> tuple[dict[str, Any], list[dict[str, Any]]]:
        """A demand that has been matched and its invitations, one for each provider."""
        demand = await self.demand(who)
        match = self.match(demand, candidates=count)
        if candidate:
            ours = tuple(c.model_copy(update=candidate) for c in match.candidates)
            match = match.model_copy(update={"candidates": ours})
        assert await self.hear(match, "matchmaking") is Verdict.DONE
        body = {
            "offering_ids": [str(c.offering_id) for c in match.candidates],
            "respond_by": (self.watch.at + timedelta(days=7)).isoformat(),
        }
        return demand, made(await self.post(f"/v1/demands/{demand['id']}/invitations", who, body))["items"]

    def quotation(self, kind: type[Fact], invitation: dict[str, Any], **other: Any) -> Any:
        said = {
            "id": ids.derived("quotation", invitation["id"]), "version": 2, "invitation_id": invitation["id"],
            "demand_window": "hohhot", "state": STATES[kind], "revision": 1, "answered_at": self.watch.at,
            "price_cents": 3_000_000, "lead_days": 20, "valid_until": date(2099, 1, 1), "scope": "全项检测",
        }  # fmt: skip
        return kind.model_validate(
            {k: v for k, v in invitation.items() if k in kind.model_fields} | said | other
        )

    async def quote(self, invitation: dict[str, Any], **other: Any) -> Any:
        fact = self.quotation(QuotationSubmitted, invitation, **other)
        assert await self.hear(fact, invitation["platform"]) is Verdict.DONE
        return fact

    async def awarded(self, who: dict[str, str], **award: Any) -> tuple[dict[str, Any], dict[str, Any]]:
        """A demand and the engagement of its award."""
        demand, (first, *_) = await self.invited(who)
        quotation = await self.quote(first)
        body = {"quotation_id": str(quotation.id), "reason": "价格最低", **award}
        answer = made(await self.post(f"/v1/demands/{demand['id']}/award", who, body))
        found = await self.get(f"/v1/engagements/{answer['engagement_id']}", who)
        return demand, found.json()

    async def report(
        self, engagement: dict[str, Any], step: str, source: str | None = None, **other: Any
    ) -> Verdict:
        said = {
            "id": ids.new(), "version": 1, "engagement_id": engagement["id"], "demand_id": engagement["demand_id"],
            "demand_window": "hohhot", "provider_id": engagement["provider_id"], "step": step,
            "reported_at": self.watch.at,
        }  # fmt: skip
        return await self.hear(
            ProgressReported.model_validate(said | other), source or engagement["platform"]
        )

    async def hear_ourselves(self) -> None:
        """Deliver what the window owes to itself, as its sequencer does, until nothing is left."""
        while rows := await self.rows(
            "SELECT id, envelope FROM outbox WHERE feed = 'self' AND sent_at IS NULL ORDER BY id"
        ):
            for row in rows:
                raw = Raw(row["envelope"].encode(), "hohhot", f"self-{row['id']}")
                await self.app.state.runtime.inbox.deliver([raw])
            done = [row["id"] for row in rows]
            await self.rows("UPDATE outbox SET sent_at = now() WHERE id = ANY($1::bigint[])", done)

    async def state(self, demand: dict[str, Any], who: dict[str, str]) -> str:
        return (await self.get(f"/v1/demands/{demand['id']}", who)).json()["state"]

    async def rows(self, query: str, *values: Any) -> list[asyncpg.Record]:
        connection = await asyncpg.connect(self.settings.database_url)
        try:
            return await connection.fetch(query, *values)
        finally:
            await connection.close()

    async def told(self, case: str) -> list[tuple[str, str | None]]:
        """What was said of a case to the hub: type and recipient, in order."""
        rows = await self.rows(
            "SELECT type, envelope::jsonb->>'recipient' AS recipient FROM outbox WHERE feed = 'hub'"
            " AND envelope::jsonb->>'correlationid' = $1 ORDER BY id",
            case,
        )
        return [(row["type"], row["recipient"]) for row in rows]

    async def parked(self) -> list[str]:
        return [
            row["reason"] for row in await self.rows("SELECT reason FROM dead_letters ORDER BY received_at")
        ]


STATES = {
    QuotationSubmitted: "submitted", QuotationDeclined: "declined", QuotationViewed: "viewed",
    QuotationWithdrawn: "withdrawn", QuotationExpired: "expired", QuotationSettled: "relapsed",
}  # fmt: skip
PLATFORMS = ("hohhot", "baotou", "baotou-rare-earth")


def _candidate(n: int) -> Candidate:
    return Candidate(
        rank=n, offering_id=uuid4(), offering_version=1, platform=PLATFORMS[(n - 1) % 3], provider_id=uuid4(),
        provider_name=f"检测机构{n}", title="食品检验", kind="service", category="inspection_testing",
        price=Price(from_cents=1, to_cents=2), score=0.9 - n / 20, matched_words=("检验",),
        components=(Component(name="words", score=0.9 - n / 20),), reason_zh="词语相符", reason_en="words fit",
    )  # fmt: skip


def made(answer: httpx.Response) -> Any:
    assert answer.status_code in (200, 201), answer.text
    return answer.json()


def refused(answer: httpx.Response, status: int, code: str, field: str | None = None) -> dict[str, Any]:
    problem = answer.json()
    assert (answer.status_code, problem["code"], problem.get("field")) == (status, code, field), answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    return problem


@pytest.fixture(scope="session")
async def window() -> AsyncIterator[Window]:
    server = os.environ["HUBNET_TEST_POSTGRES_URL"]
    name = f"dev_window_{uuid4().hex[:12]}"
    admin = await asyncpg.connect(server)
    await admin.execute(f'CREATE DATABASE "{name}"')
    url = server.rsplit("/", 1)[0] + f"/{name}"
    try:
        await asyncio.to_thread(migrate.upgrade, url, migrate.PACKAGES["window"])
        settings = Settings(
            node="hohhot", topology=TOPOLOGY, database_url=url, calls_per_minute=1_000_000, pool_overflow=20
        )
        watch = Watch()
        app = create_app(settings, now=watch)
        key = ECKey.generate_key("P-256", {"kid": "test", "use": "sig", "alg": "ES256"})

        async def keys() -> dict[str, Any]:
            return {"keys": [key.as_dict(private=False)]}

        app.state.runtime.verifier.fetch = keys
        built = Window(app, key, settings, watch)
        yield built
        await built.http.aclose()
        await app.state.runtime.engine.dispose()
    finally:
        await admin.execute(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')
        await admin.close()
