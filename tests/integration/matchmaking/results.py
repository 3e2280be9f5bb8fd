"""What windows and platforms say of cases, and a service of only the slices that learn from it."""

import contextlib
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from uuid import UUID

from common import http, ids
from common.contracts import engagements, invitations, quotations, ratings
from common.contracts.envelope import wrap
from common.contracts.matches import Match
from common.inbox import Raw
from matchmaking.matching import weights
from matchmaking.outcomes import consumers
from matchmaking.rankings import router
from matchmaking.rankings.cases import Case

from tests.integration.platform import running

NOW = datetime(2026, 3, 2, 2, tzinfo=UTC)
# What must not be found in any table.
SECRETS = ("subject-of-sme", "subject-of-agency", "秘密企业", "秘密正文", "987654321", "秘密评价")
INVITED = {
    "issued": invitations.InvitationIssued, "declined": invitations.InvitationAnswered,
    "quoted": invitations.InvitationAnswered, "withdrawn": invitations.InvitationAnswered,
    "expired": invitations.InvitationExpired, "awarded": invitations.InvitationAwarded,
    "lost": invitations.InvitationLost,
}  # fmt: skip
QUOTED = {
    "viewed": quotations.QuotationViewed, "submitted": quotations.QuotationSubmitted,
    "declined": quotations.QuotationDeclined, "withdrawn": quotations.QuotationWithdrawn,
    "expired": quotations.QuotationExpired, "accepted": quotations.QuotationSettled,
    "rejected": quotations.QuotationSettled,
}  # fmt: skip
ENGAGED = {
    "created": engagements.EngagementCreated, "confirmed": engagements.EngagementConfirmed,
    "in_progress": engagements.EngagementProgressed, "delivered": engagements.EngagementDelivered,
    "accepted": engagements.EngagementAccepted, "cancelled": engagements.EngagementCancelled,
    "closed": engagements.EngagementClosed,
}  # fmt: skip


def _ref(noun, name):
    return name if isinstance(name, UUID) else ids.derived(noun, name)


def invitation(
    name="one", state="issued", *, demand="d", provider="p", offering="o", platform="baotou", version=1
):
    summary = {
        "number": "NM-1", "title": "牛奶化验", "text": "秘密正文", "division": "150102", "size_class": "small",
        "enterprise_name": "秘密企业",
    }  # fmt: skip
    return INVITED[state].model_validate(
        {
            "id": ids.derived("invitation", name), "version": version, "demand_id": _ref("demand", demand),
            "demand_window": "hohhot", "platform": platform, "provider_id": _ref("provider", provider),
            "provider_name": "示例机构", "offering_id": _ref("offering", offering), "offering_version": 1,
            "offering_title": "检测", "demand": summary, "respond_by": NOW + timedelta(days=5), "state": state,
            "issued_at": NOW, "enterprise_subject": "subject-of-sme",
        }
    )  # fmt: skip


def quotation(
    name="one", state="submitted", *, after_h=24, provider="p", platform="baotou", version=2, reason=None,
    revision=1, demand="d",
):  # fmt: skip
    return QUOTED[state].model_validate(
        {
            "id": ids.derived("quotation", name), "version": version,
            "invitation_id": ids.derived("invitation", name), "demand_id": _ref("demand", demand),
            "demand_window": "hohhot", "platform": platform, "provider_id": _ref("provider", provider),
            "provider_name": "示例机构", "offering_id": ids.derived("offering", "o"), "offering_version": 1,
            "state": state, "state_reason": reason, "revision": revision, "price_cents": 987654321,
            "scope": "秘密正文", "provider_subject": "subject-of-agency",
            "answered_at": None if after_h is None else NOW + timedelta(hours=after_h),
        }
    )  # fmt: skip


def engagement(
    name="one", state="created", *, provider="p", platform="baotou", version=1, reason=None, demand="d"
):
    return ENGAGED[state].model_validate(
        {
            "id": ids.derived("engagement", name), "version": version, "demand_id": _ref("demand", demand),
            "demand_window": "hohhot", "demand_number": "NM-1", "title": "牛奶化验",
            "enterprise_name": "秘密企业", "invitation_id": ids.derived("invitation", name),
            "quotation_id": ids.derived("quotation", name), "quotation_revision": 1, "platform": platform,
            "provider_id": _ref("provider", provider), "provider_name": "示例机构", "price_cents": 987654321,
            "state": state, "state_reason": reason, "delivery_note": "秘密正文", "created_at": NOW,
            "provider_subject": "subject-of-agency",
        }
    )  # fmt: skip


