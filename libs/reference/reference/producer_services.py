"""Producer services (生产性服务业): the six fields of 2013, a proposed mapping to industry codes."""

from dataclasses import dataclass
from functools import cache

from reference import industries
from reference.packaged import document


@dataclass(frozen=True)
class ProducerField:
    id: str
    zh: str
    en: str
    industries: tuple[str, ...]


@cache
def everything() -> tuple[ProducerField, ...]:
    return tuple(
        ProducerField(entry["id"], entry["zh"], entry["en"], tuple(entry["industries"]))
        for entry in document("producer_services.json")["fields"]
    )


def field_of(industry_code: str) -> ProducerField | None:
    """Return the field an industry belongs to, if it is a producer service.

    Raises: UnknownIndustry.
    """
    for field in everything():
        if any(industries.is_within(industry_code, listed) for listed in field.industries):
            return field
    return None
