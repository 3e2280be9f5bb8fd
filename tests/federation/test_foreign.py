"""A stranger's platform joins the running network as its 15th window, takes part, and leaves."""

import asyncio
import json
import re
import shutil
import subprocess
import sys
import time
from pathlib import Path

import pytest
from localnet import examples, plot
from localnet.api import OPERATOR, Refused

from tests.federation.conftest import hubnet
from tests.foreign.running import foreign

GUIDE = Path(__file__).parents[2] / "docs" / "joining.md"
NODE, DIVISION = "example-window", "150123"
LIMIT_S = 60
PROVIDER, OFFERING = "5f0e3c1a-0a55-4f6e-9f61-0d7f5f1c2a01", "5f0e3c1a-0a55-4f6e-9f61-0d7f5f1c2a02"
TITLE = "示例马铃薯淀粉粘度检测"


def record(noun, id, version=1, **data):
    return {"noun": noun, "id": id, "epoch": 1, "version": version, "deleted": False, "data": data}


CATALOGUE = [
    record(
        "provider", PROVIDER, name="示例和林格尔检测站", credit_code=examples.enterprise()["credit_code"],
        division=DIVISION, categories=["technology_quality.testing"], example=True, state="active",
    ),
    record(
        "offering", OFFERING, provider_id=PROVIDER, provider_name="示例和林格尔检测站", kind="service", title=TITLE,
        summary="示例：三日出具报告。", category="technology_quality.testing", division=DIVISION, example=True,
        state="published",
    ),
]  # fmt: skip


async def until(look):
    deadline = time.monotonic() + LIMIT_S
    while not (found := await look()):
        assert time.monotonic() < deadline
        await asyncio.sleep(0.1)
    return found


async def found(api):
    page = await api.get("hub", "/v1/catalogue", q=TITLE)
    return [(item["platform"], item["id"]) for item in page["items"]]


async def wanted(here):
    """What its staff sends as a demand: the story's, as if it had been raised there."""
    told = plot.told_demand()
    return await here.staff(
        "demands", {name: told[name] for name in ("title", "text", "category", "budget", "must_haves")}
        | {"division": DIVISION},
    )  # fmt: skip


@pytest.fixture
async def window(network, api, tmp_path):
    """The foreign window, joined by the command and running."""
    file = tmp_path / "key.json"
    hubnet(
        network.folder, "node", "join", NODE, "--zh", "示例窗口平台", "--en", "Example window", "--division", DIVISION,
        "--contact", "示例联系人", "--key-file", str(file),
    )  # fmt: skip
    assert file.stat().st_mode & 0o077 == 0
    async with foreign(api.endpoints.urls["hub"], NODE, json.loads(file.read_text()), tmp_path) as here:
        yield here


