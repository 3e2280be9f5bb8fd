"""The two embedders against real and misbehaving servers."""

import asyncio
import subprocess
import sys
import time

import numpy as np
import pytest
from common.errors import Unavailable
from common.settings import Settings
from matchmaking.embedders import service as embedders
from matchmaking.embedders.domain import TextRefused

from tests.integration.matchmaking.model_servers import puppet, real_server
from tests.servers import TOPOLOGY

TEXTS = [
    "牛奶与乳制品检测",
    "企业流动资金贷款",
    "机床维修与保养",
    "电商直播培训",
    "草原生态修复技术",
    "法律咨询",
    "税务代理",
    "冷链物流",
    "仓库出租",
    "英文 translation",
]


def opened(**changes):
    settings = Settings(
        **{"node": "matchmaking", "topology": TOPOLOGY, "database_url": "postgresql://x/y"} | changes
    )
    return embedders.open_embedder(embedders.configured(settings), settings)


@pytest.fixture
async def server():
    async with puppet() as made:
        yield made


@pytest.fixture
async def client(server):
    made = opened(embeddings=server.url, embeddings_model="m", embeddings_timeout_s=0.5)
    yield made
    await made.close()


async def test_in_the_process_and_over_http_the_same_model_gives_the_same_vectors():
    inside = opened()
    with real_server() as server:
        outside = opened(
            embeddings=server.url,
            embeddings_model="any",
            embeddings_query_fields={"input_type": "query"},
            embeddings_passage_fields={"input_type": "passage"},
            embeddings_timeout_s=30,
        )
        ours, theirs = await inside.passages(TEXTS), await outside.passages(TEXTS)
        assert ours.shape == theirs.shape == (len(TEXTS), 384)
        assert np.abs(ours - theirs).max() < 1e-4
        asked, answered = await inside.query("化验牛奶"), await outside.query("化验牛奶")
        assert np.abs(asked - answered).max() < 1e-4
        assert int((ours @ asked).argmax()) == 0
        await outside.close()
    await inside.close()


async def test_a_text_that_overruns_the_engine_unprepared_is_embedded():
    code = (
        "import asyncio;from tests.integration.matchmaking.test_embeddings_servers import opened;"
        "e=opened(embeddings_timeout_s=60);v=asyncio.run(e.query(chr(0xfdfa)*400));print(v.shape)"
    )
    ran = await asyncio.to_thread(
        subprocess.run, [sys.executable, "-c", code], capture_output=True, text=True
    )
    assert (ran.returncode, ran.stdout.strip()) == (0, "(384,)"), ran.stderr


async def test_a_server_is_asked_in_small_batches_with_prefixes_fields_and_key(server, tmp_path):
    key = tmp_path / "key"
    key.write_text("sk-Secret-1\n")
    client = opened(
        embeddings=server.url + "/",
        embeddings_model="bge",
        embeddings_key_file=key,
        embeddings_query_prefix="query: ",
        embeddings_passage_prefix="passage: ",
        embeddings_query_fields={"input_type": "query", "model": "other"},
    )
    assert (await client.passages(TEXTS)).shape == (len(TEXTS), 8)
    await client.query("甲")
    assert [len(body["input"]) for body in server.asked] == [8, 2, 1]
    assert server.asked[0]["input"][0] == "passage: 牛奶与乳制品检测"
    assert server.asked[2] == {
        "model": "bge", "input": ["query: 甲"], "encoding_format": "base64", "input_type": "query",
    }  # fmt: skip
    assert {fields["authorization"] for fields in server.headers} == {"bearer sk-secret-1"}
    await client.close()


async def test_the_key_goes_to_no_other_server(server, tmp_path):
    key = tmp_path / "key"
    key.write_text("sk-secret")
    common = {"node": "matchmaking", "topology": TOPOLOGY, "database_url": "postgresql://x/y"}
    before = Settings(**common, embeddings=server.url, embeddings_model="old")
    after = Settings(
        **common, embeddings="http://127.0.0.1:9/v1", embeddings_model="new", embeddings_key_file=key
    )
    old = embedders.open_embedder(embedders.configured(before), after)
    await old.query("甲")
    assert "authorization" not in server.headers[0]
    await old.close()


async def test_a_redirect_is_not_followed(server, client):
    async with puppet() as elsewhere:
        server.answer = lambda body: (307, b"", f"Location: {elsewhere.url}/embeddings")
        with pytest.raises(Unavailable, match="HTTP 307"):
            await client.query("甲")
        assert elsewhere.asked == []


@pytest.mark.parametrize(
    ("status", "content"),
    [
        (200, b"<html>"),
        (200, b'{"data": []}'),
        (200, b'{"data": [{"index": 0, "embedding": [1, NaN]}]}'),
        (200, b'{"data": [{"index": 0, "embedding": [0, 0]}]}'),
        (200, b"x" * (17 * 2**20)),
        (401, b"{}"),
        (404, b"{}"),
        (429, b"{}"),
        (500, b"{}"),
    ],
)
async def test_nonsense_is_an_outage_and_the_next_call_works(server, client, status, content):
    server.answer = lambda body: (status, content)
    with pytest.raises(Unavailable) as caught:
        await client.query("甲")
    assert caught.value.code == "embedder-away"
    assert caught.value.zh and "甲" not in caught.value.en
    server.answer = server.well
    assert (await client.query("甲")).shape == (8,)


@pytest.mark.parametrize("status", [400, 413, 422])
async def test_a_text_a_server_will_not_have_is_told_apart(server, client, status):
    server.answer = lambda body: (status, b"{}")
    with pytest.raises(TextRefused):
        await client.passages(["甲"])


async def test_vectors_of_another_length_than_before_are_an_outage(server, client):
    await client.query("甲")
    server.dimensions = 9
    with pytest.raises(Unavailable, match="9 dimensions instead of 8"):
        await client.query("乙")
    client.expect(9)
    assert (await client.query("乙")).shape == (9,)


async def test_a_slow_server_is_not_waited_for(server, client):
    released = asyncio.Event()

    async def slow(body):
        await released.wait()
        return server.well(body)

    server.answer = slow
    started = time.monotonic()
    with pytest.raises(Unavailable, match="TimeoutError"):
        await client.query("甲")
    assert time.monotonic() - started < 5
    released.set()


async def test_no_server_is_an_outage(tmp_path):
    gone = opened(embeddings="http://127.0.0.1:9/v1", embeddings_model="m")
    with pytest.raises(Unavailable, match="ConnectError"):
        await gone.query("甲")
    keyless = opened(
        embeddings="http://127.0.0.1:9/v1", embeddings_model="m", embeddings_key_file=tmp_path / "none"
    )
    with pytest.raises(Unavailable, match="FileNotFoundError"):
        await keyless.query("甲")
    await gone.close()


async def test_an_engine_that_is_not_the_recorded_one_is_an_outage():
    settings = Settings(node="matchmaking", topology=TOPOLOGY, database_url="postgresql://x/y")
    source = embedders.configured(settings).model_copy(update={"release": "0.0.1"})
    old = embedders.open_embedder(source, settings)
    with pytest.raises(Unavailable, match=r"0\.0\.1"):
        await old.query("甲")
    await old.close()
