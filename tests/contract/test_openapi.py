"""The HTTP APIs as committed documents, and the client library written from them."""

import ast
import importlib.util
import json
import re
import sys
from pathlib import Path

import pytest
from localnet import openapi

ROOT = Path(__file__).parents[2]
DOCUMENTS = ROOT / "docs" / "openapi"
MEND = "run: make contracts"


@pytest.fixture(scope="module")
def said():
    return {
        kind: json.loads((DOCUMENTS / f"{kind}.json").read_text(encoding="utf-8")) for kind in openapi.KINDS
    }


def test_committed_documents_are_what_the_services_say():
    files = openapi.files(DOCUMENTS)
    assert set(DOCUMENTS.iterdir()) == set(files), MEND
    assert [path.name for path, text in files.items() if path.read_text(encoding="utf-8") != text] == [], MEND


@pytest.mark.parametrize("kind", openapi.KINDS)
def test_every_call_is_in_the_client_library_under_its_address(kind, said):
    wanted = set()
    for path, calls in said[kind]["paths"].items():
        words = re.findall(r"[a-z0-9]+", path.removeprefix("/v1").lower())
        wanted |= {"_".join([method, *words]) for method in calls}
    folder = Path(importlib.util.find_spec(f"hubnet_client.{kind}").origin).parent / "api"
    found = {path.stem for path in folder.glob("*/*.py")} - {"__init__"}
    assert found == wanted, f"{MEND}, or libs/client/generate.py"


@pytest.mark.parametrize("kind", openapi.KINDS)
def test_every_model_can_be_loaded_by_its_name(kind):
    models = importlib.import_module(f"hubnet_client.{kind}.models")
    assert models.__all__
    assert [name for name in models.__all__ if getattr(models, name) is None] == []
    with pytest.raises(AttributeError):
        _ = models.NoSuchModel


def test_the_client_library_needs_nothing_else_of_this_tree():
    found = set()
    for path in (ROOT / "libs/client/hubnet_client").glob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Import):
                found |= {alias.name.partition(".")[0] for alias in node.names}
            elif isinstance(node, ast.ImportFrom):
                found.add(node.module.partition(".")[0])
    assert found - sys.stdlib_module_names == {"attrs", "httpx", "hubnet_client"}
