"""The HTTP APIs as documents: one OpenAPI document a kind of service.

`python -m localnet.openapi FOLDER` writes them; a test compares them with what is committed.
"""

import json
import sys
from pathlib import Path
from typing import Any

from common.node import Kind
from common.settings import Settings

from localnet.application import application
from localnet.network import load
from localnet.paths import find_topology

KINDS: tuple[Kind, ...] = ("hub", "window", "cluster", "matchmaking")
NOWHERE = "postgresql://nobody@127.0.0.1:1/none"  # an app is described without being started


def document(kind: Kind) -> dict[str, Any]:
    """What a service of this kind says of itself on /openapi.json."""
    topology = find_topology()
    node = load(topology).of_kind(kind)[0].id
    return application(kind)(Settings(node=node, topology=topology, database_url=NOWHERE)).openapi()


def files(folder: Path) -> dict[Path, str]:
    """Every document with its content."""
    return {
        folder / f"{kind}.json": json.dumps(document(kind), ensure_ascii=False, indent=1, sort_keys=True)
        + "\n"
        for kind in KINDS
    }


def main() -> None:
    for path, content in files(Path(sys.argv[1])).items():
        path.parent.mkdir(parents=True, exist_ok=True)
        if not path.exists() or path.read_text(encoding="utf-8") != content:
            path.write_text(content, encoding="utf-8")


if __name__ == "__main__":
    main()
