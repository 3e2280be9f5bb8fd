"""What commands have in common: where, and how a failure looks."""

from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.text import Text

from localnet.paths import Folder, find_folder, find_topology
from localnet.trouble import Trouble

out = Console(highlight=False)
err = Console(stderr=True, highlight=False)

DataDir = Annotated[
    Path | None, typer.Option("--data-dir", help="数据目录，默认 .hubnet · Data folder; HUBNET_DATA_DIR")
]
TopologyFile = Annotated[
    Path | None, typer.Option("--topology", help="节点清单 · List of nodes; HUBNET_TOPOLOGY")
]
AsJson = Annotated[bool, typer.Option("--json", help="机器可读 · For machines")]
NodeName = Annotated[str, typer.Argument(help="节点编号、postgres 或 nats · A node's id, postgres or nats")]


def show(trouble: Trouble) -> None:
    """What is wrong, the rule, the mend: Chinese and English."""
    for label, colour, pair in (
        ("✗", "bold red", trouble.wrong),
        ("规则 rule", "dim", trouble.rule),
        ("办法 mend", "green", trouble.mend),
    ):
        err.print(Text.assemble((f"{label}  ", colour), pair[0], "\n", " " * 4, pair[1]), soft_wrap=True)


def folder_of(data_dir: Path | None) -> Folder:
    """The data folder of a command that needs no list of nodes of its own."""
    try:
        topology = find_topology()
    except Trouble:
        topology = None
    return find_folder(data_dir, topology)
