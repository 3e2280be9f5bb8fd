"""A hub with its background work, over HTTP, without a bus."""

import asyncio
import contextlib
import socket

import httpx
import uvicorn
from hub.app import create_app
from hub.provision import first_operator


class LiveHub:
    """A hub with its background work, over HTTP; it has no bus."""

    def __init__(self, url, client_secret):
        self.url, self._secret = url, client_secret
        self.http = httpx.AsyncClient(
            base_url=url, headers={"Accept-Language": "en"}, trust_env=False, timeout=30
        )

    async def grant(self, **fields):
        answer = await self.http.post("/oauth/token", data=fields)
        assert answer.status_code == 200, answer.text
        return {"Authorization": f"Bearer {answer.json()['access_token']}"}

    async def operator(self):
        return await self.grant(
            grant_type="client_credentials", client_id="hubnet-cli", client_secret=self._secret
        )

    async def join(self, node, division, **other):
        """A registered platform with its key, and its owner's token."""
        operator = await self.operator()
        body = {
            "id": node, "kind": "window", "zh": "示例窗口", "en": "Example window", "divisions": [division]
        } | other  # fmt: skip
        made = await self.http.post("/v1/nodes", json=body, headers=operator)
        assert made.status_code == 201, made.text
        key = await self.http.post(f"/v1/nodes/{node}/keys", json={}, headers=operator)
        return key.json()

    async def get(self, path, **query):
        answer = await self.http.get(path, params=query, headers=await self.operator())
        assert answer.status_code == 200, answer.text
        return answer.json()


@contextlib.asynccontextmanager
async def living(settings):
    await first_operator(settings)
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    server = uvicorn.Server(
        uvicorn.Config(
            create_app(settings), port=port, log_level="warning", ws="none", timeout_graceful_shutdown=5
        )
    )
    running = asyncio.create_task(server.serve())
    try:
        async with asyncio.timeout(20):
            while not server.started:
                await asyncio.sleep(0.02)
        live = LiveHub(f"http://127.0.0.1:{port}", settings.bootstrap_client_file.read_text())
        yield live
        await live.http.aclose()
    finally:
        server.should_exit = True
        await running
