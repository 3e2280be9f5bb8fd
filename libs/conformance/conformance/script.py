"""What a platform on its way in is asked to say, line by line, and what must come of it."""

import json
from collections.abc import Mapping
from typing import Any, Literal
from uuid import UUID

from common import ids
from pydantic import BaseModel, ConfigDict

Outcome = Literal["created", "updated", "unchanged", "stale", "fork", "not_owner", "rejected"]
Name = Literal[
    "create", "update", "duplicate", "stale", "tombstone", "resurrection", "fork", "mend-fork", "bad-row",
    "mend-row", "foreign",
]  # fmt: skip
# The rule each step proves.
RULES: dict[Name, str] = {
    "create": "send-create", "update": "send-update", "duplicate": "send-duplicate", "stale": "send-stale",
    "tombstone": "send-tombstone", "resurrection": "send-no-resurrection", "fork": "send-fork",
    "mend-fork": "send-mend-fork", "bad-row": "send-bad-row", "mend-row": "send-mend-row",
    "foreign": "send-not-owner",
}  # fmt: skip
# A code with a right check digit that no organisation has: its region is none.
CREDIT_CODE = "91000000MA0000000N"
DIVISION = "150100"
CATEGORY = "technology_quality.testing"


class Step(BaseModel):
    """One hand-in: the lines to push as they are, and the outcome of each."""

    model_config = ConfigDict(frozen=True)
    name: Name
    zh: str
    en: str
    lines: tuple[dict[str, Any], ...]
    expects: tuple[Outcome, ...]


class Expected(BaseModel):
    """What the hub must hold of a record of the script in the end."""

    model_config = ConfigDict(frozen=True)
    noun: str
    id: UUID
    version: int
    deleted: bool
    text: str
    rules: tuple[str, ...]


class Script(BaseModel):
    """The steps in order, and what they lead to. Its records are paused examples: nobody finds them."""

    model_config = ConfigDict(frozen=True)
    steps: tuple[Step, ...]
    expected: tuple[Expected, ...]
    clean_up: tuple[dict[str, Any], ...]

    @property
    def ids(self) -> frozenset[str]:
        return frozenset(str(one.id) for one in self.expected)


class _Record:
    """A record of the script in its versions."""

    def __init__(self, noun: str, id: UUID, data: dict[str, Any]) -> None:
        self.noun, self.id, self.data = noun, id, data

    def line(
        self, version: int, changed: Mapping[str, Any] | None = None, *, deleted: bool = False
    ) -> dict[str, Any]:
        data = self.data | dict(changed or {}) | ({"state": "retired"} if deleted else {})
        return {
            "noun": self.noun, "id": str(self.id), "epoch": 1, "version": version, "deleted": deleted, "data": data,
        }  # fmt: skip


