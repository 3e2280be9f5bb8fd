"""Public states and directories for the tests, and the schemas that exports are held to."""

import json
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import UUID

from common.contracts.offerings import Offering
from common.contracts.providers import Provider
from hsds import profile
from hypothesis import strategies as st
from jsonschema import Draft202012Validator, FormatChecker
from reference import categories, credit_code, divisions
from referencing import Registry, Resource

OHANA = Path(__file__).parent / "ohana"
PUBLISHED = os.environ.get("HUBNET_HSDS_SCHEMAS")


@dataclass
class Said:
    """A public state as its owner tells it."""

    noun: str
    data: dict[str, Any]
    epoch: int = 1
    version: int = 1
    deleted: bool = False
    platform: str | None = None

    @classmethod
    def of(cls, state: Provider | Offering, platform: str | None = None) -> "Said":
        noun = "provider" if isinstance(state, Provider) else "offering"
        data = state.model_dump(mode="json")
        return cls(noun, data, state.epoch, state.version, state.state == "retired", platform)


def code(number: int) -> str:
    return credit_code.complete(f"91150100EXT{number:06d}")


def provider(**other: Any) -> Provider:
    known = {
        "id": UUID(int=1),
        "version": 3,
        "name": "示例服务中心",
        "credit_code": code(1),
        "division": "150203",
    }
    return Provider(**known | {"state": "active"} | other)


def offering(**other: Any) -> Offering:
    known = {
        "id": UUID(int=2), "version": 1, "provider_id": UUID(int=1), "provider_name": "示例服务中心",
        "kind": "service", "title": "示例检测", "summary": "三日出报告", "division": "150203",
        "category": "technology_quality.testing", "state": "published",
    }  # fmt: skip
    return Offering(**known | other)


def organization(**other: Any) -> dict[str, Any]:
    """A foreign record with nothing wrong."""
    return {
        "id": "o1",
        "name": "示例机构",
        "description": "",
        "credit_code": code(1),
        "division": "150203",
    } | other


def service(**other: Any) -> dict[str, Any]:
    mark = {
        "id": "a1",
        "taxonomy_term": {"id": "t", "name": "检验检测", "code": "technology_quality.testing"},
    }
    known = {
        "id": "s1",
        "name": "示例检测",
        "status": "active",
        "organization_id": "o1",
        "attributes": [mark],
    }
    return known | other


def document(*records: dict[str, Any], **head: Any) -> bytes:
    """A catalogue of foreign records; what has a status is a service."""
    services = [one for one in records if "status" in one]
    rest = [one for one in records if "status" not in one]
    return json.dumps(head | {"organizations": rest, "services": services}, ensure_ascii=False).encode()


TEXT = st.text(st.characters(codec="utf-8", categories=["L", "N", "P", "Zs"]), min_size=1, max_size=30)
LINES = TEXT.map(lambda text: "例" + text.strip() + "1")
CENTS = st.none() | st.integers(0, 10_000_000_000_000)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | TEXT | st.floats(-1e9, 1e9),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(LINES, inner, max_size=3),
    max_leaves=8,
)
PLACES = st.sampled_from([place.code for place in divisions.everything()])
AREAS = st.sampled_from(["15", "1501", "150203", "1525", "99"])
CATEGORIES = st.sampled_from([one.id for one in categories.all()] + ["of-another-taxonomy"])
STATES = ["draft", "in_review", "returned", "published", "paused", "full", "retired"]


@st.composite
def providers(draw: st.DrawFn, number: int) -> Said:
    state = Provider(
        id=UUID(int=draw(st.integers(1, 2**60)) * 1000 + number),
        epoch=draw(st.integers(1, 3)),
        version=draw(st.integers(1, 2**40)),
        name=draw(LINES),
        credit_code=draw(st.just(code(number)) | st.just("91150200MA0N0000X1")),
        division=draw(PLACES | st.just("990000")),
        categories=draw(st.lists(CATEGORIES, max_size=4)),
        qualifications=draw(st.lists(st.fixed_dictionaries({"name": LINES}), max_size=2)),
        profile=draw(LINES | st.just("")),
        example=draw(st.booleans()),
        state=draw(st.sampled_from(["submitted", "active", "suspended", "retired"])),
        state_reason=draw(st.none() | LINES),
    )
    return Said.of(state, draw(st.none() | st.just("baotou")))


