"""A weights document from outside: what it must be, and what of the present one it may change."""

import hashlib
import json
from collections.abc import Mapping, Sequence
from itertools import takewhile
from math import isclose
from typing import Any

from common.errors import Invalid
from common.fields import Slug
from pydantic import TypeAdapter, ValidationError

from matchmaking.matching.weights import Component, Weights

# Judged apart from the rest: relevance leads, and a newcomer's chance is a matter of policy, not of learning.
LEADING, FIXED = "relevance", "newcomer"
# Relevance weighs more than all others together.
LEAST_LEADING = 0.51
OWN = frozenset({"version", "note", "weights"})


def document(weights: Weights) -> dict[str, Any]:
    """The weights as JSON says them."""
    return weights.model_dump(mode="json")


def shares(weights: Weights) -> dict[str, float]:
    """The weight of each component."""
    return {name: float(weight) for name, weight in weights.weights.items()}


def parsed(given: Mapping[str, Any]) -> Weights:
    """The weights a document says.

    Raises: Invalid naming the figure.
    """
    if not given.keys() <= Weights.model_fields.keys():
        raise _bad((), "有权重文档没有的项，请删除", "holds figures that weights do not have; leave them out")
    try:
        weights = Weights.model_validate_json(json.dumps(given))
        TypeAdapter[str](Slug).validate_python(weights.version)
    except ValidationError as error:
        first = error.errors(include_input=False, include_url=False)[0]
        where = first["loc"] or (("weights",) if first["type"] == "value_error" else ("version",))
        raise _bad(where, "缺失或不合规则，请更正", f"{first['msg']}; mend it") from None
    return weights


def readable(given: Mapping[str, Any], release: Weights) -> Weights | None:
    """The weights a document says, if this release has the components it weighs."""
    try:
        weights = parsed(given)
    except Invalid:
        return None
    return weights if weights.weights.keys() == release.weights.keys() else None


def check_guards(proposed: Weights, current: Weights) -> None:
    """Only the components' weights may differ, and the newcomers' not.

    What the stored evidence cannot measure may not ride along.
    Raises: Invalid naming the figure.
    """
    mine, theirs = document(proposed), document(current)
    for name in sorted(mine.keys() - OWN):
        if mine[name] != theirs[name]:
            raise _bad(
                (name,),
                "除分项权重外须与现行版本相同；此项不由学习改变",
                "must be as in the active version: learning changes the components' weights alone",
            )
    if mine["weights"].keys() != theirs["weights"].keys():
        raise _bad(("weights",), "分项须与现行版本相同", "must have the components of the active version")
    if not isclose(mine["weights"].get(FIXED, 0.0), theirs["weights"].get(FIXED, 0.0), abs_tol=1e-9):
        raise _bad(("weights", FIXED), "新机构份额不得改变", "the newcomers' share must stay as it is")


def successor(current: Mapping[str, Any], weights: Mapping[str, float]) -> dict[str, Any]:
    """The present document with other weights, under a version of its own: the same content, the same name."""
    version = str(current["version"])
    told = json.dumps([version, dict(weights)], sort_keys=True).encode()
    name = f"{version.partition('.l')[0]}.l{hashlib.sha256(told).hexdigest()[:10]}"
    return {**current, "version": name, "note": f"learnt from {version}", "weights": dict(weights)}


def _bad(where: Sequence[int | str], zh: str, en: str) -> Invalid:
    """Shape: of `where` only names of our own are told, never what somebody wrote."""
    ours = takewhile(lambda name: name in Weights.model_fields or name in Component.__args__, where)
    field = ".".join(("document", *map(str, ours)))
    return Invalid("weights-document", zh=f"{field}：{zh}", en=f"{field}: {en}", field=field)
