"""Providers over HTTP. The owner's subject is never shown; contacts are whole only to their owner."""

from datetime import datetime
from typing import Annotated
from uuid import UUID

from common.auth import Principal
from common.contracts.providers import ProviderState, Qualification, Recognition
from common.fields import Line, Moment, OptionalText
from common.http import In, Out
from pydantic import ConfigDict, Field

from agency.providers.domain import Changes, Decision, Provider, Registration


class ProviderIn(Registration, In):
    """A registration."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "name": "示例·包头稀土检测技术有限公司",
                    "credit_code": "91150203MA0N1A2B3G",
                    "division": "150203",
                    "categories": ["technology_quality.testing"],
                    "qualifications": [
                        {
                            "name": "CMA 检验检测机构资质认定",
                            "number": "230512340001",
                            "valid_until": "2029-06-30",
                        }
                    ],
                    "profile": "稀土材料成分与性能检测，服务中小企业。",
                    "example": True,
                    "contact_name": "张三",
                    "contact_phone": "0472-5100000",
                    "contact_email": "lab@example.com",
                }
            ]
        }
    )


class ProviderPatch(Changes, In):
    """Fields to change; what is left out stays."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"profile": "新增失效分析服务。"}]})


class RecognitionIn(Recognition, In):
    """An official recognition, such as a demonstration platform (示范平台) of the region."""


class RecognitionsIn(In):
    """All recognitions it has from now on; an empty list takes them away."""

    recognitions: Annotated[tuple[RecognitionIn, ...], Field(max_length=20)]

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "recognitions": [
                        {
                            "name": "自治区中小企业公共服务示范平台",
                            "level": "region",
                            "valid_until": "2030-12-31",
                        }
                    ]
                }
            ]
        }
    )


class VerificationIn(In):
    """The decision of the platform's staff."""

    decision: Decision
    reason: Line | None = None

    model_config = ConfigDict(json_schema_extra={"examples": [{"decision": "approve"}]})


class SuspensionIn(In):
    """Why, and until when; without an end it lasts until restored."""

    reason: Line
    until: Moment | None = None

    model_config = ConfigDict(json_schema_extra={"examples": [{"reason": "资质证书待补"}]})


class ProviderOut(Out):
    """A provider."""

    id: UUID
    epoch: int
    version: int
    name: str
    credit_code: str
    division: str
    categories: tuple[str, ...]
    qualifications: tuple[Qualification, ...]
    recognitions: tuple[Recognition, ...]
    profile: OptionalText
    example: bool
    state: ProviderState
    state_reason: str | None
    suspended_until: datetime | None
    contact_name: str | None
    contact_phone: str | None
    contact_email: str | None
    registered_at: datetime
    changed_at: datetime


def shown(provider: Provider, who: Principal) -> ProviderOut:
    """What the caller may see of it."""
    out = ProviderOut.model_validate(provider)
    if provider.owner_subject == who.subject:
        return out
    masks = {
        "contact_name": out.contact_name and out.contact_name[0] + "*",
        "contact_phone": out.contact_phone and f"****{out.contact_phone[-2:]}",
        "contact_email": out.contact_email
        and f"{out.contact_email[0]}***@{out.contact_email.split('@')[-1]}",
    }
    return out.model_copy(update=masks)
