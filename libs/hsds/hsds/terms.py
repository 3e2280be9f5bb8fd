"""The taxonomies of this network as HSDS taxonomies and terms; ids are the same on every machine."""

from functools import cache, lru_cache
from typing import Any

from common import ids
from reference import categories

CATEGORY, KIND, SIZE = "service-category", "offering-kind", "enterprise-size"
# taxonomy -> (name, what it is, what its terms say of a service)
_TAXONOMIES = {
    CATEGORY: ("服务分类 Service categories", "中小企业服务分类，两级 Services for SMEs, two levels", "category"),
    KIND: ("服务产品种类 Kinds of offerings", "服务产品的种类 What kind of offering it is", "kind"),
    SIZE: ("企业规模 Enterprise sizes", "服务对象的规模 Which sizes it serves", "audience"),
}  # fmt: skip
_KINDS = {
    "service": ("服务", "Service"), "instrument": ("仪器设备", "Instrument"),
    "technology_achievement": ("科技成果", "Technology achievement"), "finance_product": ("金融产品", "Finance product"),
    "training": ("培训", "Training"), "space": ("场地", "Space"),
}  # fmt: skip
_SIZES = {
    "micro": ("微型", "Micro"), "small": ("小型", "Small"), "medium": ("中型", "Medium"), "large": ("大型", "Large"),
}  # fmt: skip


@cache
def taxonomy_id(taxonomy: str) -> str:
    return str(ids.derived("hsds", "taxonomy", taxonomy))


@lru_cache(maxsize=1024)  # a record may name any word
def term_id(taxonomy: str, code: str) -> str:
    return str(ids.derived("hsds", "term", taxonomy, code))


@cache
def taxonomies() -> tuple[dict[str, Any], ...]:
    return tuple(
        {
            "id": taxonomy_id(key),
            "name": name,
            "description": about,
            "version": categories.edition() if key == CATEGORY else "1",
        }
        for key, (name, about, _) in _TAXONOMIES.items()
    )


@cache
def terms() -> tuple[dict[str, Any], ...]:
    """Every term, each category before those below it."""
    made = [
        _term(CATEGORY, one.id, one.zh, one.en, parent=one.parent) for one in categories.all()
    ]  # fmt: skip
    made += [_term(KIND, code, zh, en) for code, (zh, en) in _KINDS.items()]
    made += [_term(SIZE, code, zh, en) for code, (zh, en) in _SIZES.items()]
    return tuple(made)


def _term(taxonomy: str, code: str, zh: str, en: str, *, parent: str | None = None) -> dict[str, Any]:
    return {
        "id": term_id(taxonomy, code),
        "code": code,
        "name": zh,
        "description": en,
        **({"parent_id": term_id(taxonomy, parent)} if parent else {}),
        "taxonomy": _TAXONOMIES[taxonomy][0],
        "language": "zh",
        "taxonomy_id": taxonomy_id(taxonomy),
    }


@cache
def _by_id() -> dict[str, dict[str, Any]]:
    return {term["id"]: term for term in terms()}


def term(id: str) -> dict[str, Any] | None:
    return _by_id().get(id)


def taxonomy(id: str) -> dict[str, Any] | None:
    return next((one for one in taxonomies() if one["id"] == id), None)


def attribute(taxonomy: str, code: str, entity: str, link: str) -> dict[str, Any] | None:
    """The mark of a term on an organization or a service; None for a code that is no term."""
    id = term_id(taxonomy, code)
    if id not in _by_id():
        return None
    return {
        "id": str(ids.derived("hsds", "attribute", link, id)),
        "link_id": link,
        "taxonomy_term_id": id,
        "link_type": _TAXONOMIES[taxonomy][2],
        "link_entity": entity,
    }


def code_of(attribute: dict[str, Any], taxonomy: str) -> str | None:
    """The code of a term of ours, by its id."""
    whole = attribute.get("taxonomy_term")
    id = attribute.get("taxonomy_term_id") or (whole.get("id") if isinstance(whole, dict) else None)
    found = term(str(id))
    return found["code"] if found and found["taxonomy_id"] == taxonomy_id(taxonomy) else None


@cache
def _named() -> dict[str, str]:
    """Categories by what people write: the code, then the names, then the words that mean one category alone."""
    found: dict[str, str] = {}
    words: dict[str, set[str]] = {}
    for one in categories.all():
        for name in (one.id, one.zh, one.en):
            found.setdefault(name.casefold(), one.id)
        if one.parent:
            for word in one.keywords:
                words.setdefault(word.casefold(), set()).add(one.id)
    for word, meant in words.items():
        if len(meant) == 1:
            found.setdefault(word, next(iter(meant)))
    return found


def category_named(text: str) -> str | None:
    return _named().get(" ".join(text.split()).casefold())


def is_category(code: str) -> bool:
    return _named().get(code) == code
