"""What systemd is told of a running gateway, and when its watchdog is not fed."""

from __future__ import annotations

import logging

import pytest
from support.clock import FakeClock

from gateway.delivery.link import LinkStatus
from gateway.status.board import DeviceBoard, State
from gateway.status.ledger import Ledger
from gateway.status.notify import Notifier
from gateway.status.pulse import Facts, Pulse, line, worst
from gateway.status.work import Work


class Heard(Notifier):
    """Keeps what would have been sent."""

    def __init__(self, watchdog: float | None = 60.0) -> None:
        super().__init__("/somewhere", watchdog)
        self.messages: list[dict[str, object]] = []

    def send(self, **fields: object) -> bool:
        """Heard."""
        self.messages.append(fields)
        return True

    def names(self) -> list[str]:
        """And forget them."""
        names = [name for message in self.messages for name in message]
        self.messages.clear()
        return names


class Bench:
    """A pulse, and all that it looks at."""

    def __init__(self, watchdog: float | None = 60.0) -> None:
        self.clock = FakeClock()
        self.heard = Heard(watchdog)
        self.work = Work(self.clock)
        self.beat_ns = self.clock.boot_ns()
        self.boards = [DeviceBoard(name, Ledger(), self.clock, lambda _: None) for name in ("a", "b", "c")]
        self.link = LinkStatus("mqtt://x", "5", connected=True, since_ns=0, reconnects=0, last_error="")
        self.queued = 0
        self.alarms: dict[str, str] = {}
        self.pulse = Pulse(self.heard, self.clock, beat_ns=lambda: self.beat_ns, work=self.work, facts=self.facts)

    def facts(self) -> Facts:
        """As they are now."""
        return Facts(self.boards, self.link, self.queued, self.alarms)

    def pass_time(self, seconds: float, *, publisher: bool = True) -> list[str]:
        """Let the main loop come round every second; what was sent."""
        for _ in range(int(seconds)):
            self.clock.advance(1)
            if publisher:
                self.beat_ns = self.clock.boot_ns()
            self.pulse.tick(reloading=False)
        return self.heard.names()


def test_ready_comes_with_a_status() -> None:
    """In one message, so that ``systemctl start`` returns to something worth reading."""
    bench = Bench()
    bench.boards[0].set(State.ONLINE)
    bench.pulse.ready()
    assert bench.heard.messages == [{"READY": 1, "STATUS": "1 of 3 devices online; broker connected; 0 queued"}]


def test_the_line_says_what_is_wrong() -> None:
    """Devices that are not well, the broker's reason, what waits, the worst alarm and how many more there are."""
    bench = Bench()
    for board, state in zip(bench.boards, (State.DEGRADED, State.HUNG, State.DISABLED), strict=True):
        board.set(state)
    bench.link = LinkStatus("mqtt://x", "5", connected=False, since_ns=0, reconnects=0, last_error="refused; by\nx")
    bench.alarms = {"control": "no control socket", "spool.disk": "no room"}
    assert line(bench.facts(), "12") == (
        "1 of 2 devices online, 1 hung; no broker (refused; by\\x0ax); 12 queued; alarm (and 1 more): no room"
    )


def test_the_worst_alarm() -> None:
    """What costs readings before what costs comfort; of equals the oldest; one of an unknown kind is shown, too."""
    assert worst({"control": "a", "topic:x": "b", "spool.damaged": "c", "spool.disk": "d"}) == "c"
    assert worst({"new": "a"}) == "a"


def test_status_is_sent_on_change() -> None:
    """Not every second; a number of waiting readings that changes all the time every 10 s."""
    bench = Bench(watchdog=None)
    bench.pulse.ready()
    bench.pass_time(2)
    assert bench.pass_time(20) == []
    bench.boards[0].set(State.ONLINE)
    assert bench.pass_time(5) == ["STATUS"]
    sent = 0
    for number in range(30):
        bench.queued = number + 1
        sent += len(bench.pass_time(1))
    assert sent == 3


def test_the_watchdog_is_fed_while_all_moves() -> None:
    """Four times within its time."""
    bench = Bench()
    bench.pulse.ready()
    assert bench.pass_time(60).count("WATCHDOG") == 4


def test_a_publisher_that_stands_still_is_not_covered_for(caplog: pytest.LogCaptureFixture) -> None:
    """After 15 s nothing more is sent; the log says so once, and when it moves again."""
    caplog.set_level(logging.INFO)
    bench = Bench()
    bench.pulse.ready()
    bench.pass_time(14, publisher=False)
    assert bench.pass_time(60, publisher=False).count("WATCHDOG") == 0
    assert caplog.messages == ["the publisher stands still; systemd's watchdog will start the gateway anew"]
    assert "WATCHDOG" in bench.pass_time(1)
    assert caplog.messages[1:] == ["the publisher moves again"]


def test_a_slow_commit_is_movement_for_a_minute() -> None:
    """While it goes on; one that takes longer is a disk that is stuck."""
    bench = Bench()
    bench.pulse.ready()
    with bench.work.under_way():
        assert bench.pass_time(59, publisher=False).count("WATCHDOG") == 4
        assert bench.pass_time(60, publisher=False).count("WATCHDOG") == 0
    assert "WATCHDOG" in bench.pass_time(1, publisher=False)


def test_one_slow_commit_after_the_other_is_movement() -> None:
    """The look that falls between two of them sees that the last has just ended."""
    bench = Bench()
    bench.pulse.ready()
    fed = 0
    for _ in range(4):
        with bench.work.under_way():
            fed += bench.pass_time(40, publisher=False).count("WATCHDOG")
        fed += bench.pass_time(1, publisher=False).count("WATCHDOG")
    assert fed >= 10


def test_a_reload_begins_and_ends() -> None:
    """RELOADING, then READY with the new line."""
    bench = Bench(watchdog=None)
    bench.pulse.ready()
    bench.heard.names()
    bench.pulse.tick(reloading=True)
    assert bench.heard.names() == ["RELOADING", "MONOTONIC_USEC"]
    bench.pulse.tick(reloading=True)
    bench.pulse.tick(reloading=False)
    assert "READY" in bench.heard.names()


def test_the_end() -> None:
    """STOPPING, at once."""
    bench = Bench()
    bench.pulse.stopping()
    assert bench.heard.names() == ["STOPPING", "STATUS"]


def test_nobody_is_told_without_systemd() -> None:
    """The line is not even made."""
    bench = Bench()
    pulse = Pulse(Notifier(), bench.clock, beat_ns=lambda: 0, work=bench.work, facts=lambda: pytest.fail("made"))
    pulse.tick(reloading=False)


def test_when_everything_had_stopped_the_publisher_is_not_blamed(caplog: pytest.LogCaptureFixture) -> None:
    """After an hour of SIGSTOP the main loop may come first: no error in the log, and the watchdog is fed at once.

    A publisher that then still does not move is found as ever.
    """
    caplog.set_level(logging.INFO)
    bench = Bench()
    bench.pulse.ready()
    bench.pass_time(5)
    bench.clock.advance(3600)
    bench.pulse.tick(reloading=False)
    assert "WATCHDOG" in bench.heard.names()
    assert bench.pass_time(10, publisher=False).count("WATCHDOG") == 0
    assert caplog.messages == []
    bench.pass_time(5, publisher=False)
    assert caplog.messages == ["the publisher stands still; systemd's watchdog will start the gateway anew"]
