"""The profile: what this network adds to HSDS 3.0, as JSON Merge Patches over the published schemas."""

from collections.abc import Iterable, Mapping
from typing import Any

from hsds import fields
from hsds.fields import Field

NAME = "hubnet"
VERSION = "1.0.0"
DIALECT = "https://json-schema.org/draft/2020-12/schema"
Patch = dict[str, Any]

_DIVISION = {"type": "string", "pattern": "^[0-9]{6}$"}
# What every record says of itself, so that copies can follow it.
_RECORD: dict[str, Patch] = {
    "record_epoch": {"type": "integer", "minimum": 1, "description": "纪元；恢复备份后增加 Raised when its owner was restored from a backup"},
    "record_version": {"type": "integer", "minimum": 1, "description": "版本；每次修改加一 Raised with every change; the higher (epoch, version) holds"},
    "record_deleted": {"type": "boolean", "description": "已删除（墓碑） A tombstone: the record is gone and never comes back"},
    "platform": {"type": "string", "pattern": "^[a-z0-9]+(-[a-z0-9]+)*$", "description": "所属平台 The platform that owns the record"},
    "hubnet": {
        "type": "object",
        "description": "HSDS 没有对应位置的内容 What HSDS has no place for, by the names of the contract; absent: fields it does not have",
        "properties": {"fields": {"type": "object"}, "absent": {"type": "array", "items": {"type": "string"}}},
    },
}  # fmt: skip
PATCHES: Mapping[str, Patch] = {
    "organization.json": {
        "properties": {
            "credit_code": {
                "type": "string",
                "pattern": "^[0-9A-HJ-NP-RTUW-Y]{18}$",
                "description": "统一社会信用代码 Unified social credit code (GB 32100)",
            },
            "division": _DIVISION
            | {"description": "所在地行政区划代码 Administrative division (GB/T 2260)"},
            **_RECORD,
        },
        "required": ["id", "name", "description", "credit_code", "division"],
    },
    "service.json": {
        "properties": {
            "division": _DIVISION | {"description": "服务地行政区划代码 Where it is given (GB/T 2260)"},
            **_RECORD,
        },
        "required": ["id", "name", "status", "organization_id", "division"],
    },
    "service_area.json": {
        "properties": {
            "area_code": {
                "type": "string",
                "pattern": "^[0-9]{2}([0-9]{2}){0,2}$",
                "description": "服务区域代码前缀 Prefix of the divisions it serves (GB/T 2260)",
            }
        },
        "required": ["id", "area_code"],
    },
    "cost_option.json": {
        "properties": {
            "price_unit": {
                "enum": [
                    "case", "hour", "day", "sample", "month", "year", "person", "percent", "square_metre",
                ],
                "description": "计价单位 What the amount is for one of",
            },
            "price_end": {
                "enum": ["from", "to", "exact"],
                "description": "价格下限、上限或定价 The lower or the upper end of the price, or both",
            },
        }
    },
    "openapi.json": {
        "info": {
            "title": "联合目录 Catalogue of the region (HSDS)",
            "version": VERSION,
            "summary": "内蒙古中小企业公共服务网络的服务机构与服务产品",
            "description": "Providers and offerings of the public service hub network, read only",
            "contact": None,
            "license": {"name": "see the publisher"},
        },
        "paths": {
            "/": {
                "get": {
                    "responses": {
                        "200": {
                            "content": {
                                "application/json": {
                                    "schema": {
                                        "properties": {
                                            "deletion_policy": {
                                                "enum": ["tombstone", "absence"],
                                                "description": "缺失的记录意味着什么 What a missing record means",
                                            }
                                        }
                                    }
                                }
                            }
                        }
                    }
                }
            },
            "/service_at_locations": None,
            "/service_at_locations/{id}": None,
        },
    },
}  # fmt: skip


def merged(target: Any, patch: Any) -> Any:
    """Source: RFC 7386, JSON Merge Patch."""
    if not isinstance(patch, dict):
        return patch
    result: dict[str, Any] = dict(target) if isinstance(target, dict) else {}
    for name, value in patch.items():
        if value is None:
            result.pop(name, None)
        else:
            result[name] = merged(result.get(name), value)
    return result


def schemas() -> dict[str, Patch]:
    """Our statement of HSDS 3.0 as JSON Schemas, by file; without this profile."""
    return {f"{table.name}.json": _schema(table) for table in fields.tables().values()}


