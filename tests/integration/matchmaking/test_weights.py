"""A version of the weights ranks only after it has won here, by an operator's word, and that is on record."""

import asyncio
import contextlib
import json

import pytest
import typer
import uvicorn
from common import migrate
from hubnet_client import Bearer
from localnet.api import Api
from localnet.commands import learning as commands
from localnet.endpoints import Endpoints
from localnet.network import load
from matchmaking.matching import weights
from matchmaking.rankings import documents, service, training
from matchmaking.rankings.cases import Case
from sqlalchemy import text
from typer.testing import CliRunner

from tests.integration.matchmaking.results import invitation, learning
from tests.integration.platform import copied, migrated, url_of
from tests.servers import TOPOLOGY
from tests.unit.matchmaking.synthetic import cases

RELEASE = documents.document(weights.current())
BEFORE = documents.shares(weights.current())
MADE = cases(400, BEFORE, {"relevance": 0.55, "reputation": 0.45})
OPERATIONS = [
    ("GET", "/v1/weights"), ("GET", f"/v1/weights/{RELEASE['version']}"), ("POST", "/v1/weights"),
    ("POST", f"/v1/weights/{RELEASE['version']}/activation"), ("POST", f"/v1/weights/{RELEASE['version']}/retirement"),
    ("GET", "/v1/outcomes/cases"),
]  # fmt: skip
WORSE = BEFORE | {"relevance": 0.51, "proximity": BEFORE["proximity"] + BEFORE["relevance"] - 0.51}
# More for newcomers, less for relevance.
RICHER = BEFORE | {name: BEFORE[name] + by for name, by in (("newcomer", 0.01), ("relevance", -0.01))}
CLAIM = {"wins": True, "cases": 9999, "difference": 0.9}


@pytest.fixture(scope="module")
def bare():
    with migrated(migrate.PACKAGES["matchmaking"]) as name:
        yield name


@pytest.fixture(scope="module")
def taught(bare):
    """A database that has heard of all the cases, and what was found for their demands."""
    results = {}
    with migrated(migrate.PACKAGES["matchmaking"]) as name:

        async def fill():
            async with learning(url_of(name, name), results) as made:
                await made.knows(MADE)

        asyncio.run(fill())
        yield name, results


@pytest.fixture
async def learner(taught):
    name, results = taught
    async with copied(name) as url, learning(url, results) as made:
        yield made


@pytest.fixture
async def empty(bare):
    async with copied(bare) as url, learning(url) as made:
        yield made


@pytest.fixture
async def operator(learner):
    return learner.caller("operator")


@pytest.fixture(scope="module")
def candidate():
    return training.train(MADE, RELEASE).document


async def submitted(operator, document, **more):
    answer = await operator.post("/v1/weights", json={"document": document, **more})
    assert answer.status_code == 201, answer.text
    return answer.json()


async def act(operator, version, what="activation", **headers):
    return await operator.post(f"/v1/weights/{version}/{what}", headers=headers)


async def active(learner):
    async with learner.tx() as tx:
        return (await service.active(tx)).version


async def states(operator):
    listed = (await operator.get("/v1/weights")).json()["items"]
    assert [one["state"] for one in listed].count("active") == 1
    return {one["version"]: one["state"] for one in listed}


@pytest.mark.parametrize("role", ["sme", "agency", "window_staff", "cluster_staff", "department", "platform"])
@pytest.mark.parametrize("home", ["matchmaking", "hohhot", None])
async def test_only_operators_see_or_change_them(empty, role, home):
    who = empty.caller(role, home=home)
    for method, path in OPERATIONS:
        answer = await who.request(
            method, path, json={"document": RELEASE} if path == "/v1/weights" else None
        )
        assert (answer.status_code, answer.json()["code"]) == (403, "role-needed"), (method, path)


async def test_without_another_the_releases_weights_are_active(empty):
    operator = empty.caller("operator")
    [only] = (await operator.get("/v1/weights")).json()["items"]
    assert (only["version"], only["state"], only["document"]) == (RELEASE["version"], "active", RELEASE)
    assert await active(empty) == RELEASE["version"]
    for what in ("activation", "retirement"):
        assert (await act(operator, RELEASE["version"], what)).status_code == 409


async def test_cases_are_exported_as_they_went(learner, operator):
    answer = await operator.get("/v1/outcomes/cases")
    assert answer.headers["content-type"].startswith("application/x-ndjson")
    found = {case.demand_id: case for case in map(Case.model_validate_json, answer.text.splitlines())}
    assert len(found) == len(MADE)
    for made in MADE:
        case = found[made.demand_id]
        assert [(s.rank, s.gain, s.invited) for s in case.candidates] == [
            (s.rank, s.gain, s.invited) for s in made.candidates
        ]
        for told, meant in zip(case.candidates, made.candidates, strict=True):
            # An engine's step over the least weight.
            assert told.components == pytest.approx(meant.components, abs=1 / 4096 / 0.01)