async def test_a_foreign_window_joins_takes_part_and_leaves(network, api, window):
    def node(*words):
        return hubnet(network.folder, "node", *words)

    # It proves itself; nobody reads a log.
    done = await window.staff("conformance")
    assert done["status"] == 200, done
    report = done["answer"]["report"]
    assert [one["rule"] for one in report["findings"] if one["verdict"] != "passed"] == []
    assert "probation" in node("show", NODE).stdout

    # On probation its catalogue is taken over, and found by nobody.
    assert await window.staff("records", CATALOGUE) == ["created", "created"]
    digest = await api.get("hub", f"/v1/nodes/{NODE}/catalogue/digest", OPERATOR)
    state = await window.staff("state")
    assert (digest["records"], digest["digest"]) == (2, state["digest"])
    assert await found(api) == []
    with pytest.raises(Refused):
        await api.get("hub", f"/v1/catalogue/{NODE}/{OFFERING}")

    node("activate", NODE)
    assert await found(api) == [(NODE, OFFERING)]
    listed = json.loads(node("list", "--json").stdout)
    assert {one["id"]: one["membership"]["state"] for one in listed}[NODE] == "active"
    served = hubnet(network.folder, "conformance", window.url, "--json")
    assert json.loads(served.stdout)["passed"]

    # A demand of it is matched, an agency of another window answers, and the answer comes back.
    agency = {one.owner.username: one for one in examples.agencies(api.endpoints.topology)}[plot.WINNER]
    provider = (await api.get(agency.node, "/v1/providers", plot.WINNER))["items"][0]
    demand = await wanted(window)

    async def matched():
        return (await window.staff("state"))["matches"].get(demand["id"])

    match = await until(matched)
    candidate = next(one for one in match["candidates"] if one["provider_id"] == provider["id"])
    assert candidate["platform"] == agency.node
    invitation = await window.staff("invitations", {"demand": demand, "candidate": candidate})

    async def invited():
        page = await api.get(agency.node, "/v1/quotations", plot.WINNER, state="invited", limit=200)
        return next((one for one in page["items"] if one["demand_id"] == demand["id"]), None)

    asked = await until(invited)
    await api.post(agency.node, f"/v1/quotations/{asked['id']}/viewing", who=plot.WINNER)
    offer = {"price_cents": 960_000, "lead_days": 3, "valid_until": "2099-12-31", "scope": "示例：含取样。"}
    await api.post(agency.node, f"/v1/quotations/{asked['id']}/submission", offer, who=plot.WINNER)

    async def answered():
        quotations = (await window.staff("state"))["quotations"].values()
        return next((one for one in quotations if one["state"] == "submitted"), None)

    quotation = await until(answered)
    assert (quotation["invitation_id"], quotation["price_cents"]) == (invitation["id"], 960_000)
    case = await api.get("hub", f"/v1/cases/{demand['id']}", OPERATOR)
    assert case["case"]["owner"] == NODE

    # Held back, and let go.
    node("quarantine", NODE, "--reason", "示例演练")
    assert await found(api) == []
    edited = [CATALOGUE[1] | {"version": 2}]
    assert await window.staff("records", edited) == ["http-409"]
    node("release", NODE)
    assert await found(api) == [(NODE, OFFERING)]
    assert await window.staff("records", edited) == ["updated"]
    node("retire", NODE, "--reason", "示例演练结束")
    assert await found(api) == []
    refused = hubnet(network.folder, "node", "release", NODE, check=False)
    assert (refused.returncode, "retired" in refused.stderr) == (1, True)


async def test_nodes_of_the_bus_keep_the_rules(network, api):
    async def passes():
        told = hubnet(network.folder, "conformance", "--bus", "baotou", "--json", check=False)
        report = json.loads(told.stdout)
        failed = {one["rule"]: one["evidence"] for one in report["findings"] if one["verdict"] == "failed"}
        assert (told.returncode == 0) == report["passed"]
        # What is on its way is behind for a moment.
        assert set(failed) <= {"bus-receipt", "bus-confirm"}, failed
        return not failed

    await until(passes)
    unknown = hubnet(network.folder, "conformance", "--bus", "atlantis", check=False)
    assert (unknown.returncode, "atlantis" in unknown.stderr + unknown.stdout) == (2, True)


def test_the_guide_runs_as_it_is_written(network, example):
    """All commands of the guide, by one shell."""
    said = "\n".join(re.findall(r"```sh\n(.*?)```", GUIDE.read_text(encoding="utf-8"), re.DOTALL))
    said = said.replace("127.0.0.1:18000", f"127.0.0.1:{network.port('hub')}")
    said = said.replace(".venv/bin/hubnet", f"'{Path(sys.executable).with_name('hubnet')}'")
    said = said.replace("python3", f"'{sys.executable}'")
    if shutil.which("curl"):
        said = said.replace("curl -s", "curl -sS --fail-with-body --noproxy '*'")
    else:
        said = said.replace("curl -s", f"'{sys.executable}' '{Path(__file__).with_name('curl.py')}' -s")
    done = subprocess.run(
        ["bash", "-eu", "-o", "pipefail", "-c", said],
        env={"PATH": "/usr/bin:/bin", "HUBNET_DATA_DIR": str(network.folder.root)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, f"{done.stdout}{done.stderr}"
    for sign in (
        '"state":"registered"', '"applied_seq":0', '"outcome":"created"', '"records":1', '"state":"failed"',
        "send-update", '"state":"retired"',
    ):  # fmt: skip
        assert sign in done.stdout, f"{sign} is not in {done.stdout}"
