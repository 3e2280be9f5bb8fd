"""The client library at the running network: the example of its document, and awaited calls."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from hubnet_client import ClientSecret, Password, Refused, aitems, connect, hub, window
from hubnet_client.hub.api.catalogue import get_catalogue, get_catalogue_facets
from hubnet_client.hub.api.users import get_users
from hubnet_client.window.api.providers import get_providers
from localnet import examples, plot
from localnet.api import OPERATOR

from tests.federation.conftest import hubnet

DOCUMENT = Path(__file__).parents[2] / "docs" / "client.md"


def test_the_example_of_the_document_runs(network, example):
    (script,) = re.findall(r"```python\n(.*?)```", DOCUMENT.read_text(encoding="utf-8"), re.DOTALL)
    script = script.replace("127.0.0.1:18000", f"127.0.0.1:{network.port('hub')}")
    token = hubnet(network.folder, "token", "--client").stdout.strip()
    done = subprocess.run(
        [sys.executable, "-c", script], env={**os.environ, "TOKEN": token, "NO_PROXY": "127.0.0.1"},
        capture_output=True, text=True, timeout=120, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    told = done.stdout.splitlines()
    assert told[:2] == ["applied 0", "1 created None"]
    assert told[2].startswith("2 rejected ") and told[2].endswith("division")
    assert told[3] == "records 1"
    assert told[5].startswith("refused 428 ")
    assert told[6] == "left retired"


async def test_calls_of_a_window_and_the_hub_are_awaited(network, api):
    urls, here = api.endpoints.urls, {"trust_env": False}
    operator = ClientSecret(OPERATOR, api.endpoints.secret)
    async with connect(hub.Client, urls["hub"], operator, **here) as at_hub:
        listed = [item.id async for item in aitems(get_catalogue.asyncio, client=at_hub, limit=200)]
        facets = await get_catalogue_facets.asyncio(client=at_hub)
        counted = sum(facets.platform.additional_properties.values())
        assert counted >= len(listed) == len(set(listed)) > 1000
        assert plot.WINNER in [user.username async for user in aitems(get_users.asyncio, client=at_hub)]
    winner = Password(plot.WINNER, api.passwords.of(plot.WINNER))
    (node,) = {
        one.node for one in examples.agencies(api.endpoints.topology) if one.owner.username == plot.WINNER
    }
    async with connect(window.Client, urls[node], winner, hub=urls["hub"], **here) as at_window:
        page = await get_providers.asyncio(client=at_window)
        assert all(provider.credit_code for provider in page.items) and page.items
    async with connect(hub.Client, urls["hub"], Password(plot.WINNER, "wrong"), **here) as nobody:
        with pytest.raises(Refused) as told:
            await get_users.asyncio(client=nobody)
    assert (told.value.status, told.value.code) == (400, "invalid_grant")
    assert told.value.zh != told.value.en
