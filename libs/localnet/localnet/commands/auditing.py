"""audit verify: has anybody changed what was done?"""

import asyncio
from typing import Annotated

import asyncpg
import typer
from rich.console import Console
from rich.table import Table

from localnet.commands.screen import DataDir, folder_of
from localnet.network import Network, check_names, recall
from localnet.trouble import REFUSED, USAGE, Trouble

SHOWN = 20


def audit(
    what: Annotated[str, typer.Argument(help="verify")],
    node: Annotated[str, typer.Argument(help="节点编号，缺省为全部 · A node's id; default all")] = "",
    data_dir: DataDir = None,
) -> None:
    """核验审计链 · Recompute the audit chains; exit code 1 when an entry was changed, moved or removed."""
    if what != "verify":
        raise Trouble(
            (f"没有这个动作：{what}", f"there is no {what}"),
            ("审计只能核验", "an audit can only be verified"),
            ("hubnet audit verify [NODE]", "hubnet audit verify [NODE]"),
            USAGE,
        )
    folder = folder_of(data_dir)
    if not (before := recall(folder)):
        raise Trouble(
            ("这里还没有网络", "there is no network here yet"),
            (f"数据目录 {folder.root} 为空", f"the data folder {folder.root} is empty"),
            ("先 hubnet up", "hubnet up first"),
        )
    network = Network.from_json(before)
    if node:
        check_names(network.topology, [node])
    nodes = [one for one in network.topology.nodes if node in ("", one.id)]
    table = Table("节点 node", "条目 entries", "未封 unsealed", "问题 wrong")
    wrong = 0
    for one in nodes:
        sealed, open_, found = asyncio.run(_check(network.database_url(one)))
        wrong += len(found)
        table.add_row(one.id, str(sealed), str(open_), "\n".join(found[:SHOWN]) or "—")
    Console().print(table)
    raise typer.Exit(REFUSED if wrong else 0)


async def _check(url: str) -> tuple[int, int, list[str]]:
    """(sealed entries, entries not sealed yet, what is wrong).

    Raises: Trouble when the database is away.
    """
    from common import audit as chain  # the database library takes 400 ms that others need not pay

    try:
        connection = await asyncpg.connect(url, timeout=5)
    except (OSError, asyncpg.PostgresError, TimeoutError) as error:
        raise Trouble(
            ("连不上数据库", f"the database does not answer: {type(error).__name__}"),
            ("核验需要数据库在运行", "verifying needs it running"),
            ("hubnet up，或 hubnet start postgres", "hubnet up, or hubnet start postgres"),
        ) from error
    try:
        sealed, open_ = await connection.fetchrow("SELECT count(seq), count(*) - count(seq) FROM audit") or (
            0,
            0,
        )
        return sealed, open_, [problem async for problem in chain.verify(connection)]
    finally:
        await connection.close()


COMMANDS = {"audit": audit}
