import asyncio
import itertools
from datetime import UTC, datetime

import pytest
from cluster import jobs

SLOT = {
    "starts_at": "2026-11-24T09:00:00+08:00",
    "ends_at": "2026-11-24T11:00:00+08:00",
    "purpose": "形貌观察",
}


def slot(start, end, day="2026-11-24"):
    return SLOT | {"starts_at": f"{day}T{start}:00+08:00", "ends_at": f"{day}T{end}:00+08:00"}


async def book(caller, resource, body=SLOT):
    return await caller.post(f"/v1/resources/{resource['id']}/bookings", json=body)


async def test_held_confirmed_completed(platform, lab, sme, resource):
    made = await book(sme, resource)
    assert made.status_code == 201, made.text
    assert (made.json()["state"], made.json()["mine"]) == ("held", True)
    url = f"/v1/bookings/{made.json()['id']}"
    assert (await lab.get(url)).json()["mine"] is False
    assert (await sme.post(f"{url}/confirmation")).status_code == 403
    assert (await lab.post(f"{url}/completion", json={"machine_hours": 1})).json()["code"] == "booking-state"
    assert (await lab.post(f"{url}/confirmation")).json()["state"] == "confirmed"
    assert (await lab.post(f"{url}/confirmation")).json()["code"] == "booking-state"
    assert (await lab.post(f"{url}/completion", json={"machine_hours": 1})).json()["code"] == "not-begun"
    platform.clock.forward(days=1, hours=2)
    assert (await lab.post(f"{url}/completion", json={"machine_hours": 2.1})).json()[
        "code"
    ] == "machine-hours"
    assert (await lab.post(f"{url}/completion", json={"machine_hours": -1})).status_code == 422
    done = (await lab.post(f"{url}/completion", json={"machine_hours": 1.33})).json()
    assert (done["state"], done["machine_hours"], done["fee_cents"]) == ("completed", 1.33, 53200)
    said = await platform.said("booking.%")
    assert [e["type"].split(".")[1] for e in said] == ["held", "confirmed", "completed"]
    for secret in ("sme-1", "lab-1", "形貌观察"):
        assert secret not in str(said)


async def test_fifty_at_once_on_one_slot_and_one_has_it(platform, resource):
    callers = [platform.caller(f"sme-{n}", "sme") for n in range(50)]
    answers = await asyncio.gather(*(book(caller, resource) for caller in callers))
    assert sorted(a.status_code for a in answers) == [201] + [409] * 49
    assert {a.json()["code"] for a in answers if a.status_code == 409} == {"slot-taken"}
    assert len(await platform.rows("SELECT 1 FROM bookings")) == 1
    assert len(await platform.said("booking.%")) == 1


async def test_overlapping_slots_exclude_each_other_and_touching_ones_do_not(platform, resource):
    times = [
        ("09:00", "10:00"),
        ("09:30", "10:30"),
        ("10:00", "11:00"),
        ("08:30", "17:30"),
        ("10:59", "12:00"),
    ]
    callers = [platform.caller(f"sme-{n}", "sme") for n in range(20)]
    answers = await asyncio.gather(
        *(book(caller, resource, slot(*times[n % 5])) for n, caller in enumerate(callers))
    )
    assert {a.status_code for a in answers} <= {201, 409}
    rows = await platform.rows("SELECT starts_at, ends_at FROM bookings ORDER BY starts_at")
    assert rows
    for earlier, later in itertools.pairwise(rows):
        assert earlier["ends_at"] <= later["starts_at"]


async def test_touching_slots_are_both_booked_and_a_refusal_names_what_is_free(sme, resource):
    assert (await book(sme, resource, slot("09:00", "11:00"))).status_code == 201
    assert (await book(sme, resource, slot("11:00", "13:00"))).status_code == 201
    refused = await book(sme, resource, slot("10:00", "12:00"))
    assert (refused.status_code, refused.json()["code"]) == (409, "slot-taken")
    assert "2026-11-23T08:00Z" not in refused.json()["detail"]
    assert "2026-11-24T05:00Z/2026-11-24T07:00Z" in refused.json()["detail"]


