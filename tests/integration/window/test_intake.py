"""Calls that share a transaction: each gets its own answer, and none suffers for another."""

import asyncio
import json
from uuid import uuid4

import pytest
from common.errors import Invalid, Unavailable
from common.intake import Intake
from common.tables import MemoRow
from fastapi import Response
from pydantic import BaseModel
from sqlalchemy import insert


class Answer(BaseModel):
    said: str
    epoch: int = 1
    version: int = 1


def asking(intake, wish, caller="x", key=None, request_hash=b"1"):
    return intake(wish, caller=caller, key=key, request_hash=request_hash, shown=lambda v: Answer(said=v))


async def many(intake, *wishes):
    return await asyncio.gather(*(asking(intake, wish) for wish in wishes), return_exceptions=True)


def said(answers):
    return [json.loads(a.body)["said"] if isinstance(a, Response) else type(a).__name__ for a in answers]


@pytest.fixture
def desk(window):
    """An intake whose work stores a row for each wish, refuses `no` and breaks on `break`; what it was given."""
    given = []

    async def work(tx, wishes):
        given.append(list(wishes))
        await tx.execute(insert(MemoRow), [{"key": f"{uuid4()}-{wish}", "value": {}} for wish in wishes])
        if "break" in wishes:
            raise RuntimeError("unforeseen")
        if "away" in wishes:
            raise Unavailable("database-away", zh="", en="")
        return [Invalid("refused", zh="", en="") if wish == "no" else f"{wish}!" for wish in wishes]

    runtime = window.app.state.runtime
    return Intake(runtime.sessions, runtime.wake, work), given


async def test_who_comes_while_one_is_served_is_served_together(desk):
    intake, given = desk
    assert said(await many(intake, *"abcde")) == ["a!", "b!", "c!", "d!", "e!"]
    assert sorted(map(len, given)) == [5] or given[0] == ["a"]
    assert [wish for batch in given for wish in batch] == list("abcde")


async def test_a_refusal_is_for_its_own_caller(desk):
    intake, _ = desk
    assert said(await many(intake, "a", "no", "b")) == ["a!", "Invalid", "b!"]


async def test_what_breaks_is_found_one_by_one_and_leaves_nothing(desk, window):
    intake, _ = desk
    assert said(await many(intake, "whole-a", "break", "whole-b")) == ["whole-a!", "RuntimeError", "whole-b!"]
    kept = await window.rows("SELECT key FROM memos WHERE key LIKE '%-whole-_' OR key LIKE '%-break'")
    assert sorted(row["key"][-1] for row in kept) == ["a", "b"]
    assert said(await many(intake, "after")) == ["after!"]


async def test_a_database_that_is_away_is_asked_once_for_all(desk):
    intake, given = desk
    assert said(await many(intake, "a", "away", "b")) == ["Unavailable"] * 3
    assert len(given) == 1


async def test_a_caller_who_has_gone_holds_nobody(desk):
    intake, _ = desk
    leaving = asyncio.create_task(asking(intake, "gone"))
    staying = asyncio.create_task(asking(intake, "here"))
    await asyncio.sleep(0)
    leaving.cancel()
    assert said([await staying]) == ["here!"]


async def test_no_more_than_sixty_four_share_a_transaction(desk):
    intake, given = desk
    assert len(await many(intake, *map(str, range(150)))) == 150
    assert max(map(len, given)) == 64


async def test_a_key_answers_again_also_within_one_batch(desk):
    intake, given = desk
    caller = str(uuid4())
    calls = [asking(intake, wish, caller=caller, key="k") for wish in ("a", "a", "a")]
    first, *again = await asyncio.gather(*calls)
    assert said([first]) == ["a!"]
    assert [(r.body, r.headers["idempotency-replayed"]) for r in again] == [(first.body, "true")] * 2
    assert [wish for batch in given for wish in batch] == ["a"]
    other = asking(intake, "b", caller=caller, key="k", request_hash=b"2")
    with pytest.raises(Invalid):
        await other
    assert said([await asking(intake, "b", caller=str(uuid4()), key="k", request_hash=b"2")]) == ["b!"]


async def test_a_refused_wish_may_be_mended_under_the_same_key(desk):
    intake, _ = desk
    caller = str(uuid4())
    with pytest.raises(Invalid):
        await asking(intake, "no", caller=caller, key="k")
    assert said([await asking(intake, "yes", caller=caller, key="k", request_hash=b"2")]) == ["yes!"]


async def test_submissions_of_different_callers_stay_apart(window):
    first, second = window.sme(), window.sme()
    own, foreign = await window.enterprise(first), await window.enterprise(second)
    bodies = [
        (first, window.draft(own["id"])), (first, window.draft(foreign["id"])),
        (second, window.draft(foreign["id"])), (second, window.draft(own["id"])),
        (first, window.draft(own["id"], category="magic")), (first, window.draft(str(uuid4()))),
    ]  # fmt: skip
    answers = await asyncio.gather(*(window.post("/v1/demands", who, body) for who, body in bodies))
    assert [answer.status_code for answer in answers] == [201, 404, 201, 404, 422, 404]
    assert [a.json()["enterprise_id"] for a in answers if a.status_code == 201] == [own["id"], foreign["id"]]
    for who, enterprise in ((first, own), (second, foreign)):
        items = (await window.get("/v1/demands", who)).json()["items"]
        assert [item["enterprise_id"] for item in items] == [enterprise["id"]]


async def test_each_fact_carries_the_trace_of_its_own_call(window):
    who = window.sme()
    enterprise = await window.enterprise(who)
    traces = [f"00-{n:032x}-{n:016x}-01" for n in range(1, 6)]
    answers = await asyncio.gather(
        *(window.post("/v1/demands", who, window.draft(enterprise["id"]), traceparent=t) for t in traces)
    )
    for answer, trace in zip(answers, traces, strict=True):
        (row,) = await window.rows(
            "SELECT envelope::jsonb->>'traceparent' AS trace FROM outbox WHERE entity = $1",
            answer.json()["id"],
        )
        assert row["trace"] == trace