async def test_an_undecided_demand_is_no_case_yet(empty):
    one = MADE[0]
    await empty.knows([one])
    operator = empty.caller("operator")
    assert len((await operator.get("/v1/outcomes/cases")).text.splitlines()) == 1
    await empty.hear(invitation("late", demand=one.demand_id, provider="late"))
    assert (await operator.get("/v1/outcomes/cases")).text == ""


async def test_a_candidate_learnt_from_the_cases_wins_and_ranks(learner, operator):
    lines = (await operator.get("/v1/outcomes/cases")).text.splitlines()
    found = training.train([Case.model_validate_json(line) for line in lines], RELEASE)
    assert found.evaluation.wins
    told = await submitted(operator, found.document, trained_on={"cases": found.trained_cases})
    assert (told["state"], told["made_by"], await active(learner)) == (
        "candidate", "a-operator", RELEASE["version"],
    )  # fmt: skip
    assert told["evaluation"] == found.evaluation.model_dump()
    answer = await act(operator, told["version"])
    assert answer.status_code == 201 and answer.json()["activated_by"] == "a-operator"
    assert await active(learner) == told["version"]
    assert await states(operator) == {told["version"]: "active", RELEASE["version"]: "retired"}
    assert (await act(operator, told["version"])).json()["code"] == "weights-state"
    back = await act(operator, told["version"], "retirement")
    assert back.status_code == 201 and await active(learner) == RELEASE["version"]
    assert await states(operator) == {told["version"]: "retired", RELEASE["version"]: "active"}
    lines = await learner.here.rows("SELECT actor, action, object_id, detail::text FROM audit ORDER BY id")
    assert [(line["actor"], line["action"], line["object_id"]) for line in lines] == [
        ("a-operator", f"weights.{what}", told["version"]) for what in ("submitted", "activated", "retired")
    ]
    assert [json.loads(line["detail"])["active"] for line in lines] == [
        RELEASE["version"], told["version"], RELEASE["version"],
    ]  # fmt: skip


async def test_a_losing_candidate_is_refused_whatever_it_claims(learner, operator):
    document = documents.successor(RELEASE, WORSE)
    told = await submitted(operator, document, evaluation=CLAIM)
    assert told["claimed"] == CLAIM
    assert not told["evaluation"]["wins"] and told["evaluation"]["difference"] < 0
    refused = await act(operator, told["version"])
    assert (refused.status_code, refused.json()["code"]) == (409, "weights-not-better")
    assert refused.json()["evaluation"]["cases"] >= 100
    assert await active(learner) == RELEASE["version"]


async def test_with_few_cases_nothing_wins(empty, candidate):
    await empty.knows(MADE[:40])
    operator = empty.caller("operator")
    told = await submitted(operator, candidate)
    assert told["evaluation"]["difference"] > 0 and told["evaluation"]["cases"] < 100
    refused = await act(operator, told["version"])
    assert (refused.status_code, refused.json()["code"]) == (409, "weights-not-better")


async def test_without_any_case_a_candidate_waits(empty, candidate):
    operator = empty.caller("operator")
    told = await submitted(operator, candidate)
    assert (told["evaluation"]["cases"], told["evaluation"]["wins"]) == (0, False)


async def test_an_activated_version_must_be_beaten_in_its_turn(learner, operator, candidate):
    await submitted(operator, candidate)
    assert (await act(operator, candidate["version"])).status_code == 201
    halfway = {name: round((BEFORE[name] + share) / 2, 6) for name, share in candidate["weights"].items()}
    told = await submitted(operator, documents.successor(RELEASE, halfway))
    assert told["evaluation"]["against"] == candidate["version"]
    assert (await act(operator, told["version"])).status_code == 409
    assert await active(learner) == candidate["version"]


async def test_the_way_back_leads_through_what_was_replaced(learner, operator, candidate):
    halfway = {name: round((BEFORE[name] + share) / 2, 6) for name, share in candidate["weights"].items()}
    first = await submitted(operator, documents.successor(RELEASE, halfway))
    for version in (first["version"], (await submitted(operator, candidate))["version"]):
        answer = await act(operator, version)
        assert answer.status_code == 201, answer.text
    for left in (first["version"], RELEASE["version"]):
        assert (await act(operator, await active(learner), "retirement")).status_code == 201
        assert await active(learner) == left
        await states(operator)


async def test_two_activations_at_once_leave_one_active(learner, operator, candidate):
    halfway = {name: round((BEFORE[name] + share) / 2, 6) for name, share in candidate["weights"].items()}
    made = [
        await submitted(operator, document) for document in (candidate, documents.successor(RELEASE, halfway))
    ]
    answers = await asyncio.gather(*(act(operator, one["version"]) for one in made))
    assert 201 in [answer.status_code for answer in answers]
    assert {answer.status_code for answer in answers} <= {201, 409}
    assert list((await states(operator)).values()).count("active") == 1


async def test_the_same_call_twice_is_one_act(learner, operator, candidate):
    await submitted(operator, candidate)
    first, second = [await act(operator, candidate["version"], **{"Idempotency-Key": "k"}) for _ in range(2)]
    assert first.status_code == second.status_code == 201 and first.json() == second.json()
    assert second.headers["idempotency-replayed"] == "true"
    rows = await learner.here.rows("SELECT 1 FROM audit WHERE action = 'weights.activated'")
    assert len(rows) == 1


