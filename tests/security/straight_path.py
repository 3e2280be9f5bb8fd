"""One demand won, done and rated, through all four services, with people who can be told apart anywhere.

The bus is a loop here: what one owes is what the other hears.
"""

from datetime import timedelta
from typing import Any, NamedTuple
from uuid import uuid4

from common.inbox import Raw, Verdict
from reference import credit_code

from tests.security.platforms import Platform

Network = dict[str, Platform]


class Person(NamedTuple):
    """What is personal about somebody; found anywhere it does not belong, it names the leak."""

    name: str
    phone: str
    email: str
    identity: str

    def contact(self) -> dict[str, str]:
        return {
            "contact_name": f"{self.name} {self.identity}", "contact_phone": self.phone,
            "contact_email": self.email,
        }  # fmt: skip

    def laboratory(self) -> dict[str, str]:
        return {
            "contact_person": f"{self.name} {self.identity}", "contact_number": self.phone, "email": self.email,
        }  # fmt: skip


OWNER = Person("敖登格日勒", "13948017731", "aodeng.gerile@secret.example", "150102198507317731")
AGENT = Person("宝音德力格尔", "13948027732", "baoyin@secret.example", "150202198607327732")
SCIENTIST = Person("萨仁图雅", "13948037733", "saren.tuya@secret.example", "150203198707337733")
KEEPER = Person("斯琴高娃", "13948047734", "siqin@secret.example", "150204198807347734")
PEOPLE = (OWNER, AGENT, SCIENTIST, KEEPER)
SERVICE = {
    "kind": "service", "title": "乳制品微生物与理化检测", "summary": "乳制品检验检测，微生物与理化指标，出具报告。",
    "category": "technology_quality.testing", "lead_days": 5, "service_area": [],
    "price": {"from_cents": 80_000, "to_cents": 300_000, "unit": "sample"},
}  # fmt: skip


async def carry(network: Network) -> None:
    """Pass on what is owed until nobody owes anything."""
    by_node = {platform.node: platform for platform in network.values()}
    moved = True
    while moved:
        moved = False
        for platform in network.values():
            owed = await platform.rows(
                "SELECT id, feed, envelope FROM outbox WHERE sent_at IS NULL ORDER BY id"
            )
            for row in owed:
                receiver = platform if row["feed"] == "self" else by_node.get(row["feed"])
                if receiver is not None:
                    trusted = platform.kind == "hub"
                    raw = Raw(
                        row["envelope"].encode(), platform.node, f"{platform.node}:{row['id']}", trusted
                    )
                    (verdict,) = await receiver.runtime.inbox.deliver([raw])
                    assert verdict is not Verdict.AGAIN, row["envelope"]
            await platform.rows(
                "UPDATE outbox SET sent_at = now() WHERE id = ANY($1::bigint[])", [r["id"] for r in owed]
            )
            moved = moved or bool(owed)


class Case(NamedTuple):
    """Who took part, and the ids of what they made: (kind of service, noun) → id."""

    sme: dict[str, str]
    agent: dict[str, str]
    scientist: dict[str, str]
    ids: dict[tuple[str, str], str]


async def provider(platform: Platform, who: dict[str, str], person: Person, number: int) -> str:
    body = {
        "name": f"示例检测机构{number}", "credit_code": credit_code.complete(f"91150203{number:09d}"),
        "division": "150203", "categories": ["technology_quality.testing"], **person.contact(),
    }  # fmt: skip
    made = await platform.post("/v1/providers", who, body, **{"Idempotency-Key": str(uuid4())})
    staff = platform.who("duty", "window_staff", "cluster_staff", home=platform.node)
    await platform.post(f"/v1/providers/{made['id']}/verification", staff, {"decision": "approve"})
    return made["id"]


async def offering(platform: Platform, who: dict[str, str], provider_id: str, **other: Any) -> str:
    body = SERVICE | {"provider_id": provider_id, "division": "150203"} | other
    made = await platform.post("/v1/offerings", who, body)
    staff = platform.who("duty", "window_staff", "cluster_staff", home=platform.node)
    await platform.post(f"/v1/offerings/{made['id']}/review", staff, {"decision": "publish"})
    return made["id"]