def rating(name="one", grade=5, *, provider="p", platform="baotou", version=1, demand="d"):
    kind = ratings.RatingGiven if version == 1 else ratings.RatingChanged
    return kind.model_validate(
        {
            "id": ids.derived("rating", name), "version": version,
            "engagement_id": ids.derived("engagement", name), "demand_id": _ref("demand", demand),
            "platform": platform, "provider_id": _ref("provider", provider), "grade": grade,
            "text": "秘密评价", "rated_at": NOW,
        }
    )  # fmt: skip


def said(fact, source=None):
    """A message as the hub passes it on; by default from who owns such a record."""
    owner = fact.platform if isinstance(fact, quotations.Quotation) else "hohhot"
    envelope = wrap(fact, id=ids.new(), source=source or owner, at=NOW)
    return Raw(envelope.model_dump_json().encode(), "hub", str(envelope.id), trusted=True)


def facts_of(case: Case):
    """What windows and platforms say of a case, each record as it ended."""
    told = []
    for shown in case.candidates:
        if not shown.invited:
            continue
        name = f"{case.demand_id}/{shown.rank}"
        of = {"demand": case.demand_id, "provider": shown.provider_id, "platform": shown.platform}
        state = "awarded" if shown.gain >= 3 else "lost" if shown.gain else "declined"
        told.append(invitation(name, state, offering=shown.offering_id, version=3, **of))
        if shown.gain == 2:
            told.append(quotation(name, "rejected", version=3, **of))
        if shown.gain >= 3:
            told.append(engagement(name, "closed", version=5, **of))
            told.append(rating(name, 5 if shown.gain == 4 else 2, **of))
    return told


def result_of(case: Case) -> Match:
    """The result the engine would have made of these judgements."""
    by = weights.current()
    shown = [
        {
            "rank": one.rank, "offering_id": one.offering_id, "offering_version": 1, "platform": one.platform,
            "provider_id": one.provider_id, "provider_name": "示例机构", "title": "检测", "kind": "service",
            "category": "technology_quality.testing", "price": {}, "score": 0.5, "reason_zh": "", "reason_en": "",
            "components": [
                {"name": name, "score": int(value * by.weights[name] * 4096) / 4096}
                for name, value in one.components.items()
            ],
        }
        for one in case.candidates
    ]  # fmt: skip
    return Match.model_validate(
        {
            "id": ids.derived("match", str(case.demand_id)), "version": 1, "demand_id": case.demand_id,
            "demand_version": 1, "outcome": "matched", "engine": "x", "considered": 10, "candidates": shown,
            "versions": {"weights": by.version}, "computed_at": NOW - timedelta(hours=1),
        }
    )  # fmt: skip


class Learner:
    """The platform, what it found for demands, and whose standing it heard of."""

    def __init__(self, here, results, touched):
        self.here, self.results, self.touched = here, results, touched
        self.runtime = here.runtime

    async def hear(self, *facts, source=None):
        messages = [said(fact, source) for fact in facts]
        for start in range(0, len(messages), 200):
            await self.runtime.inbox.deliver(messages[start : start + 200])

    async def knows(self, cases: Sequence[Case]):
        """These cases went through the network."""
        for case in cases:
            self.results[case.owner, case.demand_id] = [result_of(case)]
        await self.hear(*[fact for case in cases for fact in facts_of(case)])

    def tx(self):
        return self.runtime.sessions.begin()

    def caller(self, role, home=None):
        return self.here.caller(f"a-{role}", role, home=home)


@contextlib.asynccontextmanager
async def learning(url, results=None):
    """The service on a database; `results` are what it found, by demand."""
    found, touched = {} if results is None else results, []

    async def touch(_, platform, provider_id):
        touched.append((platform, provider_id))

    async def shown(_, demands):
        return {demand: found[demand] for demand in demands if demand in found}

    def create(settings, clock):
        app = http.build(
            settings,
            title="x",
            summary="x",
            routers=[router.router],
            routes=consumers.routes(touch),
            now=clock,
        )
        app.state.shown = shown
        return app

    async with running(url, "matchmaking", create) as here:
        yield Learner(here, found, touched)
