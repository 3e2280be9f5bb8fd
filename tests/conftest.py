"""Tests that share a network of servers follow each other, so that it is started once."""

import pytest

NETWORKS = ("tests/federation/", "tests/faults/")


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """After the shuffling: each of these folders where its first test came, the rest in the order it has."""
    for folder in NETWORKS:
        together = [item for item in items if item.nodeid.startswith(folder)]
        if together:
            first = items.index(together[0])
            before = items[:first]
            after = [item for item in items[first:] if not item.nodeid.startswith(folder)]
            items[:] = [*before, *together, *after]
