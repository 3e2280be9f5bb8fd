"""Resources over HTTP. Contacts are shown to their owner only."""

from datetime import datetime
from uuid import UUID

from agency.offerings.domain import Review
from common.auth import Principal
from common.fields import Line
from common.http import In, Out
from pydantic import ConfigDict

from cluster.resources.domain import Changes, Form, Resource, ResourceState
from cluster.resources.hours import Opening


class ResourceIn(Form, In):
    """An instrument to be shared, of an active provider of yours."""

    provider_id: UUID

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "provider_id": "01980000-0000-7000-8000-000000000001",
                    "equipment_name": "场发射扫描电子显微镜",
                    "specification_model": "JSM-7800F",
                    "instrument_classification": "电子光学仪器",
                    "original_instrument_value_cents": 380000000,
                    "owner": "示例·稀土新材料实验室",
                    "manufacturer": "日本电子",
                    "production_country": "日本",
                    "area": "150203",
                    "placement_address": "包头市昆都仑区示例路1号",
                    "charges": "按机时收费，样品制备另计",
                    "hourly_occupancy_fee_cents": 40000,
                    "effective_hours_per_year": 1600,
                    "external_sharing_hours": 600,
                    "use_status": "在用",
                    "operating_status": "正常",
                    "technical_index": "分辨率 0.8 nm（15 kV）",
                    "functions": "微观形貌观察与能谱分析",
                    "introduction": "面向中小企业开放的材料表征设备。",
                    "main_accessories": "能谱仪",
                    "opening_hours": [
                        {"weekday": day, "opens": "08:30", "closes": "17:30"} for day in (1, 2, 3, 4, 5)
                    ],
                    "contact_person": "李四",
                    "contact_number": "0472-5200000",
                    "email": "sem@example.com",
                    "example": True,
                }
            ]
        }
    )


class ResourcePatch(Changes, In):
    """Fields to change; what is left out stays."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"hourly_occupancy_fee_cents": 45000}]})


class ResourceReviewIn(In):
    """The decision of the platform's staff."""

    decision: Review
    reason: Line | None = None

    model_config = ConfigDict(json_schema_extra={"examples": [{"decision": "publish"}]})


class ResourceOut(Out):
    """A resource."""

    id: UUID
    epoch: int
    version: int
    provider_id: UUID
    equipment_name: str
    specification_model: str | None
    instrument_classification: str | None
    original_instrument_value_cents: int | None
    owner: str | None
    manufacturer: str | None
    production_country: str | None
    supplier: str | None
    area: str
    placement_address: str
    charges: str
    hourly_occupancy_fee_cents: int
    device_id: str | None
    effective_hours_per_year: int | None
    external_sharing_hours: int | None
    use_status: str | None
    operating_status: str | None
    technical_index: str
    functions: str
    introduction: str
    main_accessories: str
    category: str
    opening_hours: tuple[Opening, ...]
    contact_person: str | None
    contact_number: str | None
    email: str | None
    example: bool
    capacity: int
    state: ResourceState
    state_reason: str | None
    submitted_at: datetime
    changed_at: datetime


def shown(resource: Resource, who: Principal) -> ResourceOut:
    """What the caller may see of it."""
    out = ResourceOut.model_validate(resource)
    if resource.owner_subject == who.subject:
        return out
    return out.model_copy(update={"contact_person": None, "contact_number": None, "email": None})
