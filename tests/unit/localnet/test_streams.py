"""What provisioning asks of the bus."""

from common.node import Node
from localnet.streams import differs, wanted

NODE = Node("baotou-rare-earth", "cluster", "", "", ("1502",), 21)


def test_two_streams_a_node_each_with_its_reader() -> None:
    up, down = wanted([NODE], max_bytes=1000)
    assert (up.config.name, up.config.subjects) == ("UP_baotou-rare-earth", ["up.baotou-rare-earth.>"])
    assert (down.config.name, down.config.subjects) == (
        "DOWN_baotou-rare-earth",
        ["down.baotou-rare-earth.>"],
    )
    assert (up.consumer.durable_name, down.consumer.durable_name) == ("hub", "baotou-rare-earth")


def test_nothing_acknowledged_may_be_lost() -> None:
    for stream in wanted([NODE], max_bytes=1000):
        told = stream.config.as_dict()
        assert "persist_mode" not in told
        assert (told["storage"], told["retention"], told["discard"]) == ("file", "interest", "new")
        assert (told["deny_delete"], told["deny_purge"]) == (True, True)
        assert told["duplicate_window"] == 600 * 10**9
        assert told["max_age"] == 14 * 86_400 * 10**9
        reader = stream.consumer.as_dict()
        assert reader["max_deliver"] == -1
        assert reader["backoff"][0] == reader["ack_wait"] == 5 * 10**9


def test_only_what_we_set_is_compared() -> None:
    stream = wanted([NODE], max_bytes=1000)[0].config
    assert differs(stream, stream.evolve(description="made by hand")) == []
    assert differs(stream, stream.evolve(max_bytes=1)) == ["max_bytes"]


def test_with_three_brokers_there_are_three_copies() -> None:
    assert {s.config.num_replicas for s in wanted([NODE], max_bytes=1000)} == {1}
    assert {s.config.num_replicas for s in wanted([NODE], max_bytes=1000, replicas=3)} == {3}
