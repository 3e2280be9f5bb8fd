"""The `hubnet` command."""

import sys
from collections.abc import Callable
from typing import Any

import typer

from localnet.commands import (
    auditing,
    composing,
    conforming,
    drifting,
    evaluating,
    exchanging,
    joining,
    learning,
    loading,
    looking,
    playing,
    proving,
    running,
    serving,
    steering,
    tokens,
)
from localnet.commands.screen import show
from localnet.trouble import Trouble


class Command(typer.Typer):
    """Expected failures are told, not thrown."""

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        try:
            return super().__call__(*args, **kwargs)
        except Trouble as trouble:
            show(trouble)
            sys.exit(trouble.code)


app = Command(
    help="内蒙古中小企业公共服务网络 · The SME service hub network on one machine.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
FAMILIES: tuple[dict[str, Callable[..., Any]], ...] = (
    playing.COMMANDS,
    loading.COMMANDS,
    running.COMMANDS,
    looking.COMMANDS,
    steering.COMMANDS,
    serving.COMMANDS,
    composing.COMMANDS,
    tokens.COMMANDS,
    auditing.COMMANDS,
    proving.COMMANDS,
    conforming.COMMANDS,
    drifting.COMMANDS,
)
for family in FAMILIES:
    for name, command in family.items():
        app.command(name)(command)

match = typer.Typer(help="供需对接 · How needs are matched.", no_args_is_help=True)
for name, command in (evaluating.COMMANDS | learning.COMMANDS).items():
    match.command(name)(command)
weights = typer.Typer(help="权重版本 · The weights that matches are ranked by.", no_args_is_help=True)
for name, command in learning.WEIGHTS_COMMANDS.items():
    weights.command(name)(command)
match.add_typer(weights, name="weights")
app.add_typer(match, name="match")
app.add_typer(exchanging.exporting, name="export")
app.add_typer(exchanging.importing, name="import")
app.add_typer(joining.node, name="node")
app.add_typer(proving.certificates, name="certificates")
