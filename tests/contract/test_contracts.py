"""What nodes of different releases rely on: committed, generated, additive."""

import json
from datetime import UTC, datetime
from pathlib import Path

import jsonschema
import pytest
from common import asyncapi, ids
from common.contracts.envelope import FACTS, Envelope, wrap
from common.contracts.ratings import RatingGiven
from pydantic_asyncapi import AsyncAPI

ROOT = Path(__file__).parents[2]
DOCUMENT = ROOT / "docs" / "asyncapi.json"
SCHEMAS = Path(__file__).parent / "schemas"
MEND = "run: make contracts, and read the difference: only additions are allowed within a major version"


def test_committed_documents_are_what_the_contracts_say():
    files = asyncapi.files(DOCUMENT, SCHEMAS)
    assert set(SCHEMAS.glob("*.json")) == {path for path in files if path != DOCUMENT}, MEND
    differing = [path.name for path, content in files.items() if path.read_text(encoding="utf-8") != content]
    assert differing == [], MEND


def test_an_asyncapi_3_validator_accepts_the_document():
    document = AsyncAPI.model_validate(json.loads(DOCUMENT.read_text(encoding="utf-8"))).root
    assert document.asyncapi == "3.0.0"
    assert set(FACTS) < set(document.components.messages)


@pytest.mark.parametrize("type", sorted(FACTS))
def test_types_are_named_noun_past_verb_version(type):
    noun, verb, version = type.split(".")
    assert noun.isidentifier() and noun.islower()
    assert verb.endswith("ed") or verb in {"found", "given", "held", "lost", "made", "taken", "withdrawn"}
    assert version == "v1"


def rating(**more):
    return RatingGiven(
        id=ids.new(), version=1, engagement_id=ids.new(), demand_id=ids.new(), platform="baotou",
        provider_id=ids.new(), grade=5, rated_at=datetime(2026, 3, 1, tzinfo=UTC), **more,
    )  # fmt: skip


def test_a_message_on_the_wire_fits_the_committed_schema():
    fact = rating(text="很满意")
    envelope = wrap(fact, id=ids.new(), source="hohhot", at=fact.rated_at, recipient="baotou")
    schema = json.loads((SCHEMAS / f"{fact.type}.json").read_text(encoding="utf-8"))
    wire = json.loads(envelope.model_dump_json(exclude_none=True))
    jsonschema.Draft202012Validator(schema).validate(wire)
    wire["data"]["grade"] = 6
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.Draft202012Validator(schema).validate(wire)


def test_a_field_from_a_later_release_is_ignored():
    fact = rating()
    later = fact.model_dump(mode="json") | {"mood": "sunny"}
    assert RatingGiven.model_validate(later) == fact
    envelope = wrap(fact, id=ids.new(), source="hohhot", at=fact.rated_at)
    assert Envelope.model_validate(json.loads(envelope.model_dump_json()) | {"colour": "red"}) == envelope
