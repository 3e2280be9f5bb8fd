"""The foreign window as a process of its own, started and stopped by tests."""

import contextlib
import json
import subprocess
import sys
from pathlib import Path

import httpx

PROGRAM = Path(__file__).with_name("window.py")


class Foreign:
    """Its address, and its staff."""

    def __init__(self, node, port):
        self.node, self.url = node, f"http://127.0.0.1:{port}"
        self._http = httpx.AsyncClient(base_url=self.url, trust_env=False, timeout=60)

    async def staff(self, what, body=None):
        answer = await self._http.post(f"/staff/{what}", json=body)
        assert answer.status_code == 200, answer.text
        return answer.json()

    async def close(self):
        await self._http.aclose()


@contextlib.asynccontextmanager
async def foreign(hub, node, key, folder, *broken):
    """A running foreign window. `-I`: it sees neither this tree nor what is installed beside it."""
    file = folder / f"{node}.json"
    file.write_text(json.dumps(key))
    process = subprocess.Popen(
        [
            sys.executable, "-I", "-S", PROGRAM, "--hub", hub, "--node", node, "--key", file, "--beat", "0.5",
            "--broken", ",".join(broken),
        ],
        stdout=subprocess.PIPE, text=True,
    )  # fmt: skip
    try:
        here = Foreign(node, int(process.stdout.readline()))
        yield here
        await here.close()
    finally:
        process.terminate()
        process.wait(10)
        process.stdout.close()
