"""Hostile changes and files of catalogues: refused by the line, and whatever is handed in comes to an end."""

import pytest
from hub.members import service as members
from hub.snapshots import consumers

from tests.security.bodies import BODIES, MARK
from tests.security.test_bodies import example_of

NODE = "baotou"
PUSH, PUT = f"/v1/nodes/{NODE}/catalogue/changes", f"/v1/nodes/{NODE}/catalogue"
MEDIA = ("application/x-ndjson", "text/csv", "application/json",
         "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet")  # fmt: skip


@pytest.fixture
async def hub(network):
    here = network["hub"]
    async with here.runtime.transaction() as tx:
        await members.enrol(tx, here.settings.network, at=here.runtime.clock())
    await here.app.state.hub.roster.refresh(here.runtime)
    return here


def line(hub):
    """A change as it should be: the example's offering."""
    (operation,) = [o for o in hub.operations if o.name == "POST /v1/nodes/{id}/catalogue/changes"]
    provider, offering = operation.example.strip().split("\n")
    return example_of(operation._replace(example=offering)), provider


@pytest.mark.parametrize("name", BODIES)
async def test_no_line_breaks_a_push(hub, name):
    who = hub.anybody()
    example, _ = line(hub)
    for body in BODIES[name](example):
        answer = await hub.http.post(PUSH, content=body.data, headers=who | {"Content-Type": MEDIA[0]})
        assert answer.status_code in (200, 400, 413, 422), (body.data[:80], answer.text[:300])
        if answer.status_code == 200:
            said = answer.json()
            assert not any(MARK in (one["message"] or "") for one in said["lines"]), body.data[:80]
            assert body.text or name.startswith("the same key") or said["rejected"] or said["lines_read"], (
                body.data[:80]
            )
    assert await hub.alive()


@pytest.mark.parametrize("name", BODIES)
async def test_no_file_breaks_the_work_on_snapshots(hub, name):
    who = hub.who("operator-1", "operator")
    example, _ = line(hub)
    handed = []
    for number, body in enumerate(BODIES[name](example)):
        headers = who | {"Content-Type": MEDIA[number % 4]}
        answer = await hub.http.put(PUT, content=body.data, headers=headers)
        assert answer.status_code == 202, answer.text
        handed.append(answer.headers["Location"])
        if len(handed) == 4:
            break  # each form of file once
    for _ in range(4):
        await consumers.work(hub.app.state.hub.roster.known)(hub.runtime)
    for path in handed:
        snapshot = await hub.get(path, who)
        assert snapshot["state"] in ("applied", "partial", "rejected", "held"), snapshot
        assert snapshot["reason"] != "work-failed", (name, snapshot)
        assert MARK not in (snapshot["message"] or "")
    assert await hub.alive()


async def test_a_file_beyond_the_limit_is_refused_before_it_is_read(hub):
    headers = hub.who("operator-1", "operator") | {"Content-Type": MEDIA[0], "Content-Length": str(2**30)}
    answer = await hub.http.put(PUT, content=b"", headers=headers)
    assert (answer.status_code, answer.json()["code"]) == (413, "body-too-large")
