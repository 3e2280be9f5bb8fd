"""Deadlines are enforced by the clock, each once (S11)."""

import asyncio
from datetime import timedelta

import pytest
from common.auth import Principal
from common.contracts.quotations import QuotationDeclined, QuotationExpired, QuotationSubmitted
from window import jobs
from window.invitations import service


@pytest.fixture
def later(window):
    """Lets time pass, and turns the clock back at the end."""
    before = window.watch.at
    yield window.watch.forward
    window.watch.at = before


def run(window):
    return jobs.expire_invitations(window.app.state.runtime)


async def states(window, demand, who):
    found = (await window.get(f"/v1/demands/{demand['id']}/invitations", who)).json()["items"]
    return [invitation["state"] for invitation in found]


async def expiries(window, demand):
    return [one for one in await window.told(demand["id"]) if one[0] == "invitation.expired.v1"]


async def test_what_nobody_answered_expires_after_the_deadline_and_not_at_it(window, later):
    who = window.sme()
    demand, (first, *_) = await window.invited(who)
    await window.quote(first)
    later(days=7)
    await run(window)
    assert await states(window, demand, who) == ["quoted", "issued", "issued"]
    later(seconds=1)
    await run(window)
    assert await states(window, demand, who) == ["quoted", "expired", "expired"]
    assert await window.state(demand, who) == "evaluating"
    assert await expiries(window, demand) == [
        ("invitation.expired.v1", "baotou"),
        ("invitation.expired.v1", "baotou-rare-earth"),
    ]
    assert (await window.told(demand["id"]))[-1] == ("demand.evaluated.v1", None)


async def test_where_nobody_answered_there_is_no_quotation(window, later):
    who = window.sme()
    demand, _ = await window.invited(who)
    later(days=8)
    await run(window)
    assert await window.state(demand, who) == "no_quotation"


async def test_two_runs_at_once_expire_once(window, later):
    who = window.sme()
    cases = [await window.invited(who) for _ in range(4)]
    later(days=8)
    await asyncio.gather(*(run(window) for _ in range(6)))
    for demand, _ in cases:
        assert len(await expiries(window, demand)) == 3
        evaluated = [one for one in await window.told(demand["id"]) if one[0] == "demand.evaluated.v1"]
        assert len(evaluated) == 1
    await run(window)
    assert len(await expiries(window, cases[0][0])) == 3


async def test_a_demand_somebody_works_on_is_left_for_the_next_run(window, later):
    who = window.sme()
    busy, _ = await window.invited(who)
    idle, _ = await window.invited(who)
    later(days=8)
    system = Principal.system("hohhot")
    runtime = window.app.state.runtime
    async with runtime.transaction() as tx:
        await service.demands.get(tx, system, busy["id"], lock=True)
        async with asyncio.timeout(5):
            await run(window)
        assert await states(window, busy, who) == ["issued"] * 3
        assert await states(window, idle, who) == ["expired"] * 3
    await run(window)
    assert await states(window, busy, who) == ["expired"] * 3


async def test_an_offer_made_in_time_that_arrives_late_still_counts(window, later):
    who, began = window.sme(), window.watch.at
    demand, (only,) = await window.invited(who, 1)
    later(days=8)
    await run(window)
    assert await window.state(demand, who) == "no_quotation"
    late = window.quotation(QuotationSubmitted, only, answered_at=began + timedelta(days=7, seconds=1))
    assert await window.hear(late, only["platform"]) == "parked"
    await window.quote(only, answered_at=began + timedelta(days=7))
    assert await states(window, demand, who) == ["quoted"]
    assert await window.state(demand, who) == "evaluating"


async def test_the_platforms_echo_changes_nothing(window, later):
    who = window.sme()
    demand, (first, second) = await window.invited(who, 2)
    later(days=8)
    await run(window)
    said = await window.told(demand["id"])
    empty = {"price_cents": None, "lead_days": None, "valid_until": None, "revision": 0}
    await window.hear(window.quotation(QuotationExpired, first, **empty), first["platform"])
    await window.hear(window.quotation(QuotationDeclined, second, **empty), second["platform"])
    assert await states(window, demand, who) == ["expired", "expired"]
    assert await window.told(demand["id"]) == said


async def test_an_awarded_or_withdrawn_demand_expires_nothing(window, later):
    who = window.sme()
    awarded, _ = await window.awarded(who)
    withdrawn, _ = await window.invited(who)
    window.made(await window.post(f"/v1/demands/{withdrawn['id']}/withdrawal", who, {"reason": "取消"}))
    later(days=8)
    await run(window)
    for demand in (awarded, withdrawn):
        assert await expiries(window, demand) == []


async def test_the_job_is_among_the_windows_jobs(window):
    running = {job.__name__ for job in window.app.state.runtime._jobs}
    assert {"expire_invitations", "restore_due"} <= running