async def test_a_cancelled_slot_is_free(lab, sme, platform, resource):
    made = (await book(sme, resource)).json()
    url = f"/v1/bookings/{made['id']}/cancellation"
    assert (await sme.post(url, json={})).status_code == 422
    assert (await lab.post(url, json={"reason": "停机"})).json()["state_reason"] == "停机"
    assert (await sme.post(url, json={"reason": "x"})).json()["code"] == "booking-state"
    again = await book(sme, resource)
    assert again.status_code == 201
    other = f"/v1/bookings/{again.json()['id']}/cancellation"
    assert (await sme.post(other, json={"reason": "样品未备好"})).status_code == 200
    assert len(await platform.said("booking.cancelled.v1")) == 2


async def test_a_hold_expires_once_with_one_event(platform, lab, sme, resource):
    made = (await book(sme, resource)).json()
    await jobs.expire_holds(platform.runtime)
    assert (await sme.get(f"/v1/bookings/{made['id']}")).json()["state"] == "held"
    platform.clock.forward(seconds=901)
    late = await lab.post(f"/v1/bookings/{made['id']}/confirmation")
    assert late.json()["code"] == "hold-expired"
    await asyncio.gather(*(jobs.expire_holds(platform.runtime) for _ in range(6)))
    await jobs.expire_holds(platform.runtime)
    assert (await sme.get(f"/v1/bookings/{made['id']}")).json()["state"] == "expired"
    assert len(await platform.said("booking.expired.v1")) == 1
    assert len(await platform.rows("SELECT 1 FROM audit WHERE action = 'booking.expired.v1'")) == 1
    assert (await book(sme, resource)).status_code == 201


async def test_an_overdue_hold_does_not_block_even_before_the_job_runs(platform, sme, resource):
    assert (await book(sme, resource)).status_code == 201
    platform.clock.forward(seconds=901)
    answers = await asyncio.gather(
        *(book(platform.caller(f"sme-{n}", "sme"), resource) for n in range(8)),
        jobs.expire_holds(platform.runtime),
    )
    assert sorted(a.status_code for a in answers if a) == [201] + [409] * 7
    assert len(await platform.said("booking.expired.v1")) == 1


async def test_a_confirmed_booking_does_not_expire(platform, lab, sme, resource):
    made = (await book(sme, resource)).json()
    await lab.post(f"/v1/bookings/{made['id']}/confirmation")
    platform.clock.forward(hours=10)
    await jobs.expire_holds(platform.runtime)
    assert (await sme.get(f"/v1/bookings/{made['id']}")).json()["state"] == "confirmed"


@pytest.mark.parametrize(
    ("body", "code"),
    [
        (slot("11:00", "09:00"), "end-before-start"),
        (slot("09:00", "09:00"), "end-before-start"),
        (slot("09:00", "11:00", day="2026-11-20"), "start-in-past"),
        (slot("07:00", "09:00"), "outside-opening-hours"),
        (slot("16:00", "18:00"), "outside-opening-hours"),
        (slot("09:00", "11:00", day="2026-11-28"), "outside-opening-hours"),
        (SLOT | {"ends_at": "2026-11-25T09:00:00+08:00"}, "outside-opening-hours"),
        (SLOT | {"ends_at": "2026-12-25T09:00:00+08:00"}, "booking-too-long"),
        (SLOT | {"starts_at": "2026-11-24T09:00:00"}, "invalid-input"),
        (SLOT | {"starts_at": "soon"}, "invalid-input"),
        (SLOT | {"purpose": "\u0000"}, "invalid-input"),
        (SLOT | {"ends_at": 1e300}, "invalid-input"),
    ],
)
async def test_wrong_times_are_refused(sme, resource, body, code):
    answer = await book(sme, resource, body)
    assert (answer.status_code, answer.json()["code"]) == (422, code), answer.text