async def test_a_version_names_one_content(empty, candidate):
    operator = empty.caller("operator")
    first = await submitted(operator, candidate)
    assert await submitted(operator, candidate) == first
    other = candidate | {"weights": WORSE}
    for document in (other, other | {"version": RELEASE["version"]}):
        refused = await operator.post("/v1/weights", json={"document": document})
        assert (refused.status_code, refused.json()["code"]) == (409, "weights-exist")


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"floor": 0.01}, "document.floor"), ({"newcomer_chance": 0.9}, "document.newcomer_chance"),
        ({"weights": {"relevance": 1.0}}, "document.weights"), ({"version": "a b"}, "document.version"),
        ({"speed": 1}, "document"),
        ({"weights": RICHER}, "document.weights.newcomer"),
    ],
)  # fmt: skip
async def test_what_is_no_successor_is_refused_by_its_field(empty, changes, field):
    answer = await empty.caller("operator").post(
        "/v1/weights", json={"document": RELEASE | {"version": "new"} | changes}
    )
    assert (answer.status_code, answer.json()["code"], answer.json()["field"]) == (
        422, "weights-document", field,
    )  # fmt: skip


async def test_a_version_of_another_release_does_not_rank(learner, operator, candidate):
    """A version made for other components than this release's is passed over, aloud."""
    await submitted(operator, candidate)
    await act(operator, candidate["version"])
    async with learner.tx() as tx:
        await tx.execute(
            text("UPDATE rankings SET document = jsonb_set(document, '{weights}', '{\"relevance\": 1}')")
        )
        assert (await service.active(tx)).version == RELEASE["version"]


@pytest.mark.parametrize("what", ["", "/activation", "/retirement"])
async def test_an_unknown_version_is_not_there(empty, what):
    who = empty.caller("operator")
    answer = await (who.post if what else who.get)(f"/v1/weights/unknown{what}")
    assert (answer.status_code, answer.json()["code"]) == (404, "not-found")


@contextlib.asynccontextmanager
async def commanded(learner, monkeypatch, tmp_path):
    """`match …` as an operator types it, against the service on a port of its own; only signing in is short."""
    server = uvicorn.Server(uvicorn.Config(learner.here.app, port=0, log_level="error", lifespan="off"))
    serving = asyncio.create_task(server.serve())
    while not server.started:
        await asyncio.sleep(0.01)
    (socket,) = server.servers[0].sockets
    url = f"http://127.0.0.1:{socket.getsockname()[1]}"
    where = Endpoints(load(TOPOLOGY), {"hub": url, "matchmaking": url}, "secret", tmp_path / "users.json")
    token = learner.caller("operator").headers["Authorization"].split()[1]
    monkeypatch.setattr(commands, "running", lambda _: where)
    monkeypatch.setattr(Api, "_credentials", lambda *_: Bearer(token))
    monkeypatch.chdir(tmp_path)
    match, of_weights = typer.Typer(), typer.Typer()
    for app, table in ((match, commands.COMMANDS), (of_weights, commands.WEIGHTS_COMMANDS)):
        for name, command in table.items():
            app.command(name)(command)
    match.add_typer(of_weights, name="weights")

    async def run(*arguments):
        return await asyncio.to_thread(CliRunner().invoke, match, arguments)

    try:
        yield run
    finally:
        server.should_exit = True
        await serving


async def test_from_training_to_retirement_by_command(learner, monkeypatch, tmp_path):
    async with commanded(learner, monkeypatch, tmp_path) as run:
        found = await run("train", "--submit")
        assert found.exit_code == 0, (found.output, found.exception)
        version = json.loads((tmp_path / "weights.json").read_text(encoding="utf-8"))["version"]
        assert await active(learner) == RELEASE["version"]
        listed = json.loads((await run("weights", "list", "--json")).stdout)
        assert {one["version"]: one["state"] for one in listed} == {
            version: "candidate", RELEASE["version"]: "active",
        }  # fmt: skip
        assert version in (await run("weights", "list")).output
        assert (await run("weights", "activate", version)).exit_code == 0
        assert await active(learner) == version
        again = await run("train")
        assert again.exit_code == commands.NOT_BETTER and "does not win" in again.output
        assert "it wins against" in (await run("weights", "show", version)).output
        refused = await run("weights", "activate", RELEASE["version"])
        assert refused.exception is not None and "weights-shipped" in refused.exception.rule[1]
        assert RELEASE["version"] in (await run("weights", "retire", version)).output
        assert await active(learner) == RELEASE["version"]


async def test_without_cases_training_exits_plainly(empty, monkeypatch, tmp_path):
    async with commanded(empty, monkeypatch, tmp_path) as run:
        found = await run("train", "--submit")
        assert found.exit_code == commands.NOT_BETTER and "was not submitted" in found.output
        assert [one["version"] for one in json.loads((await run("weights", "list", "--json")).stdout)] == [
            RELEASE["version"]
        ]
