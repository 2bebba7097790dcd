"""The pytest plugin of the suite: fixtures, the watch for leaks, skipping by capability."""

from __future__ import annotations

import signal
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Protocol

import pytest

from support.brokers import Broker, Mosquitto, Nats
from support.capabilities import SkipCounter, require
from support.clock import FakeClock
from support.fake_broker import FakeBroker
from support.fake_script import Script
from support.leaks import Belongings, leaked_since
from support.pty import PtyPair
from support.subscriber import Subscriber

pytest_plugins = ["support.parallel"]
FIGURE = "figure"
"""The name of a line that a test tells, among the properties of its reports: those come here from every process."""
ASKED_FOR = {"long": "--long", "homeassistant": "--home-assistant"}
"""Markers of tests that run only with an option."""


def pytest_addoption(parser: pytest.Parser) -> None:
    """``--long``: see tests/faults/README.md."""
    parser.addoption("--long", action="store_true", help="fault campaigns in their long form (minutes to hours)")
    parser.addoption("--home-assistant", metavar="PYTHON", help="the Python of an environment with Home Assistant")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave out what has no short form, and what needs a Home Assistant, unless it was asked for."""
    unwanted = [marker for marker, asked in ASKED_FOR.items() if not config.getoption(asked)]
    left_out = [item for item in items if any(item.get_closest_marker(marker) for marker in unwanted)]
    config.hook.pytest_deselected(items=left_out)
    items[:] = [item for item in items if item not in left_out]


def pytest_configure(config: pytest.Config) -> None:
    """Count skips in this run, and let Ctrl-C have its usual effect on what tests start."""
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:  # inherited from a shell that has put us in the background
        signal.signal(signal.SIGINT, signal.default_int_handler)
    config.pluginmanager.register(SkipCounter(), "sensorpost-skip-counter")


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    """After a long run: the lines that its campaigns have told."""
    reports = [report for category in terminalreporter.stats.values() for report in category]
    for report in reports if config.getoption("--long") else []:
        if getattr(report, "when", "") == "call":
            for name, line in report.user_properties:
                if name == FIGURE:
                    terminalreporter.write_line(line)


@pytest.fixture
def tell(request: pytest.FixtureRequest) -> Callable[[str], None]:
    """Keep a line for the end of a long run: the figures of a campaign."""
    return lambda line: request.node.user_properties.append((FIGURE, line))


@pytest.fixture(autouse=True)
def _nothing_is_left_behind() -> Iterator[None]:
    """Fail a test after which a thread, a file descriptor or a child process is still there (after 2 s of grace).

    Set up first and torn down last, so the fixtures of the test have ended by then.
    """
    before = Belongings.now()
    yield
    left = leaked_since(before)
    if left:
        pytest.fail("the test left behind:\n  " + "\n  ".join(left), pytrace=False)


class MakeMosquitto(Protocol):
    """The type of the fixture ``make_mosquitto``."""

    def __call__(self, *lines: str, start: bool = True) -> Mosquitto:
        """A mosquitto with ``lines`` added to its configuration; stopped after the test."""


class MakeSubscriber(Protocol):
    """The type of the fixture ``subscriber``."""

    def __call__(self, broker: Broker, *topics: str, protocol: int = 5) -> Subscriber:
        """A subscriber to ``topics`` (default ``#``); closed after the test. nats-server needs ``protocol=4``."""


@pytest.fixture
def make_mosquitto(tmp_path: Path) -> Iterator[MakeMosquitto]:
    """Make any number of mosquittos: ``make_mosquitto("max_packet_size 1000")``."""
    require("mosquitto")
    made: list[Mosquitto] = []

    def make(*lines: str, start: bool = True) -> Mosquitto:
        broker = Mosquitto(tmp_path / f"mosquitto-{len(made)}", *lines)
        made.append(broker)
        if start:
            broker.start()
        return broker

    yield make
    for broker in made:
        broker.kill()


@pytest.fixture
def mosquitto(make_mosquitto: MakeMosquitto) -> Mosquitto:
    """A running mosquitto (MQTT 5 and 3.1.1, anybody may connect) on a free loopback port."""
    return make_mosquitto()


@pytest.fixture
def nats(tmp_path: Path) -> Iterator[Nats]:
    """A running nats-server (MQTT 3.1.1 only)."""
    require("nats")
    broker = Nats(tmp_path / "nats")
    broker.start()
    yield broker
    broker.kill()


@pytest.fixture
def subscriber() -> Iterator[MakeSubscriber]:
    """Make subscribers: ``subscriber(mosquitto, "sensorpost/#")``."""
    made: list[Subscriber] = []

    def make(broker: Broker, *topics: str, protocol: int = 5) -> Subscriber:
        client = Subscriber(broker.port, topics or ("#",), protocol=protocol)
        made.append(client)
        return client

    yield make
    for client in made:
        client.close()


@pytest.fixture
def fake() -> Iterator[Callable[..., FakeBroker]]:
    """Make fake brokers: ``fake(Script(connack=0x87), Script())``."""
    made: list[FakeBroker] = []

    def make(*scripts: Script) -> FakeBroker:
        made.append(FakeBroker(*scripts))
        return made[-1]

    yield make
    for broker in made:
        broker.close()


@pytest.fixture
def pty_pair(tmp_path: Path) -> Iterator[PtyPair]:
    """A serial device made of a pty, plugged in."""
    pair = PtyPair(tmp_path / "ttyTEST0")
    yield pair
    pair.unplug()


@pytest.fixture
def fake_clock() -> FakeClock:
    """Virtual time, at 2026-11-22T07:00:00Z."""
    return FakeClock()


@pytest.fixture
def finally_do() -> Iterator[Callable[[Callable[[], object]], None]]:
    """Register what must happen after the test, even a failed one; the last registered comes first."""
    steps: list[Callable[[], object]] = []
    yield steps.append
    for step in reversed(steps):
        step()
