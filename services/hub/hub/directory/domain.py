"""Providers and offerings as HSDS shows them: pages, lists of plain fields, whole records."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from common.errors import Invalid
from hsds import mapping, profile, terms
from hsds.fields import VERSION

from hub.catalogue import domain as catalogue
from hub.catalogue.domain import Copy, Search

Record = dict[str, Any]
DELETION_POLICY = "tombstone"
PLAIN = (str, int, float, bool)


@dataclass(frozen=True)
class Said:
    """A copy as a public state."""

    noun: str
    epoch: int
    version: int
    deleted: bool
    data: dict[str, Any]
    platform: str

    @classmethod
    def of(cls, noun: str, copy: Copy) -> "Said":
        return cls(noun, copy.epoch, copy.version, copy.deleted, copy.body, copy.owner)


def shown(noun: str, copy: Copy) -> Said:
    """As anybody may see it: why staff put it in its state is between them and the provider."""
    said = Said.of(noun, copy)
    told = {name: value for name, value in said.data.items() if name != "state_reason"}
    return Said(noun, said.epoch, said.version, said.deleted, told, said.platform)


def organization(copy: Copy) -> Record:
    return _termed(mapping.organization(shown("provider", copy)))


def service(copy: Copy, owner: Copy | None) -> Record:
    """An offering with all that belongs to it."""
    names = {str(owner.id): str(owner.body.get("name", ""))} if owner else {}
    record = _termed(mapping.service(shown("offering", copy), names))
    return record | ({"organization": organization(owner)} if owner else {})


def plain(record: Record) -> Record:
    """The fields that are no list; the one organization stays, as plain as the rest."""
    known = {name: value for name, value in record.items() if isinstance(value, PLAIN)}
    nested = record.get("organization")
    return known | ({"organization": plain(nested)} if nested else {})


def _termed(record: Record) -> Record:
    """With the terms its attributes name."""
    marks = [mark | {"taxonomy_term": terms.term(mark["taxonomy_term_id"])} for mark in record["attributes"]]
    return record | {"attributes": marks}


def page(contents: Sequence[Record], *, total: int, number: int, per_page: int) -> Record:
    """A page as HSDS has it."""
    pages = -(-total // per_page)
    return {
        "total_items": total,
        "total_pages": pages,
        "page_number": number,
        "size": len(contents),
        "first_page": number == 1,
        "last_page": number >= pages,
        "empty": not contents,
        "contents": list(contents),
    }


def sliced(records: Sequence[Record], number: int, per_page: int) -> Record:
    """A page of what is all at hand."""
    begin = (number - 1) * per_page
    return page(records[begin : begin + per_page], total=len(records), number=number, per_page=per_page)


def narrowed(search: Search, term: str | None, taxonomy: str | None) -> Search | None:
    """The search within a term of ours and a taxonomy of ours; None where nothing can be found."""
    if taxonomy is not None and taxonomy not in (
        terms.taxonomy_id(terms.CATEGORY),
        terms.taxonomy_id(terms.KIND),
    ):
        return None
    if term is None:
        return search
    known = terms.term(term)
    if known is None or known["taxonomy_id"] == terms.taxonomy_id(terms.SIZE):
        return None
    if taxonomy is not None and known["taxonomy_id"] != taxonomy:
        return None
    if known["taxonomy_id"] == terms.taxonomy_id(terms.KIND):
        return search.model_copy(update={"kind": known["code"]})
    return search.model_copy(update={"categories": catalogue.within(known["code"])})


def not_offered(field: str) -> Invalid:
    return Invalid(
        "not-offered",
        zh="目录不记录修改时间；请去掉此参数，以 record_version 判断新旧",
        en="the catalogue keeps no time of change; leave this out and compare record_version",
        field=field,
    )


def root(base: str) -> Record:
    """What this API is."""
    return {
        "version": VERSION,
        "profile": f"{base}v1/catalogue/hsds/profile",
        "openapi_url": f"{base}openapi.json",
        "description": "内蒙古中小企业公共服务网络联合目录 Catalogue of the SME service hub network of Inner Mongolia",
        "deletion_policy": DELETION_POLICY,
    }


def schema(file: str) -> Record | None:
    """A schema of HSDS with what this profile adds."""
    known = profile.schemas().get(file)
    return None if known is None else profile.merged(known, profile.PATCHES.get(file, {}))


def patch(file: str) -> Record | None:
    return profile.PATCHES.get(file)