@st.composite
def offerings(draw: st.DrawFn, number: int, owner: Said) -> Said:
    low = draw(CENTS)
    state = Offering(
        id=UUID(int=draw(st.integers(1, 2**60)) * 1000 + 500 + number),
        epoch=draw(st.integers(1, 3)),
        version=draw(st.integers(1, 2**40)),
        provider_id=owner.data["id"],
        provider_name=draw(st.just(owner.data["name"]) | LINES),
        kind=draw(st.sampled_from(["service", "instrument", "training", "space"])),
        title=draw(LINES),
        summary=draw(LINES | st.just("")),
        category=draw(CATEGORIES),
        division=draw(PLACES),
        service_area=draw(st.lists(AREAS, max_size=3)),
        price={"from_cents": low, "to_cents": draw(st.just(low) | CENTS), "unit": draw(st.sampled_from(["case", "hour", "percent"]))},
        lead_days=draw(st.none() | st.integers(0, 3650)),
        size_classes=draw(st.lists(st.sampled_from(["micro", "small", "not_applicable"]), max_size=3)),
        qualifications=draw(st.lists(LINES, max_size=2)),
        capacity=draw(st.none() | st.integers(0, 9)),
        attributes=draw(st.dictionaries(LINES, JSON, max_size=3)),
        example=draw(st.booleans()),
        state=draw(st.sampled_from(STATES)),
        state_reason=draw(st.none() | LINES),
    )  # fmt: skip
    said = Said.of(state)
    # What an older release never knew is not there; what a newer one adds is.
    for name in draw(st.sets(st.sampled_from(["capacity", "finance", "achievement", "size_classes"]))):
        del said.data[name]
    said.data |= draw(st.just({}) | st.just({"grown_later": [1, 1.5, None, "x"]}))
    return said


@st.composite
def states(draw: st.DrawFn) -> list[Said]:
    owners = [draw(providers(number)) for number in range(draw(st.integers(1, 3)))]
    offered = [
        draw(offerings(number, draw(st.sampled_from(owners)))) for number in range(draw(st.integers(0, 3)))
    ]
    return [*owners, *offered]


class Schemas:
    """JSON Schemas by file name, each of which may refer to the others."""

    def __init__(self, schemas: dict[str, dict[str, Any]]):
        # A published file says under which address it stands; here it stands beside the others.
        self.schemas = {name: {k: v for k, v in one.items() if k != "$id"} for name, one in schemas.items()}
        resources = [
            (name, Resource.from_contents({"$schema": profile.DIALECT} | schema))
            for name, schema in self.schemas.items()
        ]
        self.registry = Registry().with_resources(resources)

    @classmethod
    def stated(cls) -> "Schemas":
        return cls(profile.schemas())

    @classmethod
    def profiled(cls) -> "Schemas":
        return cls(
            {
                name: profile.merged(one, profile.PATCHES.get(name) or {})
                for name, one in profile.schemas().items()
            }
        )

    @classmethod
    def in_folder(cls, folder: Path) -> "Schemas":
        found = {path.name: json.loads(path.read_text("utf-8")) for path in folder.glob("*.json")}
        return cls(
            {name: one for name, one in found.items() if one.get("type") == "object" and "name" in one}
        )

    def wrong(self, table: str, record: Any) -> list[str]:
        """What a record breaks."""
        schema = self.schemas[f"{table}.json"]
        validator = Draft202012Validator(
            {"$ref": f"{table}.json"}, registry=self.registry, format_checker=FormatChecker()
        )
        assert "id" in schema["properties"]
        return [f"{table} {error.json_path}: {error.message}" for error in validator.iter_errors(record)]


def every_schema(folder: Path) -> list[Schemas]:
    """Our statement, that statement read back from a folder, the profile, and the published ones where given."""
    for name, schema in profile.schemas().items():
        (folder / name).write_text(json.dumps(schema), encoding="utf-8")
    given = [Schemas.in_folder(Path(PUBLISHED))] if PUBLISHED else []
    return [Schemas.stated(), Schemas.in_folder(folder), Schemas.profiled(), *given]
