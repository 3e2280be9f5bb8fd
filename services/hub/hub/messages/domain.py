"""Envelopes as lines, and what became of each."""

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

from common.contracts.envelope import FACTS
from common.errors import Invalid

Verdict = Literal["done", "parked", "again"]
MAX_LINES = 1000
# A key as the inbox keeps it.
MAX_KEY = 64

# reason -> what to do about it, in Chinese and in English.
MENDS: dict[str, tuple[str, str]] = {
    "not-json": ("该行不是 UTF-8 的 JSON 对象；每行一条消息", "the line is no JSON object in UTF-8; one message a line"),
    "too-large": ("消息过大；请缩短文字或属性", "the message is too large; shorten its texts or attributes"),
    "bad-envelope": (
        "信封字段不符合 CloudEvents 及本网扩展；见 docs/api.md“消息”",
        "the envelope breaks CloudEvents or our extensions; see docs/api.md, Messages over HTTP",
    ),
    "foreign-source": ("source 必须是本平台编号", "source must be the id of your own platform"),
    "unknown-type": ("没有这种消息类型；见 docs/asyncapi.json", "there is no such type; see docs/asyncapi.json"),
    "bad-data": (
        "data 不符合该类型的格式，或与信封的编号、版本不一致；见 docs/asyncapi.json",
        "data breaks the schema of the type, or differs from the envelope in id or version; see docs/asyncapi.json",
    ),
    "noun-not-allowed": ("您的平台类型无权发布此类消息", "a platform of your kind may not say this noun"),
    "member-not-active": (
        "正式运行前只能发布服务机构和服务产品；请在转为正式后再发送",
        "before you are active you may only say providers and offerings; send it again once active",
    ),
    "not-owner": ("该记录属于其他平台；只有所属平台可以发布", "the record is another platform's; only its owner may say it"),
    "unknown-recipient": ("网络中没有该接收平台；见 /v1/nodes", "there is no such recipient; see /v1/nodes"),
    "wrong-recipient": ("recipient 与内容中的平台不一致", "recipient differs from the platform named in data"),
}  # fmt: skip
OTHER = (
    "消息未被采纳，已留存于枢纽的死信；请按 detail 修改后以新的 id 重新发送",
    "the message was refused and kept as a dead letter; mend it by `detail` and send it with a new id",
)


@dataclass(frozen=True)
class Line:
    """One message as it came, and the key it is known by."""

    number: int
    data: bytes
    key: str


def lines(body: bytes) -> Sequence[Line]:
    """The messages of a body; empty lines do not count.

    Raises: Invalid for none or too many.
    """
    found = [
        Line(number, whole(data), _key(data))
        for number, data in enumerate(body.split(b"\n"), start=1)
        if data.strip()
    ]
    if not 0 < len(found) <= MAX_LINES:
        raise Invalid(
            "lines-count",
            zh=f"请提交 1 至 {MAX_LINES} 行消息（NDJSON）",
            en=f"send 1 to {MAX_LINES} lines, one message each (NDJSON)",
        )
    return found


def whole(data: bytes) -> bytes:
    """A message with its state as we write it: what may be left out is filled in.

    Whoever reads a copy later finds every field, and the same content has the same hash however it came.
    What cannot be read stays as it is: the inbox says what is wrong with it.
    """
    try:
        said: Any = json.loads(data)
        state = FACTS[said["type"]].model_validate(said["data"])
        return json.dumps(said | {"data": state.model_dump(mode="json")}, ensure_ascii=False).encode()
    except (ValueError, KeyError, TypeError, RecursionError):
        return data


def _key(data: bytes) -> str:
    """The id of a message that may be unreadable otherwise."""
    try:
        found = json.loads(data)["id"]
    except (ValueError, KeyError, TypeError, RecursionError):
        found = None
    if isinstance(found, str) and len(found) <= MAX_KEY:
        return found
    return hashlib.sha256(data).hexdigest()


def mend(reason: str) -> tuple[str, str]:
    return MENDS.get(reason, OTHER)
