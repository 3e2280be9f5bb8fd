"""The supervisor of a network under test, with what no product has: clocks that are wrong, ways to the
broker that can be cut, and bugs that are switched on.

It patches modules in the parent before the services are imported, or in one child before it serves.
Nothing of this is a hook in the product: the same supervisor runs with or without this program.
"""

import json
import os
import sys
import time
from collections.abc import Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from common import clock
from common.settings import Settings
from localnet import settings as given

# Which node this process is; the parent is none.
_me = ""


def folder() -> Path:
    """Where the harness tells the network what to suffer."""
    return Path(os.environ["FAULTS_FOLDER"])


def told(path: Path) -> dict[str, Any]:
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return {}


class WrongClock:
    """The system's clock and an offset, which may change while the service runs."""

    def __init__(self) -> None:
        self.right = clock.system
        self.looked, self.offset = 0.0, timedelta()

    def __call__(self) -> datetime:
        if (now := time.monotonic()) - self.looked > 0.05:
            self.looked = now
            self.offset = timedelta(seconds=told(folder() / f"clock-{_me}").get("offset_s", 0))
        return self.right() + self.offset


def routed() -> Any:
    """Each service reaches the broker by the way the harness has laid for it."""
    straight = given.settings_for

    def settings_for(network: Any, node: Any, *more: Any) -> Settings:
        way = told(folder() / "ways").get(node.id)
        made = straight(network, node, *more)
        return made.model_copy(update={"nats_url": way}) if way else made

    return settings_for


def suffering() -> Any:
    """A child looks what it is to suffer before it serves."""
    from localnet import fleet

    serve = fleet.serve

    def serve_with(several: Sequence[Settings]) -> int:
        global _me  # noqa: PLW0603
        (settings,) = several
        _me = settings.node
        plan = told(folder() / f"plan-{_me}")
        if plan:
            settings = settings.model_copy(update=plan.get("settings", {}))
            from tests.faults import mutations

            if plan.get("without_digests"):
                mutations.without_digests()
            if plan.get("bug"):
                mutations.BUGS[plan["bug"]].switch_on()
            fleet._built.pop(_me, None)
        return serve([settings])

    return serve_with


def misconfigured() -> Any:
    """The broker's configuration with what the harness has exchanged in it."""
    from localnet import broker

    render = broker.render

    def render_with(*words: Any) -> str:
        text = render(*words)
        for old, new in told(folder() / "broker").items():
            if text.count(old) != 1:
                raise LookupError(f"the configuration of the broker has {old!r} {text.count(old)} times")
            text = text.replace(old, new)
        return text

    return render_with


def main() -> int:
    clock.system = WrongClock()  # before anybody binds it as a default
    given.settings_for = routed()
    from localnet import fleet

    fleet.serve = suffering()
    from localnet import broker, streams, supervisor

    from tests.faults.network import brisk

    streams.consumer = brisk
    broker.render = misconfigured()
    return supervisor.main()


if __name__ == "__main__":
    sys.exit(main())
