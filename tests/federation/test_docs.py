"""The commands in the documents, run by a shell against the running network."""

import json
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
DOCUMENTS = [ROOT / "README.md", ROOT / "docs" / "api.md"]


def calls(document):
    """The curl calls of a document's shell blocks, continuation lines joined."""
    blocks = re.findall(r"```sh\n(.*?)```", document.read_text(encoding="utf-8"), re.DOTALL)
    lines = "\n".join(blocks).replace("\\\n", " ").split("\n")
    return [line for line in lines if line.startswith("curl ")]


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.name)
async def test_every_call_answers(document, network, example):
    assert calls(document)
    for call in calls(document):
        here = re.sub(r"127\.0\.0\.1:18(\d{3})", lambda m: f"127.0.0.1:{network.port_base + int(m[1])}", call)
        here = here.replace(".venv/bin/hubnet", f"'{Path(sys.executable).with_name('hubnet')}'")
        if shutil.which("curl"):
            here = here.replace("curl -s", "curl -sS --fail-with-body --noproxy '*'")
        else:
            here = here.replace("curl -s", f"'{sys.executable}' '{Path(__file__).with_name('curl.py')}' -s")
        done = subprocess.run(
            ["bash", "-c", here],
            env={"PATH": "/usr/bin:/bin", "HUBNET_DATA_DIR": str(network.folder.root)},
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, f"{call}\n{done.stdout}{done.stderr}"
        assert json.loads(done.stdout)
