"""What happens in the story: one function a step. Each says what came of it, or raises Trouble."""

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from typing import Any
from uuid import uuid4

from reference import examples as reference
from reference.examples import Demand

from localnet import examples
from localnet.accounts import open_accounts
from localnet.api import Api, Refused
from localnet.examples import Agency
from localnet.trouble import Trouble

DEADLINE_S = 100.0  # what a killed service had fetched comes again after 30 s, and then after 60
FIRST_POLL_S, LONGEST_POLL_S = 0.02, 0.5
WINNER, LABORATORY, THIRD = "ex-baotou-food-testing", "ex-lab-hohhot-dairy", "ex-ulanqab-testing"
SHOWN = 5
SIZES_ZH = {
    "large": "大型",
    "medium": "中型",
    "small": "小型",
    "micro": "微型",
    "not_applicable": "不划型",
    "incomplete": "信息不全",
}
MILESTONES = ("上门取样", "样品检测完成")
AWARD_REASON = "价格最低，三个工作日出具报告，可上门取样"
Pair = tuple[str, str]


@dataclass(frozen=True)
class Sheet:
    """A small table: heads with both languages, rows of cells."""

    heads: tuple[Pair, ...]
    rows: tuple[tuple[str, ...], ...]


@dataclass(frozen=True)
class Told:
    """What came of a step: the state reached, sentences in both languages, perhaps a table."""

    state: str
    lines: tuple[Pair, ...] = ()
    sheet: Sheet | None = None


@dataclass
class Case:
    """What the story knows so far."""

    api: Api
    run: str = field(default_factory=lambda: uuid4().hex[:12])
    enterprise: dict[str, Any] = field(default_factory=dict)
    demand: dict[str, Any] = field(default_factory=dict)
    match: dict[str, Any] = field(default_factory=dict)
    providers: dict[str, dict[str, Any]] = field(default_factory=dict)
    quotations: dict[str, dict[str, Any]] = field(default_factory=dict)
    engagement: str = ""

    def __post_init__(self) -> None:
        self.owner = examples.enterprise_account(self.api.endpoints.topology)
        self.window = self.owner.home or ""
        self.agencies = {one.owner.username: one for one in examples.agencies(self.api.endpoints.topology)}

    @property
    def path(self) -> str:
        return f"/v1/demands/{self.demand['id']}"

    def where(self, agency: str) -> Agency:
        return self.agencies[agency]

    async def ask(self, path: str, **params: Any) -> Any:
        """Read at the enterprise's window, as the enterprise."""
        return await self.api.get(self.window, path, self.owner.username, **params)

    async def peek(self, node: str, path: str, who: str) -> Any:
        """Read what may not have arrived yet: None until it has."""
        try:
            return await self.api.get(node, path, who)
        except Refused as error:
            if error.status == 404:
                return None
            raise

    async def say(self, act: str, path: str, body: Any = None) -> Any:
        """Act at the enterprise's window, as the enterprise; once, however often it is sent."""
        return await self.api.post(self.window, path, body, who=self.owner.username, key=f"{self.run}-{act}")

    async def agency_says(self, agency: str, act: str, path: str, body: Any = None) -> Any:
        return await self.api.post(
            self.where(agency).node, path, body, who=agency, key=f"{self.run}-{agency}-{act}"
        )


async def until(zh: str, en: str, look: Callable[[], Awaitable[Any]]) -> Any:
    """Look until there is something to see.

    Raises: Trouble at the deadline.
    """
    deadline, pause = time.monotonic() + DEADLINE_S, FIRST_POLL_S
    while not (found := await look()):
        if time.monotonic() > deadline:
            raise Trouble(
                (f"没有等到：{zh}", f"did not come: {en}"),
                (f"应在 {DEADLINE_S:.0f} 秒内发生", f"it happens within {DEADLINE_S:.0f} s"),
                ("hubnet status 与 hubnet logs NODE 查看原因", "see hubnet status and hubnet logs NODE"),
            )
        await asyncio.sleep(pause)
        pause = min(pause * 1.5, LONGEST_POLL_S)
    return found


async def first(items: AsyncIterator[Any], fits: Callable[[Any], bool]) -> Any:
    async for item in items:
        if fits(item):
            return item
    return None


def need(holds: bool, zh: str, en: str) -> None:
    """Raises: Trouble when the network did something else than the story tells."""
    if not holds:
        raise Trouble(
            (f"与预期不符：{zh}", f"not as it should be: {en}"),
            ("故事的每一步都必须成立", "every step of the story must hold"),
            ("hubnet logs NODE 查看原因", "see hubnet logs NODE"),
        )


def yuan(cents: int | None) -> str:
    return "—" if cents is None else f"{cents / 100:,.0f} 元"


