"""The hint of a duplicate: an enterprise's own open demands that say nearly the same."""

from uuid import uuid4

TEXT = "每月送检微生物与理化指标，需 CMA 资质。"


async def alike(window, who, enterprise_id, title="乳制品检验检测", text=TEXT):
    body = {"enterprise_id": enterprise_id, "title": title, "text": text}
    answer = await window.post("/v1/demands/similar", who, body)
    return [(one["number"], one["similarity"]) for one in window.made(answer)["items"]]


async def test_before_submitting_one_sees_what_one_asked_already(window):
    who = window.sme()
    enterprise = await window.enterprise(who)
    assert await alike(window, who, enterprise["id"]) == []
    same, near, far = [
        window.made(await window.post("/v1/demands", who, window.draft(enterprise["id"], **other)))
        for other in (
            {},
            {"title": "乳制品检验检测服务", "text": TEXT + "报告三日内出具。"},
            {"title": "新厂房环评", "text": "年产三千吨，需要编制环境影响报告表。"},
        )
    ]
    found = await alike(window, who, enterprise["id"], text="每月送检微生物 与理化指标; 需ＣＭＡ资质")
    assert [number for number, _ in found] == [same["number"], near["number"]]
    assert found[0][1] == 1.0 > found[1][1] >= 0.6
    assert far["number"] not in dict(found)
    # Asking keeps nothing.
    assert len((await window.get("/v1/demands", who)).json()["items"]) == 3


async def test_after_submitting_it_is_the_others(window):
    who = window.sme()
    enterprise = await window.enterprise(who)
    first, second = [
        window.made(await window.post("/v1/demands", who, window.draft(enterprise["id"]))) for _ in range(2)
    ]
    found = (await window.get(f"/v1/demands/{second['id']}/similar", who)).json()["items"]
    assert [(one["demand_id"], one["state"], one["similarity"]) for one in found] == [
        (first["id"], "submitted", 1.0)
    ]
    by_staff = (await window.get(f"/v1/demands/{second['id']}/similar", window.staff())).json()["items"]
    assert by_staff == found


async def test_what_is_over_is_no_duplicate(window):
    who = window.sme()
    enterprise = await window.enterprise(who)
    first = window.made(await window.post("/v1/demands", who, window.draft(enterprise["id"])))
    window.made(await window.post(f"/v1/demands/{first['id']}/withdrawal", who, {"reason": "不需要了"}))
    assert await alike(window, who, enterprise["id"]) == []
    demand, _ = await window.awarded(who)
    assert await alike(window, who, demand["enterprise_id"]) == []


async def test_another_enterprise_is_never_compared(window):
    who, other = window.sme(), window.sme()
    mine, sister, theirs = [await window.enterprise(one) for one in (who, who, other)]
    for owner, enterprise in ((who, sister), (other, theirs)):
        window.made(await window.post("/v1/demands", owner, window.draft(enterprise["id"])))
    assert await alike(window, who, mine["id"]) == []
    assert len(await alike(window, who, sister["id"])) == 1
    body = {"enterprise_id": theirs["id"], "title": "乳制品检验检测", "text": TEXT}
    window.refused(await window.post("/v1/demands/similar", who, body), 404, "not-found")
    foreign = window.staff("baotou")
    window.refused(await window.post("/v1/demands/similar", foreign, body), 403, "role-needed")
    agency = window.token("agency-1", "agency")
    window.refused(await window.post("/v1/demands/similar", agency, body), 403, "role-needed")
    (demand,) = (await window.get("/v1/demands", other)).json()["items"]
    window.refused(await window.get(f"/v1/demands/{demand['id']}/similar", who), 404, "not-found")
    window.refused(await window.get(f"/v1/demands/{uuid4()}/similar", who), 404, "not-found")


async def test_the_newest_fifty_are_compared(window):
    who = window.sme()
    enterprise = await window.enterprise(who)
    drafts = [window.draft(enterprise["id"])] + [
        window.draft(enterprise["id"], title="新厂房环评", text=f"第{n}期，编制环境影响报告表。")
        for n in range(50)
    ]
    for draft in drafts:
        window.made(await window.post("/v1/demands", who, draft))
    assert await alike(window, who, enterprise["id"]) == []
