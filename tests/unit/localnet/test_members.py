"""When a child is started again, and what state a person sees."""

from localnet.backoff import Backoff
from localnet.members import Member


def member() -> Member:
    return Member("hohhot", "window", {"hohhot": 18001})


def test_the_delay_doubles_to_its_limit() -> None:
    backoff, delays = Backoff(), []
    for _ in range(8):
        backoff = backoff.after(healthy_s=0)
        delays.append(backoff.delay_s)
    assert delays == [0.2, 0.4, 0.8, 1.6, 3.2, 6.4, 10.0, 10.0]


def test_good_health_forgives() -> None:
    tried = Backoff(deaths=6)
    assert tried.after(healthy_s=29.9).delay_s == 10.0
    assert tried.after(healthy_s=30.0).delay_s == 0.2


def test_a_thousand_deaths_do_not_overflow() -> None:
    assert Backoff(deaths=1000).delay_s == 10.0


def test_a_crash_is_restarted_after_the_delay() -> None:
    one = member()
    assert (one.state, one.may_start(0.0)) == ("waiting", True)
    one.born(pid=41, now=0.0)
    assert one.state == "starting"
    one.answered("hohhot", True, now=1.0)
    assert one.state == "ready"
    one.died("killed by SIGKILL", now=2.0)
    assert (one.state, one.restarts, one.why) == ("backoff", 1, "killed by SIGKILL")
    assert not one.may_start(2.1)
    assert one.may_start(2.2)


def test_health_counts_from_readiness_not_from_birth() -> None:
    one = member()
    one.born(pid=41, now=0.0)
    one.died("exit code 1", now=100.0)
    one.born(pid=42, now=101.0)
    one.died("exit code 1", now=200.0)
    assert one.backoff.deaths == 2


def test_an_asked_for_stop_is_no_death() -> None:
    one = member()
    one.born(pid=41, now=0.0)
    one.stop(now=1.0)
    assert one.state == "stopping"
    one.died("killed by SIGTERM", now=1.5)
    assert (one.state, one.restarts, one.may_start(9.0)) == ("stopped", 0, False)
    one.start()
    assert one.may_start(9.0)


def test_a_service_that_lost_its_database_is_unready_not_starting() -> None:
    one = member()
    one.born(pid=41, now=0.0)
    one.answered("hohhot", True, now=1.0)
    one.answered("hohhot", False, now=2.0)
    assert one.state == "unready"


def test_services_in_one_process_are_told_apart() -> None:
    one = Member("services", "services", {"hub": 1, "hohhot": 2})
    one.born(pid=41, now=0.0)
    one.answered("hub", True, now=1.0)
    assert (one.state, one.state_of("hub"), one.state_of("hohhot")) == ("starting", "ready", "starting")
    one.answered("hohhot", True, now=2.0)
    assert one.state == "ready"
