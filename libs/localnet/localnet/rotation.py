"""Another key for a node, without losing a message: both are accepted until the node uses the new one.

Every step may be repeated, so a rotation that was interrupted goes on where it stopped.
"""

import http.client
import json
import os
import signal
import time
from collections.abc import Callable, Mapping
from typing import Any

from localnet.broker import write_configuration
from localnet.network import HOST, MONITORS, Network
from localnet.secrets import Secrets, keep, new_seed, public_key
from localnet.trouble import Trouble

RELOAD_S = 10.0


def prepare(secrets: Secrets, node: str) -> None:
    """Make the next seed; from the broker's next reload its key is accepted. Raises: Trouble."""
    keep(secrets.next_seed_file(node), new_seed)


def hand_over(secrets: Secrets, node: str) -> None:
    """The next seed becomes the node's, which reads it by itself; the key it had stays accepted."""
    current, old = secrets.seed_file(node), secrets.old_seed_file(node)
    if not old.exists():
        os.link(current, old)
    secrets.next_seed_file(node).replace(current)


def finish(secrets: Secrets, node: str) -> None:
    """The old key is accepted no more from the broker's next reload on."""
    secrets.old_seed_file(node).unlink(missing_ok=True)


def rotate(
    network: Network, node: str, reload: Callable[[], None], *, wait_s: float, drop: bool = False
) -> bool:
    """Give a node another key; whether the old one is gone.

    Shape: `reload` makes the broker read its configuration; `drop` does not wait for the node.
    Raises: Trouble.
    """
    secrets = network.secrets
    if not secrets.old_seed_file(node).exists():
        prepare(secrets, node)
    if secrets.next_seed_file(node).exists():
        reload()
        hand_over(secrets, node)
    old = public_key(secrets.old_seed_file(node))
    deadline = time.monotonic() + wait_s
    while not drop and old in keys_in_use(network):
        if time.monotonic() > deadline:
            return False
        time.sleep(0.1)
    finish(secrets, node)
    reload()
    return True


def keys_in_use(network: Network) -> set[str]:
    """Public nkeys of the connections to the embedded broker. Raises: Trouble when it does not answer."""
    answers = [monitor(network, name, "/connz?auth=1&limit=4096") for name in network.brokers]
    return {found.get("authorized_user", "") for answer in answers for found in answer["connections"]}


def reload(network: Network, pids: Mapping[str, int]) -> None:
    """Write the brokers' configurations anew and have them read without ending a connection.

    Raises: Trouble when a broker keeps the old one.
    """
    for name, pid in pids.items():
        _reload(network, name, pid)


def _reload(network: Network, name: str, pid: int) -> None:
    path = network.folder.nats / f"{name}.conf"
    write_configuration(network, path, network.broker_named(name))
    before = monitor(network, name, "/varz")["config_load_time"]
    os.kill(pid, signal.SIGHUP)
    deadline = time.monotonic() + RELOAD_S
    while monitor(network, name, "/varz")["config_load_time"] == before:
        if time.monotonic() > deadline:
            raise Trouble(
                ("消息服务器没有采用新配置", f"the broker did not take the new configuration {path}"),
                ("新密钥须先被认可", "a new key must be accepted before it is used"),
                (f"查看 hubnet logs {name}", f"see hubnet logs {name}"),
            )
        time.sleep(0.05)


def monitor(network: Network, name: str, path: str) -> dict[str, Any]:
    """Raises: Trouble when the broker's monitoring does not answer."""
    connection = http.client.HTTPConnection(HOST, network.port_base + MONITORS[name], timeout=5)
    try:
        connection.request("GET", path)
        return json.loads(connection.getresponse().read())
    except (OSError, ValueError, http.client.HTTPException) as error:
        raise Trouble(
            ("消息服务器没有应答", f"the broker's monitoring does not answer: {error}"),
            ("更换密钥需要运行中的消息服务器", "a key is changed while the broker runs"),
            ("先运行 hubnet up", "start it first: hubnet up"),
        ) from error
    finally:
        connection.close()
