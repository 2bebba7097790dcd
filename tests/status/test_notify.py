"""The protocol of sd_notify(3), against a real socket."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from support.service_manager import ServiceManager
from support.waiting import wait_until

from gateway.status import notify
from gateway.status.notify import Notifier


@pytest.fixture(params=["path", "abstract"])
def manager(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[ServiceManager]:
    """The other end, on both kinds of socket."""
    manager = ServiceManager(tmp_path / "notify" if request.param == "path" else f"@sensorpost-test-{os.getpid()}")
    yield manager
    manager.close()


def test_a_message_is_one_datagram_of_lines(manager: ServiceManager) -> None:
    """READY and STATUS arrive together; text that is not ASCII is UTF-8."""
    assert Notifier(manager.address).send(READY=1, STATUS="21 °C")
    assert manager.wait_for("READY") == {"READY": "1", "STATUS": "21 °C"}


def test_a_reload_names_its_time(manager: ServiceManager) -> None:
    """MONOTONIC_USEC is CLOCK_MONOTONIC in microseconds, as Type=notify-reload wants it."""
    before = time.monotonic_ns() // 1000
    Notifier(manager.address).reloading()
    message = manager.wait_for("RELOADING", "1")
    assert before <= int(message["MONOTONIC_USEC"]) <= time.monotonic_ns() // 1000


def test_what_takes_long_asks_for_more_time(manager: ServiceManager, monkeypatch: pytest.MonkeyPatch) -> None:
    """Again and again while it goes on, and not afterwards."""
    monkeypatch.setattr(notify, "ASK_EVERY", 0.01)
    with Notifier(manager.address).taking_long(60.0):
        wait_until(lambda: len(manager.said("EXTEND_TIMEOUT_USEC")) >= 2, 20.0, "two requests")
    count = len(manager.said("EXTEND_TIMEOUT_USEC"))
    assert set(manager.said("EXTEND_TIMEOUT_USEC")) == {"30000000"}
    Notifier(manager.address).send(READY=1)
    manager.wait_for("READY")
    assert len(manager.said("EXTEND_TIMEOUT_USEC")) <= count + 1


def test_what_never_ends_is_not_given_time_for_ever(manager: ServiceManager, monkeypatch: pytest.MonkeyPatch) -> None:
    """The limit holds."""
    monkeypatch.setattr(notify, "ASK_EVERY", 0.01)
    notifier = Notifier(manager.address)
    with notifier.taking_long(0.0):
        time.sleep(0.1)
    assert manager.said("EXTEND_TIMEOUT_USEC") == []


def test_the_environment_is_read_once_and_cleaned() -> None:
    """No child can speak in our name, or believe that the watchdog is its own."""
    environ = {"NOTIFY_SOCKET": "/run/systemd/notify", "WATCHDOG_USEC": "60000000", "HOME": "/"}
    notifier = Notifier.from_environ(environ)
    assert notifier.there
    assert notifier.watchdog == 60.0
    assert environ == {"HOME": "/"}


@pytest.mark.parametrize(
    ("usec", "pid", "expected"),
    [("", "", None), ("0", "", None), ("x", "", None), ("5000000", "1", None), ("5000000", "ours", 5.0)],
)
def test_whose_watchdog_it_is(usec: str, pid: str, expected: float | None) -> None:
    """WATCHDOG_PID may name another process; nonsense is no watchdog."""
    pid = str(os.getpid()) if pid == "ours" else pid
    assert Notifier.from_environ({"WATCHDOG_USEC": usec, "WATCHDOG_PID": pid}).watchdog == expected


def test_without_systemd_nothing_happens(tmp_path: Path) -> None:
    """Neither without a socket nor with one that has gone is anything raised."""
    assert not Notifier().there
    assert not Notifier().send(READY=1)
    assert not Notifier(str(tmp_path / "gone")).send(READY=1)
    with Notifier().taking_long(1.0):
        pass
