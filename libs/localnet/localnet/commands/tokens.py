"""token: what curl needs."""

import json
from typing import Annotated, Any

import httpx
import typer

from localnet.commands.screen import AsJson, DataDir, folder_of
from localnet.network import Network, recall
from localnet.paths import Folder
from localnet.secrets import Secrets, read
from localnet.trouble import USAGE, Trouble

CLIENT = "hubnet-cli"
TOKEN_PATH = "/oauth/token"


def token(
    user: Annotated[str, typer.Argument(help="用户名 · User name; with --client the client's id")] = "",
    client: Annotated[bool, typer.Option("--client", help="机器凭据 · Client credentials")] = False,
    url: Annotated[str, typer.Option(help="枢纽地址 · The hub, when it is elsewhere")] = "",
    as_json: AsJson = False,
    data_dir: DataDir = None,
) -> None:
    """取得访问令牌 · An access token from the hub: curl -H "Authorization: Bearer $(hubnet token USER)"."""
    folder = folder_of(data_dir)
    if not client and not user:
        raise Trouble(
            ("没有用户名", "no user is named"),
            ("令牌属于某个用户或客户端", "a token is somebody's"),
            ("hubnet token USER，或 hubnet token --client", "hubnet token USER, or hubnet token --client"),
            USAGE,
        )
    grant = credentials(folder, user or CLIENT) if client else password(folder, user)
    answer = fetch(url.rstrip("/") or hub_url(folder), grant)
    if as_json:
        typer.echo(json.dumps(answer))
    else:
        typer.echo(answer["access_token"])


def credentials(folder: Folder, name: str) -> dict[str, str]:
    path = Secrets(folder).client_file
    secret = (
        read(path)
        if name == CLIENT and path.exists()
        else typer.prompt(f"{name} secret", hide_input=True, err=True)
    )
    return {"grant_type": "client_credentials", "client_id": name, "client_secret": secret}


def password(folder: Folder, user: str) -> dict[str, str]:
    """The example users' passwords are kept; others are asked for."""
    try:
        known = json.loads(folder.users.read_text(encoding="utf-8"))
    except (FileNotFoundError, PermissionError, ValueError):
        known = {}
    secret = known.get(user) or typer.prompt(f"{user} password", hide_input=True, err=True)
    return {"grant_type": "password", "username": user, "password": secret}


def hub_url(folder: Folder) -> str:
    """Raises: Trouble when no network was ever started here."""
    if not (before := recall(folder)):
        raise Trouble(
            ("这里还没有网络", "there is no network here yet"),
            (f"数据目录 {folder.root} 为空", f"the data folder {folder.root} is empty"),
            ("先 hubnet up，或 --url 指定枢纽", "hubnet up first, or name the hub: --url"),
        )
    network = Network.from_json(before)
    return network.url(network.topology.hub.id)


def fetch(hub: str, grant: dict[str, str]) -> dict[str, Any]:
    """Raises: Trouble when the hub is away or refuses."""
    try:
        answer = httpx.post(f"{hub}{TOKEN_PATH}", data=grant, timeout=20, trust_env=False)
    except httpx.HTTPError as error:
        raise Trouble(
            (f"枢纽没有应答：{hub}", f"the hub does not answer: {hub}: {error}"),
            ("令牌由枢纽签发", "tokens are issued by the hub"),
            ("hubnet status 查看，hubnet start hub 启动", "see hubnet status, start it: hubnet start hub"),
        ) from error
    said = answer.json() if "json" in answer.headers.get("content-type", "") else {}
    if not answer.is_success:
        why = said.get("detail") or said.get("error_description") or said.get("error") or answer.status_code
        raise Trouble(
            (f"枢纽拒绝：{why}", f"the hub refused: {why}"),
            ("用户名与口令须正确", "the name and its secret must be right"),
            ("核对后重试", "check them and try again"),
        )
    return said


COMMANDS = {"token": token}