def _schema(table: fields.Table) -> Patch:
    return {
        "$schema": DIALECT,
        "name": table.name,
        "path": table.file,
        "type": "object",
        "properties": {field.name: _property(field) for field in table.fields.values()},
        "required": [field.name for field in table.fields.values() if field.needed],
        "tabular_required": [
            field.name for field in table.fields.values() if field.needed_in_tables and not field.needed
        ],
    }


def _property(field: Field) -> Patch:
    if field.kind == "list":
        return {"type": "array", "items": {"$ref": f"{field.table}.json"}}
    if field.kind == "one":
        return {"$ref": f"{field.table}.json"}
    if field.kind == "number":
        return {"type": "number"}
    made: Patch = {"type": "string"}
    if field.kind != "text":
        made["format"] = field.kind
    if field.words:
        made["enum"] = list(field.words)
    return made


def added(table: str) -> dict[str, Patch]:
    """The properties this profile adds to a table."""
    return PATCHES.get(f"{table}.json", {}).get("properties", {})


def columns(table: str) -> tuple[str, ...]:
    """The columns of a table as this profile writes them."""
    return (*(field.name for field in fields.tables()[table].columns), *added(table))


def file_of(table: str) -> str:
    return fields.tables()[table].file


def document(url: str | None = None) -> dict[str, Any]:
    """The profile as a machine reads it; `url` is where it stands."""
    return {
        "name": NAME,
        "version": VERSION,
        "title": "内蒙古中小企业公共服务网络 HSDS 配置 HSDS profile of the SME service hub network",
        "hsds_version": fields.VERSION,
        **({"url": url} if url else {}),
        "deletion_policies": {
            "tombstone": "每次删除都有墓碑（record_deleted）；缺失不表示删除 Every deletion is said; absence says nothing",
            "absence": "完整目录中缺失即为删除 What a whole catalogue does not hold is gone",
        },
        "extensions": {
            name.removesuffix(".json"): sorted(patch["properties"])
            for name, patch in PATCHES.items()
            if "properties" in patch
        },
        "profile": dict(PATCHES),
    }


_KINDS = {"number": "number", "integer": "integer", "boolean": "boolean", "object": "object"}


def datapackage(tables: Iterable[str], *, name: str, **about: str) -> dict[str, Any]:
    """The descriptor of a tabular data package that holds these tables; `about` stands in its head.

    Source: Frictionless Tabular Data Package 1.
    """
    return {
        "profile": "tabular-data-package",
        "name": name,
        "title": "服务目录 Service directory (HSDS 3.0)",
        "hsds_version": fields.VERSION,
        "hsds_profile": {"name": NAME, "version": VERSION},
        **about,
        "resources": [_resource(table, set(tables)) for table in tables],
    }


def _resource(name: str, present: set[str]) -> dict[str, Any]:
    table, more = fields.tables()[name], added(name)
    described: list[dict[str, Any]] = []
    for column in columns(name):
        field = table.fields.get(column)
        if field is None:
            entry: Patch = {"name": column, "type": _KINDS.get(more[column].get("type", ""), "string")}
        else:
            entry = {"name": column, "type": "number" if field.kind == "number" else "string"}
            if field.kind in ("uuid", "uri", "email"):
                entry["format"] = field.kind
            if field.needed_in_tables:
                entry["constraints"] = {"required": True} | (
                    {"enum": list(field.words)} if field.words else {}
                )
        described.append(entry)
    keys = [
        {"fields": column, "reference": {"resource": f"{to}", "fields": "id"}}
        for column, to in references(name).items()
        if to in present
    ]
    return {
        "name": name,
        "path": table.file,
        "profile": "tabular-data-resource",
        "format": "csv",
        "mediatype": "text/csv",
        "encoding": "utf-8",
        "schema": {
            "fields": described,
            "primaryKey": "id",
            "missingValues": [""],
            **({"foreignKeys": keys} if keys else {}),
        },
    }


def references(table: str) -> dict[str, str]:
    """The columns of a table that hold ids of another: column -> table."""
    known = fields.tables()
    found: dict[str, str] = {}
    for column in known[table].columns:
        target = column.name.removesuffix("_id")
        if column.name == "parent_organization_id":
            found[column.name] = "organization"
        elif column.name == "parent_id":
            found[column.name] = table
        elif column.name.endswith("_id") and target in known:
            found[column.name] = target
    return found