def told_demand() -> Demand:
    return next(one for one in reference.example_demands() if one["external_ref"] == examples.DEMAND)


async def register(case: Case) -> Told:
    api, said = case.api, examples.enterprise()
    await open_accounts(api, [case.owner])
    found = await case.ask("/v1/enterprises", credit_code=said["credit_code"])
    known = bool(found["items"])
    if known:
        case.enterprise = found["items"][0]
    else:
        body = {
            "name": said["name"],
            "credit_code": said["credit_code"],
            "division": said["division"],
            "industry": said["industry"],
            "employees": said["employees"],
            "revenue_cents": int(said["revenue_10k_cny"]) * 1_000_000,
            "total_assets_cents": int(said["total_assets_10k_cny"]) * 1_000_000,
            "contact_name": "示例联系人",
            "contact_phone": "0471-5100000",
            "contact_email": "dairy@example.com",
        }
        case.enterprise = await case.say("register", "/v1/enterprises", body)
    one = case.enterprise
    return Told(
        one["size_class"],
        (
            (
                f"{one['name']}，统一社会信用代码 {one['credit_code']} 校验通过" + ("（此前已登记）" if known else ""),
                "credit code checked" + (", registered before" if known else ""),
            ),
            (
                f"划型：{SIZES_ZH[one['size_class']]}。{one['size_reason_zh']}",
                f"size class {one['size_class']}: {one['size_reason_en']}",
            ),
        ),
    )  # fmt: skip


async def submit(case: Case) -> Told:
    said = told_demand()
    needed_by = date.today() + timedelta(days=said["needed_within_days"])
    body = {
        "enterprise_id": case.enterprise["id"],
        "title": said["title"],
        "text": said["text"],
        "category": said["category"],
        "division": said["division"],
        "budget": said["budget"],
        "needed_by": needed_by.isoformat(),
        "must_haves": said["must_haves"],
        "nice_to_haves": said["nice_to_haves"],
        "confidential": said["name_hidden"],
    }
    case.demand = await case.say("submit", "/v1/demands", body)
    number = case.demand["number"]
    budget = said["budget"]
    return Told(
        case.demand["state"],
        (
            (
                f"“{said['title']}”：{said['text']}",
                "raw milk and yoghurt to be tested for food safety: 12 samples, with a CMA report",
            ),
            (
                f"受理编号 {number}，预算 {yuan(budget['from_cents'])}至{yuan(budget['to_cents'])}，{needed_by} 前",
                f"receipt number {number}, needed by {needed_by}",
            ),
        ),
    )


async def matched(case: Case) -> Told:
    providers = [case.where(name) for name in (WINNER, LABORATORY, THIRD)]
    for agency in providers:
        page = await case.api.get(agency.node, "/v1/providers", agency.owner.username)
        need(
            bool(page["items"]),
            f"{agency.provider['name']}未登记",
            f"{agency.owner.username} is not registered",
        )
        case.providers[agency.owner.username] = page["items"][0]

    async def look() -> Any:
        found = await case.ask(f"{case.path}/matches")
        return found if found["outcome"] != "pending" else None

    case.match = await until("对接结果", "the match", look)
    candidates = case.match["candidates"]
    platforms = {candidate["platform"] for candidate in candidates}
    need(len(platforms) > 1, "候选只来自一个平台", "the candidates are of one platform only")
    need(all(c["reason_zh"] for c in candidates), "候选没有理由", "a candidate has no reason")
    best = tuple(
        (
            f"{candidate['rank']}. {candidate['score']:.2f}  {candidate['platform']}  "
            f"{candidate['provider_name']}：{candidate['title']}\n   {candidate['reason_zh']}",
            f"   {candidate['reason_en']}",
        )
        for candidate in candidates[:SHOWN]
    )
    return Told(
        case.match["demand_state"],
        (
            (
                f"{len(candidates)} 项服务，来自 {len(platforms)} 个平台，考察 {case.match['considered']} 项；前 {len(best)} 项：",
                f"{len(candidates)} offerings of {len(platforms)} platforms, {case.match['considered']} considered; "
                f"the best {len(best)}:",
            ),
            *best,
        ),
    )


