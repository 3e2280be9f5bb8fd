"""The client repeats what failed on the way, and tells what was refused in both languages."""

import asyncio
import json
from pathlib import Path

import httpx
import pytest
from localnet.api import OPERATOR, Api, Refused
from localnet.endpoints import Endpoints
from localnet.network import load
from localnet.passwords import Passwords
from localnet.trouble import Trouble

TOPOLOGY = load(Path(__file__).parents[3] / "deploy" / "topology.yaml")


class Server:
    """Answers from a list; None breaks the connection."""

    def __init__(self, *answers):
        self.answers, self.seen = list(answers), []

    def __call__(self, request):
        if request.url.path == "/oauth/token":
            return httpx.Response(200, json={"access_token": "t", "expires_in": 900})
        self.seen.append(request)
        answer = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        if answer is None:
            raise httpx.ReadError("broken")
        return answer


@pytest.fixture
def calling(tmp_path):
    def make(server, patience_s=5.0):
        urls = {node.id: f"http://{node.id}" for node in TOPOLOGY.nodes}
        known = Endpoints(TOPOLOGY, urls, "secret", tmp_path / "users.json")
        return Api(known, patience_s=patience_s, transport=httpx.MockTransport(server))

    return make


def problem(status, detail, **headers):
    return httpx.Response(status, json={"code": "a-code", "detail": detail, "field": "f"}, headers=headers)


async def test_what_failed_on_the_way_is_sent_again_with_the_same_key(calling):
    server = Server(None, problem(503, "away"), httpx.Response(500), httpx.Response(201, json={"id": 1}))
    async with calling(server) as api:
        assert await api.post("hohhot", "/v1/demands", {"a": 1}, who=OPERATOR, key="k") == {"id": 1}
    assert {request.headers["Idempotency-Key"] for request in server.seen} == {"k"}
    assert {request.content for request in server.seen} == {b'{"a":1}'}
    assert len(server.seen) == 4


async def test_an_act_still_running_is_asked_for_again(calling):
    server = Server(problem(409, "running", **{"Retry-After": "0"}), httpx.Response(200, json={}))
    async with calling(server) as api:
        assert await api.post("hohhot", "/", who=OPERATOR) == {}


async def test_a_refusal_is_told_in_both_languages_and_at_once(calling):
    server = Server(problem(422, "不对"), problem(422, "wrong"))
    async with calling(server) as api:
        with pytest.raises(Refused) as told:
            await api.post("hohhot", "/v1/demands", {}, who=OPERATOR)
    assert told.value.wrong == ("不对", "wrong")
    assert (told.value.status, told.value.problem, told.value.field) == (422, "a-code", "f")
    assert len(server.seen) == 2


async def test_who_stays_away_is_named(calling):
    async with calling(Server(None), patience_s=0.2) as api:
        with pytest.raises(Trouble) as told:
            await api.get("hohhot", "/v1/demands", OPERATOR)
    assert "hohhot" in told.value.wrong[1]


async def test_many_calls_sign_in_once(calling):
    asked = []

    def server(request):
        asked.append(request.url.path)
        if request.url.path == "/oauth/token":
            return httpx.Response(200, json={"access_token": "t", "expires_in": 900})
        return httpx.Response(200, json={})

    async with calling(server) as api:
        await asyncio.gather(*(api.get("hohhot", "/x", OPERATOR) for _ in range(20)))
    assert asked.count("/oauth/token") == 1


def test_passwords_are_kept_private_and_never_made_anew(tmp_path):
    path = tmp_path / "secrets" / "users.json"
    first = Passwords(path)
    assert first.make(["a", "b"]) == {"a", "b"}
    again = Passwords(path)
    assert again.make(["a", "b", "c"]) == {"c"}
    assert [again.of(name) for name in "ab"] == [first.of(name) for name in "ab"]
    assert path.stat().st_mode & 0o777 == 0o600
    assert set(json.loads(path.read_text())) == {"a", "b", "c"}
    with pytest.raises(Trouble):
        again.of("d")
