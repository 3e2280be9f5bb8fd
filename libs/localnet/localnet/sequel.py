"""The second half of the story: the work, its acceptance, and what the region's register knows of it."""

from datetime import datetime
from typing import Any

from localnet.api import OPERATOR
from localnet.plot import (
    LABORATORY,
    MILESTONES,
    THIRD,
    WINNER,
    Case,
    Pair,
    Sheet,
    Told,
    need,
    until,
)

# What the register must have heard of before the case counts as whole.
WHOLE = {"demand.submitted.v1", "engagement.created.v1", "quotation.settled.v1", "rating.given.v1"}


async def losers(case: Case) -> Told:
    """Who did not win reads so, with the reason, at its own platform."""

    async def settled(name: str) -> Any:
        async def look() -> Any:
            at = f"/v1/quotations/{case.quotations[name]['id']}"
            found = await case.api.get(case.where(name).node, at, name)
            return found if found["state"] not in ("submitted", "viewed", "invited") else None

        return await until(f"{name} 得知结果", f"the result at {name}", look)

    lost, won, declined = [await settled(name) for name in (LABORATORY, WINNER, THIRD)]
    need(
        lost["state"] == "rejected", f"实验室的报价为 {lost['state']}", f"the laboratory's is {lost['state']}"
    )
    need(bool(lost["state_reason"]), "未中选没有理由", "the loser is told no reason")
    need(won["state"] == "accepted", f"中选报价为 {won['state']}", f"the winner's is {won['state']}")
    return Told(
        lost["state"],
        (
            (f"{lost['provider_name']}：{lost['state']}，{lost['state_reason']}", f"the cluster's laboratory: {lost['state']}, and it knows why"),
            (f"{won['provider_name']}：{won['state']}", f"the winner's quotation is {won['state']}"),
            (f"{declined['provider_name']}：{declined['state']}", "who declined stays so"),
        ),
    )  # fmt: skip


async def _reports(case: Case, act: str, body: dict[str, Any], reached: str) -> dict[str, Any]:
    """Baotou's agency reports at its platform; the enterprise's window reaches the state."""

    async def assigned() -> Any:
        return await case.peek(case.where(WINNER).node, f"/v1/assignments/{case.engagement}", WINNER)

    await until("承接任务", "the assignment", assigned)
    await case.agency_says(WINNER, act, f"/v1/assignments/{case.engagement}/reports", body)

    async def look() -> Any:
        found = await case.ask(f"/v1/engagements/{case.engagement}")
        done = sum(milestone["done_at"] is not None for milestone in found["milestones"])
        return found if found["state"] == reached and done >= body.get("milestone", 0) else None

    return await until(f"窗口状态 {reached}", f"the state {reached} at the window", look)


async def confirm(case: Case) -> Told:
    found = await _reports(
        case, "confirm", {"step": "confirmed", "note": "已安排项目负责人与取样人员"}, "confirmed"
    )
    return Told(
        found["state"], (("包头的机构在本地平台确认承接", "Baotou's agency confirms at its own platform"),)
    )


async def progress(case: Case) -> Told:
    found: dict[str, Any] = {}
    for number, title in enumerate(MILESTONES, 1):
        body = {"step": "milestone", "milestone": number, "note": title}
        found = await _reports(case, f"milestone-{number}", body, "in_progress")
    done: tuple[Pair, ...] = tuple(
        (
            f"里程碑 {m['number']} 完成：{m['title']}",
            f"milestone {m['number']} of {len(found['milestones'])} is done",
        )
        for m in found["milestones"]
    )
    return Told(found["state"], done)


async def deliver(case: Case) -> Told:
    note = "检测报告 12 份已出具，结果均合格。"
    found = await _reports(case, "deliver", {"step": "delivered", "note": note}, "delivered")
    return Told(found["state"], ((f"交付：{note}", "twelve reports are delivered"),))


async def accept(case: Case) -> Told:
    found = await case.say("accept", f"/v1/engagements/{case.engagement}/acceptance")
    return Told(found["state"], (("企业验收通过", "the enterprise accepts"),))


async def rate(case: Case) -> Told:
    body = {"grade": 5, "text": "取样及时，报告规范。"}
    given = await case.say("rate", f"/v1/engagements/{case.engagement}/rating", body)

    async def look() -> Any:
        demand = await case.ask(case.path)
        return demand if demand["state"] in ("rated", "closed") else None

    case.demand = await until("需求关闭", "the demand's end", look)
    stars = "★" * given["grade"]
    return Told(case.demand["state"], ((f"{stars} {given['text']}", f"grade {given['grade']} of 5"),))


async def record(case: Case) -> Told:
    """The hub's register shows the case from its beginning to its end."""

    async def look() -> Any:
        found = await case.peek(case.api.endpoints.hub, f"/v1/cases/{case.demand['id']}", OPERATOR)
        known = {event["type"] for event in found["timeline"]} if found else set[str]()
        return found if known >= WHOLE and found["case"]["state"] == case.demand["state"] else None

    found = await until("枢纽登记的案件", "the case in the hub's register", look)
    events = found["timeline"]
    made = sum(event["type"] == "engagement.created.v1" for event in events)
    need(made == 1, f"应有一份服务合同，实有 {made} 份", f"there should be one engagement, there are {made}")
    began = datetime.fromisoformat(events[0]["at"])
    rows = tuple(
        (
            f"+{(datetime.fromisoformat(event['at']) - began).total_seconds():.2f} s",
            event["source"],
            f"{event['zh']} · {event['en']}",
        )
        for event in events
    )
    heads = (("时间", "time"), ("来源", "source"), ("经过", "what happened"))
    return Told(
        found["case"]["state"],
        (
            (
                f"{found['case']['number']} 归 {found['case']['owner']}，{len(events)} 条经过",
                f"owned by {found['case']['owner']}, {len(events)} events",
            ),
        ),
        Sheet(heads, rows),
    )
