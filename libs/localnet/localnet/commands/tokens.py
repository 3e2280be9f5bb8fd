"""token: what curl needs."""

import json
from typing import Annotated, Any

import httpx
import typer
from hubnet_client import ClientSecret, Password, Refused
from hubnet_client.patience import Patient
from hubnet_client.signing import TOKEN_PATH, Signing

from localnet.commands.screen import AsJson, DataDir, folder_of
from localnet.network import Network, recall
from localnet.paths import Folder
from localnet.secrets import Secrets, read
from localnet.trouble import USAGE, Trouble

CLIENT = "hubnet-cli"
TIMEOUT_S = 20.0


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
    by = credentials(folder, user or CLIENT) if client else password(folder, user)
    answer = fetch(url.rstrip("/") or hub_url(folder), by)
    if as_json:
        typer.echo(json.dumps(answer))
    else:
        typer.echo(answer["access_token"])


def credentials(folder: Folder, name: str) -> ClientSecret:
    path = Secrets(folder).client_file
    secret = (
        read(path)
        if name == CLIENT and path.exists()
        else typer.prompt(f"{name} secret", hide_input=True, err=True)
    )
    return ClientSecret(name, secret)


def password(folder: Folder, user: str) -> Password:
    """The example users' passwords are kept; others are asked for."""
    try:
        known = json.loads(folder.users.read_text(encoding="utf-8"))
    except (FileNotFoundError, PermissionError, ValueError):
        known = {}
    secret = known.get(user) or typer.prompt(f"{user} password", hide_input=True, err=True)
    return Password(user, secret)


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


def fetch(hub: str, by: ClientSecret | Password) -> dict[str, Any]:
    """Raises: Trouble when the hub is away or refuses."""
    try:
        with Patient(auth=Signing(hub, None), trust_env=False, timeout=TIMEOUT_S, patience_s=0) as http:
            return http.post(f"{hub}{TOKEN_PATH}", data=by.grant()).json()
    except Refused as error:
        raise Trouble(
            (f"枢纽拒绝：{error.zh}", f"the hub refused: {error.en}"),
            ("用户名与口令须正确", "the name and its secret must be right"),
            ("核对后重试", "check them and try again"),
        ) from error
    except httpx.HTTPError as error:
        raise Trouble(
            (f"枢纽没有应答：{hub}", f"the hub does not answer: {hub}: {error}"),
            ("令牌由枢纽签发", "tokens are issued by the hub"),
            ("hubnet status 查看，hubnet start hub 启动", "see hubnet status, start it: hubnet start hub"),
        ) from error


COMMANDS = {"token": token}
