"""The code of a kind of service, found by its name."""

import importlib
from typing import Any

from localnet.trouble import Trouble


def application(kind: str) -> Any:
    """The `create_app` of a kind of service.

    Raises: Trouble when its package is not installed.
    """
    try:
        return importlib.import_module(f"{kind}.app").create_app
    except ModuleNotFoundError as error:
        if error.name not in (kind, f"{kind}.app"):
            raise
        raise Trouble(
            (f"没有安装服务 {kind}", f"the service {kind} is not installed"),
            ("每类平台一个软件包", "each kind of platform is one package"),
            ("运行 make setup", "run make setup"),
        ) from error