def script(node: str, number: int, epoch: int, foreign: tuple[str, UUID] | None) -> Script:
    """The script of a run.

    Shape: `foreign` is a record (noun, id) of another platform, to be refused; None where there is none.
    """

    def id(name: str) -> UUID:
        return ids.derived("conformance", node, str(number), name)

    provider = _Record(
        "provider", id("provider"),
        {
            "name": "示例测试机构 example", "credit_code": CREDIT_CODE, "division": DIVISION,
            "categories": [CATEGORY], "example": True, "state": "active",
        },
    )  # fmt: skip

    def offering(name: str) -> _Record:
        data = {
            "provider_id": str(provider.id), "provider_name": provider.data["name"], "kind": "service",
            "title": f"示例测试服务 example {name}", "summary": "一致性测试用，不对外。For the conformance run only.",
            "category": CATEGORY, "division": DIVISION, "price": {"from_cents": 100, "to_cents": 200, "unit": "case"},
            "example": True, "state": "paused",
        }  # fmt: skip
        return _Record("offering", id(name), data)

    edited, ended, forked, neighbour, wrong = map(
        offering, ("edited", "ended", "forked", "neighbour", "wrong")
    )
    edit = {"title": "示例测试服务 example edited twice"}
    mended = {"title": "示例测试服务 example after the fork"}
    bad = {"price": {"from_cents": -1, "to_cents": 200, "unit": "case"}}
    steps = [
        Step(
            name="create", zh="新建一家机构和三项服务", en="create a provider and three offerings",
            lines=(provider.line(1), edited.line(1), ended.line(1), forked.line(1)), expects=("created",) * 4,
        ),
        Step(
            name="update", zh="修改一项服务", en="edit an offering", lines=(edited.line(2, edit),), expects=("updated",)
        ),
        Step(
            name="duplicate", zh="原样再发一次", en="send the same again", lines=(edited.line(2, edit),),
            expects=("unchanged",),
        ),
        Step(name="stale", zh="发送旧版本", en="send the older version", lines=(edited.line(1),), expects=("stale",)),
        Step(
            name="tombstone", zh="删除一项服务", en="delete an offering", lines=(ended.line(2, deleted=True),),
            expects=("updated",),
        ),
        Step(
            name="resurrection", zh="再发送已删除者的旧版本", en="send the older version of what was deleted",
            lines=(ended.line(1),), expects=("stale",),
        ),
        Step(
            name="fork", zh="以同一版本发送不同内容", en="send other content under the same version",
            lines=(forked.line(1, {"title": "示例测试服务 example said otherwise"}),), expects=("fork",),
        ),
        Step(
            name="mend-fork", zh="以更高版本解决分叉", en="end the fork with a higher version",
            lines=(forked.line(2, mended),), expects=("updated",),
        ),
        Step(
            name="bad-row", zh="一行价格有误，一行正确", en="one line with a bad price, one that is right",
            lines=(wrong.line(1, bad), neighbour.line(1)), expects=("rejected", "created"),
        ),
        Step(name="mend-row", zh="改正后重发", en="send it mended", lines=(wrong.line(1),), expects=("created",)),
    ]  # fmt: skip
    if foreign is not None:
        other = (provider if foreign[0] == "provider" else edited).data
        steps.append(
            Step(
                name="foreign", zh="发送其他平台的记录", en="send a record of another platform",
                lines=(_Record(foreign[0], foreign[1], other).line(1),), expects=("not_owner",),
            )
        )  # fmt: skip
    steps = [
        step.model_copy(update={"lines": tuple(_in(epoch, line) for line in step.lines)}) for step in steps
    ]
    expected = (
        _expect(provider, 1, ("send-create",), "name"),
        _expect(edited, 2, ("send-update", "send-duplicate", "send-stale"), "title", edit),
        _expect(ended, 2, ("send-tombstone", "send-no-resurrection"), "title", deleted=True),
        _expect(forked, 2, ("send-fork", "send-mend-fork"), "title", mended),
        _expect(neighbour, 1, ("send-bad-row",), "title"),
        _expect(wrong, 1, ("send-mend-row",), "title"),
    )
    clean_up = (
        edited.line(3, deleted=True), forked.line(3, deleted=True), neighbour.line(2, deleted=True),
        wrong.line(2, deleted=True), provider.line(2, deleted=True),
    )  # fmt: skip
    return Script(
        steps=tuple(steps), expected=expected, clean_up=tuple(_in(epoch, line) for line in clean_up)
    )


def _in(epoch: int, line: dict[str, Any]) -> dict[str, Any]:
    return json.loads(json.dumps(line)) | {"epoch": epoch}


def _expect(
    record: _Record,
    version: int,
    rules: tuple[str, ...],
    field: str,
    changed: Mapping[str, Any] | None = None,
    *,
    deleted: bool = False,
) -> Expected:
    return Expected(
        noun=record.noun, id=record.id, version=version, deleted=deleted,
        text=str((record.data | dict(changed or {}))[field]), rules=rules,
    )  # fmt: skip
