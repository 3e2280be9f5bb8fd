"""How the suite is shared out among the processes that run it (`-n`)."""

import pytest

# What starts whole networks of servers: begun first, for whatever begins last ends last.
NETWORKS = ("federation", "faults")
# One network of 26 services serves all tests of a folder, so one process runs them.
TOGETHER = ("federation",)


def _area(item: pytest.Item) -> str:
    return item.nodeid.split("/")[1]


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """A file stays in one process, with the servers and databases it shares; the order is otherwise left as it is."""
    for item in items:
        area = _area(item)
        item.add_marker(pytest.mark.xdist_group(area if area in TOGETHER else item.nodeid.split("::")[0]))
    items.sort(key=lambda item: _area(item) not in NETWORKS)