async def test_bookings_are_between_the_parties(platform, sme, staff, resource):
    made = (await book(sme, resource)).json()
    url = f"/v1/bookings/{made['id']}"
    stranger = platform.caller("sme-2", "sme")
    foreign_lab = platform.caller("lab-2", "agency")
    for caller in (stranger, foreign_lab):
        assert (await caller.get(url)).status_code == 404
        assert (await caller.get("/v1/bookings")).json()["items"] == []
        assert (await caller.post(f"{url}/cancellation", json={"reason": "x"})).status_code == 404
    assert (await foreign_lab.post(f"{url}/confirmation")).status_code == 404
    foreign_staff = platform.caller("s", "cluster_staff", home="hohhot")
    assert (await foreign_staff.get(url)).status_code == 404
    assert (await foreign_staff.post(f"{url}/confirmation")).status_code == 403
    # An agency that books elsewhere's instrument does not confirm its own booking.
    booked = (await book(foreign_lab, resource, slot("13:00", "14:00"))).json()
    assert (await foreign_lab.post(f"/v1/bookings/{booked['id']}/confirmation")).status_code == 404
    assert (await staff.post(f"{url}/confirmation")).json()["state"] == "confirmed"
    assert len((await staff.get(f"/v1/bookings?resource_id={resource['id']}")).json()["items"]) == 2
    assert (await book(platform.caller("d", "department"), resource)).status_code == 403


async def test_the_calendar_shows_times_and_nobody(platform, sme, resource):
    await book(sme, resource)
    stranger = platform.caller("sme-2", "sme")
    span = {"from": "2026-11-24T00:00:00+08:00", "to": "2026-11-25T00:00:00+08:00"}
    seen = await stranger.get(f"/v1/resources/{resource['id']}/calendar", params=span)
    assert seen.status_code == 200, seen.text

    def times(spans):
        return [
            tuple(
                datetime.fromisoformat(s[k]).astimezone(UTC).strftime("%H:%M")
                for k in ("starts_at", "ends_at")
            )
            for s in spans
        ]

    assert times(seen.json()["busy"]) == [("01:00", "03:00")]
    assert times(seen.json()["free"]) == [("00:30", "01:00"), ("03:00", "09:30")]
    assert "sme-1" not in seen.text
    assert "形貌" not in seen.text
    for bad in (
        {"from": span["to"], "to": span["from"]},
        {"from": span["from"], "to": "2027-11-25T00:00:00Z"},
    ):
        answer = await stranger.get(f"/v1/resources/{resource['id']}/calendar", params=bad)
        assert answer.json()["code"] == "calendar-range"


async def test_what_is_suspended_or_retired_takes_no_bookings(platform, lab, sme, staff, provider, resource):
    made = (await book(sme, resource)).json()
    url = f"/v1/providers/{provider['id']}"
    await staff.post(f"{url}/suspension", json={"reason": "x"})
    refused = await book(sme, resource, slot("13:00", "14:00"))
    assert (refused.status_code, refused.json()["code"]) == (409, "provider-not-active")
    await staff.post(f"{url}/restoration")
    await lab.post(f"/v1/resources/{resource['id']}/retirement", json={"reason": "报废"})
    gone = (await sme.get(f"/v1/bookings/{made['id']}")).json()
    assert (gone["state"], gone["state_reason"]) == ("cancelled", "resource-retired")
    assert (await book(sme, resource, slot("13:00", "14:00"))).status_code == 404
    assert len(await platform.said("booking.cancelled.v1")) == 1


async def test_the_same_key_books_once(platform, sme, resource):
    headers = {"Idempotency-Key": "b1"}
    url = f"/v1/resources/{resource['id']}/bookings"
    answers = [await sme.post(url, json=SLOT, headers=headers) for _ in range(3)]
    assert {a.status_code for a in answers} == {201}
    assert len({a.json()["id"] for a in answers}) == 1


async def test_the_constraint_itself_refuses(platform, sme, resource):
    import asyncpg

    made = (await book(sme, resource)).json()
    copy = """INSERT INTO bookings SELECT (jsonb_populate_record(b, jsonb_build_object('id', gen_random_uuid()))).*
              FROM bookings b WHERE id = $1"""
    with pytest.raises(asyncpg.ExclusionViolationError):
        await platform.rows(copy, made["id"])
