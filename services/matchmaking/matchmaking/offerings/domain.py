"""Which copies are searched, by which words, and as what they are judged."""

from sys import intern
from typing import Any
from uuid import UUID

from common.contracts.finance import FinanceTerms
from common.contracts.offerings import Price
from common.contracts.providers import Qualification, Recognition
from common.contracts.technology import Achievement

from matchmaking.matching.eligibility import SHOWN_OFFERINGS
from matchmaking.matching.listing import Listing, Supplier
from matchmaking.matching.retrieval import Document
from matchmaking.matching.standing import UNKNOWN, Standing

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


def document(body: dict[str, Any]) -> Document:
    """An offering's text: what it says, and what its attributes hold in words."""
    achievement = body.get("achievement") or {}
    said = [
        body["summary"],
        _KIND_WORDS[body["kind"]],
        *achievement.get("keywords", ()),
        achievement.get("field") or "",
        *_strings(body.get("attributes") or {}),
    ]
    return Document(body["title"], "\n".join(text for text in said if text), _one(body["category"]))


def _strings(value: Any) -> list[str]:
    if isinstance(value, str):
        return [value]
    if isinstance(value, dict):
        return [text for item in value.values() for text in _strings(item)]
    if isinstance(value, list):
        return [text for item in value for text in _strings(item)]
    return []


def _one(said: Any) -> Any:
    """What many offerings say in the same word, held once for all of them."""
    return intern(said)


def listing(owner: str, body: dict[str, Any]) -> Listing:
    """The body was validated when it came: only its parts with a shape of their own are read again."""
    finance, achievement = body.get("finance"), body.get("achievement")
    return Listing(
        platform=_one(owner),
        offering_id=UUID(body["id"]),
        epoch=body["epoch"],
        version=body["version"],
        provider_id=UUID(body["provider_id"]),
        provider_name=_one(body["provider_name"]),
        kind=_one(body["kind"]),
        title=body["title"],
        category=_one(body["category"]),
        division=_one(body["division"]),
        service_area=tuple(map(_one, body["service_area"])),
        price=Price.model_construct(**body["price"]),
        lead_days=body["lead_days"],
        state=_one(body["state"]),
        example=body.get("example", False),
        size_classes=tuple(map(_one, body.get("size_classes") or ())),
        qualifications=tuple(body.get("qualifications") or ()),
        capacity=body.get("capacity"),
        finance=None if finance is None else FinanceTerms.model_validate(finance),
        achievement=None if achievement is None else Achievement.model_validate(achievement),
    )


def supplier(body: dict[str, Any], standing: Standing = UNKNOWN) -> Supplier:
    return Supplier(
        state=body["state"],
        epoch=body["epoch"],
        version=body["version"],
        qualifications=tuple(map(Qualification.model_validate, body.get("qualifications") or ())),
        recognitions=tuple(map(Recognition.model_validate, body.get("recognitions") or ())),
        standing=standing,
    )
