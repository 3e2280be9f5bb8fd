"""The bus as a document: a JSON Schema a fact, and one AsyncAPI 3 description of all of them.

`python -m common.asyncapi DOCUMENT SCHEMAS` writes both; a test compares them with what is committed.
"""

import json
import sys
from pathlib import Path
from typing import Any

from pydantic.json_schema import models_json_schema

from common import batches, contracts
from common.contracts.envelope import FACTS, Envelope, Fact
from common.heartbeat import Beat, Receipt
from common.messages import MAX_BYTES

REF = "#/components/schemas/{model}"


def schema(fact: type[Fact]) -> dict[str, Any]:
    """The JSON Schema of the envelope with this fact inside."""
    definition = Envelope.model_json_schema(mode="serialization")
    data = fact.model_json_schema(mode="serialization")
    definition["$schema"] = "https://json-schema.org/draft/2020-12/schema"
    definition["$id"] = f"urn:hubnet:schema:{fact.type}"
    definition["title"] = fact.type
    definition["properties"]["type"] = {"const": fact.type}
    definition["$defs"] = definition.get("$defs", {}) | data.pop("$defs", {})
    definition["properties"]["data"] = data
    return definition


def document(release: str = "1.0.0") -> dict[str, Any]:
    """The AsyncAPI 3 document of every message on the bus, seen from a node that joins."""
    assert contracts.__all__  # importing the package is what fills FACTS
    facts = dict(sorted(FACTS.items()))
    _, shared = models_json_schema(
        [(model, "serialization") for model in (*facts.values(), Envelope, Beat, Receipt)], ref_template=REF
    )
    messages: dict[str, Any] = {
        type: {
            "name": type,
            "title": (fact.__doc__ or type).strip().splitlines()[0],
            "contentType": "application/cloudevents+json",
            "payload": {
                "allOf": [
                    {"$ref": REF.format(model="Envelope")},
                    {
                        "type": "object",
                        "properties": {
                            "type": {"const": type},
                            "data": {"$ref": REF.format(model=fact.__name__)},
                        },
                    },
                ]
            },
        }
        for type, fact in facts.items()
    }
    messages[batches.TYPE] = {
        "name": batches.TYPE,
        "title": "Many envelopes, a line each, in the order of the feed; the subject says so, and single ones may be said instead",
        "contentType": "application/x-ndjson",
        "payload": {
            "type": "string",
            "maxLength": MAX_BYTES,
            "description": f"1 to {batches.MAX_LINES} lines; every line is handled, and if need be parked, for itself",
        },
    }
    messages["beat"] = {"name": "beat", "payload": {"$ref": REF.format(model="Beat")}}
    messages["receipt"] = {"name": "receipt", "payload": {"$ref": REF.format(model="Receipt")}}
    parameters: dict[str, Any] = {
        "node": {"description": "Id of the node: a window, a cluster platform or matchmaking"}
    }

    def channel(address: str, description: str, names: list[str]) -> dict[str, Any]:
        references = {name: {"$ref": f"#/components/messages/{name}"} for name in names}
        return {
            "address": address,
            "description": description,
            "parameters": parameters,
            "messages": references,
        }

    spoken = [*facts, batches.TYPE]
    channels: dict[str, Any] = {
        "up": channel("up.{node}.{type}", "What a node says; its account may publish nothing else", spoken),
        "down": channel(
            "down.{node}.{type}", "What is addressed to a node; read by its own consumer", spoken
        ),
        "heartbeat": channel("hb.{node}", "A request nothing stores; the answer is the receipt", ["beat"]),
        "receipt": {"address": None, "messages": {"receipt": {"$ref": "#/components/messages/receipt"}}},
    }
    for name in ("up", "down"):
        channels[name]["parameters"] = parameters | {
            "type": {"description": "The fact's type, or that it is a batch", "enum": spoken}
        }
    return {
        "asyncapi": "3.0.0",
        "info": {
            "title": "Hubnet federation bus",
            "version": release,
            "description": "CloudEvents 1.0 over NATS JetStream. Additive within a major version: ignore what you do not know.",
        },
        "defaultContentType": "application/json",
        "servers": {
            "hub": {"host": "hub.example:4222", "protocol": "nats", "description": "TLS, one nkey a node"}
        },
        "channels": channels,
        "operations": {
            "say": {"action": "send", "channel": {"$ref": "#/channels/up"}},
            "hear": {"action": "receive", "channel": {"$ref": "#/channels/down"}},
            "live": {
                "action": "send",
                "channel": {"$ref": "#/channels/heartbeat"},
                "reply": {
                    "address": {
                        "location": "$message.header#/reply",
                        "description": "The reply subject of the request",
                    },
                    "channel": {"$ref": "#/channels/receipt"},
                    "messages": [{"$ref": "#/channels/receipt/messages/receipt"}],
                },
            },
        },
        "components": {"messages": messages, "schemas": shared["$defs"]},
    }


def text(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, indent=1, sort_keys=True) + "\n"


def files(document_path: Path, schemas: Path) -> dict[Path, str]:
    """Every generated file with its content."""
    return {document_path: text(document())} | {
        schemas / f"{type}.json": text(schema(fact)) for type, fact in FACTS.items()
    }


def main() -> None:
    for path, content in files(Path(sys.argv[1]), Path(sys.argv[2])).items():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content, encoding="utf-8")


if __name__ == "__main__":
    main()
