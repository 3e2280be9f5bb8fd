"""The data files inside this package, read once on first use."""

import json
from functools import cache
from importlib.resources import files
from typing import Any


def text(name: str) -> str:
    return (files("reference") / "data" / name).read_text(encoding="utf-8")


@cache
def document(name: str) -> Any:
    """Return the parsed JSON file. Callers must not change it: the value is shared."""
    return json.loads(text(name))