async def booked(platform: Platform, who: dict[str, str], provider_id: str, customer: dict[str, str]) -> Any:
    example = next(o.example for o in platform.operations if o.name == "POST /v1/resources")
    form = example | {"provider_id": provider_id} | KEEPER.laboratory()
    resource = await platform.post("/v1/resources", who, form)
    staff = platform.who("duty", "cluster_staff", home=platform.node)
    await platform.post(f"/v1/resources/{resource['id']}/review", staff, {"decision": "publish"})
    day = platform.runtime.clock() + timedelta(days=14)
    day += timedelta(days=-day.weekday())  # a Monday
    span = {
        name: day.strftime("%Y-%m-%d") + f"T{hour}:00:00+08:00"
        for name, hour in (("starts_at", "09"), ("ends_at", "11"))
    }
    made = await platform.post(
        f"/v1/resources/{resource['id']}/bookings", customer, {"purpose": "观察", **span}
    )
    return resource["id"], made["id"]


async def played(network: Network) -> Case:
    """The path from registration to rating."""
    window, cluster = network["window"], network["cluster"]
    sme, agent, scientist = (
        window.who(str(uuid4()), "sme"),
        window.who(str(uuid4()), "agency"),
        cluster.who(str(uuid4()), "agency"),
    )
    ids: dict[tuple[str, str], str] = {}
    ids["window", "providers"] = await provider(window, agent, AGENT, 810_001)
    ids["window", "offerings"] = await offering(window, agent, ids["window", "providers"])
    ids["cluster", "providers"] = await provider(cluster, scientist, SCIENTIST, 810_002)
    ids["cluster", "offerings"] = await offering(cluster, scientist, ids["cluster", "providers"])
    ids["cluster", "resources"], ids["cluster", "bookings"] = await booked(
        cluster, scientist, ids["cluster", "providers"], cluster.who(str(uuid4()), "sme")
    )
    await carry(network)
    company = {
        "name": "青城示例乳业有限公司", "credit_code": credit_code.complete("91150105000810003"), "division": "150105",
        "industry": "1441", "employees": 46, "revenue_cents": 1_850_000_000, **OWNER.contact(),
    }  # fmt: skip
    enterprise = await window.post("/v1/enterprises", sme, company, **{"Idempotency-Key": str(uuid4())})
    ids["window", "enterprises"] = enterprise["id"]
    wish = {
        "enterprise_id": enterprise["id"], "title": "乳制品检验检测", "text": "每月送检乳制品，微生物与理化指标检测并出具报告。",
        "needed_by": str((window.runtime.clock() + timedelta(days=60)).date()),
    }  # fmt: skip
    demand = await window.post("/v1/demands", sme, wish, **{"Idempotency-Key": str(uuid4())})
    ids["window", "demands"] = here = demand["id"]
    await carry(network)
    found = (await window.get(f"/v1/demands/{here}/matches", sme))["candidates"]
    ours = {ids["window", "offerings"], ids["cluster", "offerings"]}
    chosen = [c["offering_id"] for c in found if c["offering_id"] in ours]
    assert len(chosen) == 2, found
    respond_by = (window.runtime.clock() + timedelta(days=7)).isoformat()
    await window.post(
        f"/v1/demands/{here}/invitations", sme, {"offering_ids": chosen, "respond_by": respond_by}
    )
    await carry(network)
    offer = {"lead_days": 5, "valid_until": "2099-12-31", "scope": "全项检测"}
    for platform, who, price in ((window, agent, 260_000), (cluster, scientist, 290_000)):
        (asked,) = (await platform.get("/v1/quotations", who))["items"]
        ids[platform.kind, "quotations"] = asked["id"]
        await platform.post(f"/v1/quotations/{asked['id']}/submission", who, offer | {"price_cents": price})
    await carry(network)
    award = {"quotation_id": ids["window", "quotations"], "reason": "价格最低"}
    won = await window.post(f"/v1/demands/{here}/award", sme, award)
    ids["window", "engagements"] = ids["window", "assignments"] = won["engagement_id"]
    await carry(network)
    for step in ("confirmed", "delivered"):
        await window.post(f"/v1/assignments/{won['engagement_id']}/reports", agent, {"step": step})
        await carry(network)
    await window.post(f"/v1/engagements/{won['engagement_id']}/acceptance", sme, {})
    await window.post(f"/v1/engagements/{won['engagement_id']}/rating", sme, {"grade": 5, "text": "很好"})
    await carry(network)
    assert (await window.get(f"/v1/demands/{here}", sme))["state"] == "closed"
    return Case(sme, agent, scientist, ids)