async def invite(case: Case) -> Told:
    chosen: dict[str, Any] = {}
    for name in (WINNER, LABORATORY, THIRD):
        of = (case.where(name).node, case.providers[name]["id"])
        offering = next(
            (c for c in case.match["candidates"] if (c["platform"], c["provider_id"]) == of), None
        )
        need(
            offering is not None,
            f"候选中没有{case.providers[name]['name']}",
            f"{name} is not among the candidates",
        )
        chosen[name] = offering
    respond_by = datetime.now(UTC) + timedelta(days=3)
    body = {
        "offering_ids": [offering["offering_id"] for offering in chosen.values()],
        "respond_by": respond_by.isoformat(),
    }
    issued = await case.say("invite", f"{case.path}/invitations", body)
    need(len(issued["items"]) == len(chosen), "邀请数量不符", "not as many invitations as were sent")
    network = case.api.endpoints
    return Told(
        "quoting",
        tuple(
            (
                f"{network.node(offering['platform']).zh}：{offering['provider_name']}",
                f"{network.node(offering['platform']).en}",
            )
            for offering in chosen.values()
        ),
    )


async def received(case: Case) -> Told:
    """Every invited agency finds the invitation at its own platform."""

    async def arrives(name: str) -> None:
        async def look() -> Any:
            listed = case.api.all(case.where(name).node, "/v1/quotations", name, state="invited")
            return await first(listed, lambda quotation: quotation["demand_id"] == case.demand["id"])

        found = await until(f"{name} 收到邀请", f"the invitation at {name}", look)
        case.quotations[name] = await case.agency_says(name, "view", f"/v1/quotations/{found['id']}/viewing")

    await asyncio.gather(*(arrives(name) for name in (WINNER, LABORATORY, THIRD)))
    seen = {quotation["state"] for quotation in case.quotations.values()}
    return Told(
        "、".join(sorted(seen)), (("三家机构在各自平台看到邀请", "each agency reads it at its own platform"),)
    )


async def quote(case: Case) -> Told:
    offers = (
        (WINNER, 960_000, 3, "12个样品的菌落总数、兽药残留与黄曲霉毒素M1检测，含上门取样，出具CMA报告。"),
        (LABORATORY, 1_240_000, 6, "12个样品按国家标准全项检测，出具CMA/CNAS报告，样品由企业送达。"),
    )
    valid_until = (date.today() + timedelta(days=30)).isoformat()
    for name, price, days, scope in offers:
        body = {"price_cents": price, "lead_days": days, "valid_until": valid_until, "scope": scope}
        at = f"/v1/quotations/{case.quotations[name]['id']}/submission"
        case.quotations[name] = await case.agency_says(name, "quote", at, body)
    at = f"/v1/quotations/{case.quotations[THIRD]['id']}/declination"
    reason = "近期检测任务已满，无法按期完成"
    case.quotations[THIRD] = await case.agency_says(THIRD, "decline", at, {"reason": reason})
    names = {name: case.providers[name]["name"] for name in case.providers}
    return Told(
        case.quotations[WINNER]["state"],
        (
            *((f"{names[n]}：{yuan(p)}，{d} 天", f"{p / 100:,.0f} yuan, {d} days") for n, p, d, _ in offers),
            (f"{names[THIRD]}谢绝：{reason}", "declines: no capacity"),
        ),
    )


async def compare(case: Case) -> Told:
    async def look() -> Any:
        demand = await case.ask(case.path)
        return demand if demand["state"] == "evaluating" else None

    case.demand = await until("三家的答复", "the three answers", look)
    page = await case.ask(f"{case.path}/quotations")
    standing = [quotation for quotation in page["items"] if quotation["stands"]]
    need(len(standing) == 2, "有效报价应为两份", "there should be two standing quotations")
    rows = tuple(
        (
            quotation["platform"], quotation["provider_name"], yuan(quotation["price_cents"]),
            f"{quotation['lead_days']} 天", "超 over" if quotation["over_budget"] else "内 within",
            "能 yes" if quotation["in_time"] else "不能 no",
        )
        for quotation in standing
    )  # fmt: skip
    heads = (
        ("平台", "platform"), ("机构", "provider"), ("价格", "price"), ("工期", "days"), ("预算", "budget"),
        ("按期", "in time"),
    )  # fmt: skip
    return Told(
        case.demand["state"], (("两家报价，一家谢绝", "two quoted, one declined"),), Sheet(heads, rows)
    )


async def award(case: Case) -> Told:
    due = [(date.today() + timedelta(days=days)).isoformat() for days in (5, 9)]
    body = {
        "quotation_id": case.quotations[WINNER]["id"],
        "reason": AWARD_REASON,
        "milestones": [{"title": title, "due": day} for title, day in zip(MILESTONES, due, strict=True)],
    }
    done = await case.say("award", f"{case.path}/award", body)
    case.engagement = done["engagement_id"]
    demand = await case.ask(case.path)
    return Told(
        demand["state"],
        (
            (f"{done['provider_name']}中选，{yuan(done['price_cents'])}", f"Baotou's agency wins; who loses will be told ({done['told_lost']})"),
            (f"理由：{AWARD_REASON}", "reason: lowest price, three days, samples fetched"),
        ),
    )  # fmt: skip
