"""Write the typed calls of each kind of service from docs/openapi into hubnet_client.

Run by `make setup` and by the image's build. What has not changed is left alone.
"""

import hashlib
import json
import re
import shutil
import subprocess
import sys
import tempfile
from importlib.metadata import version
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent
DOCUMENTS = HERE.parents[1] / "docs" / "openapi"
TEMPLATES = HERE / "templates"
PACKAGE = HERE / "hubnet_client"
KINDS = ("hub", "window", "cluster", "matchmaking")
STAMP = ".generated"
# The generator knows JSON, forms and bytes.
AS_BYTES = (
    "application/x-ndjson",
    "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    "text/csv",
)
SETTINGS = {
    "literal_enums": True,
    "post_hooks": [],
    "content_type_overrides": dict.fromkeys(AS_BYTES, "application/octet-stream"),
}
GENERATOR = "openapi-python-client"


def prepared(document: dict[str, Any]) -> dict[str, Any]:
    """The document as the generator needs it.

    Shape: a call is named by its method and address, which are the contract, and not by our code; it gives
    its answer only, for what is refused is raised; signing in is the connection's.
    """
    for path, calls in document["paths"].items():
        for method, call in calls.items():
            below, _, rest = path.partition("/v1/")
            noun = rest.partition("/")[0] if not below and rest else call["tags"][0]
            call["tags"] = [noun]
            call["operationId"] = "_".join([method, *re.findall(r"[a-z0-9]+", (rest or path).lower())])
            call["responses"] = {
                code: answer for code, answer in call["responses"].items() if code.startswith("2")
            }
            call.pop("security", None)
            for said in (call.get("requestBody", {}), *call["responses"].values()):
                if "content" in said:
                    said["content"] = _one_form(said["content"])
    for name, schema in document["components"]["schemas"].items():
        schema["title"] = _class_name(name)
    return document


def _one_form(content: dict[str, Any]) -> dict[str, Any]:
    """What has several forms is bytes; the caller says which it sends: `File(mime_type=...)`."""
    if len(content) == 1 and not set(content) & set(AS_BYTES):
        return content
    return {"application/octet-stream": {"schema": {"type": "string", "format": "binary"}}}


def _class_name(key: str) -> str:
    """`hub__messages__schemas__LineOut`, one of two in a service, is MessagesLineOut."""
    *modules, name = key.split("__")
    return "".join(part.title() for part in modules[1:] if part != "schemas") + re.sub(r"\W", "", name)


def main() -> int:
    """Generate what is missing or old, all kinds at once."""
    told = hashlib.sha256(f"{GENERATOR} {version(GENERATOR)}".encode())
    for source in (Path(__file__), *sorted(TEMPLATES.iterdir())):
        told.update(source.read_bytes())
    with tempfile.TemporaryDirectory(dir=HERE) as scratch:
        running: dict[str, tuple[subprocess.Popen[str], str]] = {}
        for kind in KINDS:
            said = (DOCUMENTS / f"{kind}.json").read_bytes()
            stamp = hashlib.sha256(told.digest() + said).hexdigest()
            held = PACKAGE / kind / STAMP
            if not held.exists() or held.read_text() != stamp:
                running[kind] = (_start(Path(scratch), kind, json.loads(said)), stamp)
        failed = [kind for kind, (process, _) in running.items() if not _ended(kind, process)]
        for kind in running.keys() - set(failed):
            target = PACKAGE / kind
            shutil.rmtree(target, ignore_errors=True)
            (Path(scratch) / kind).rename(target)
            (target / STAMP).write_text(running[kind][1])
    return 1 if failed else 0


def _start(scratch: Path, kind: str, document: dict[str, Any]) -> "subprocess.Popen[str]":
    """The generator, at work on one kind; a call it cannot write is a failure."""
    source, settings = scratch / f"{kind}.json", scratch / f"{kind}.settings.json"
    source.write_text(json.dumps(prepared(document)), encoding="utf-8")
    settings.write_text(json.dumps(SETTINGS), encoding="utf-8")
    return subprocess.Popen(
        [
            sys.executable, "-m", GENERATOR.replace("-", "_"), "generate", "--path", source, "--config", settings,
            "--custom-template-path", TEMPLATES, "--meta", "none", "--output-path", scratch / kind, "--fail-on-warning",
        ],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )  # fmt: skip


def _ended(kind: str, process: "subprocess.Popen[str]") -> bool:
    said, _ = process.communicate()
    if process.returncode:
        sys.stderr.write(f"hubnet_client.{kind}:\n{said}")
    return process.returncode == 0


if __name__ == "__main__":
    sys.exit(main())
