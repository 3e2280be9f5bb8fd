"""Which copies are searched, and by which words."""

from typing import Any
from uuid import UUID

from matchmaking.matching.eligibility import SHOWN_OFFERINGS
from matchmaking.matching.retrieval import Document

_KIND_WORDS = {
    "service": "",
    "instrument": "仪器 设备",
    "technology_achievement": "技术 成果 转让",
    "finance_product": "融资 金融产品",
    "training": "培训",
    "space": "场地",
}


def is_shown(state: str, deleted: bool) -> bool:
    """Drafts, returned and retired offerings are not searched at all."""
    return not deleted and state in SHOWN_OFFERINGS


def key_parts(key: str) -> tuple[str, UUID]:
    owner, _, id = key.rpartition("/")
    return owner, UUID(id)


def document(body: dict[str, Any]) -> Document:
    """An offering's text: what it says, and what its attributes hold in words."""
    said = [body["summary"], _KIND_WORDS[body["kind"]], *_strings(body.get("attributes") or {})]
    return Document(body["title"], "\n".join(said), body["category"])


def _strings(value: Any) -> list[str]:
    if isinstance(value, str):
        return [value]
    if isinstance(value, dict):
        return [text for item in value.values() for text in _strings(item)]
    if isinstance(value, list):
        return [text for item in value for text in _strings(item)]
    return []
