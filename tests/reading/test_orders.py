"""What is asked of a device while it runs, by any thread, and carried out by the main one."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from support.company import Company
from support.lodging import devices, tiny
from support.readers import device, driver, returning

from gateway.driver import Channel
from gateway.reading import orders as module
from gateway.reading.orders import Orders
from gateway.status.board import State
from gateway.status.control import ControlError

RELAY = Channel("relay", type=bool, writable=True)
Hire = Callable[..., Company]


def quiet(write: Callable[..., None], **settings: Any) -> Any:
    """A device that is read once in a long time."""
    made = driver(returning({"relay": False}), channels=(RELAY,))
    made.write = write  # type: ignore[method-assign]
    return device("office", made, **{"interval": 3600.0, **settings})


class House:
    """A company whose main thread also carries out orders; another thread gives them."""

    def __init__(self, company: Company) -> None:
        self.company = company
        self.orders = Orders(company.supervisor.slot, company.clock)
        self.line = company.lines["office"]
        company.start()
        self.until(lambda: self.line.status.state is not State.STARTING)

    def until(self, predicate: Callable[[], object]) -> None:
        """Supervise until then."""

        def looked() -> object:
            self.orders.tick()
            return predicate()

        self.company.until(looked)

    def do(self, what: Callable[..., None], *args: Any, **more: Any) -> str:
        """Give an order and see it through; the reason when it was refused."""
        with ThreadPoolExecutor(1) as pool:
            done: Future[None] = pool.submit(what, *args, **more)
            self.until(done.done)
        error = done.exception()
        assert error is None or isinstance(error, ControlError)
        return str(error or "")


def nothing(_self: Any, _channel: str, _value: Any) -> None:
    """Done."""


def test_restart(hire: Hire) -> None:
    """Its driver is made anew, at once; that is no replacement of a broken one."""
    house = House(hire(quiet(nothing)))
    before = house.line.ledger.read
    assert house.do(house.orders.restart, "office") == ""
    house.until(lambda: house.line.ledger.read > before)
    assert house.line.ledger.restarts == 0


def test_disable_and_enable(hire: Hire) -> None:
    """A disabled one is not restarted by mistake; twice is once."""
    house = House(hire(quiet(nothing)))
    for _ in range(2):
        assert house.do(house.orders.switch, "office", enabled=False) == ""
        house.until(lambda: house.line.status.state is State.DISABLED)
    assert house.line.status.hint == "it was disabled by a command, for this run; enable it with one"
    assert house.do(house.orders.restart, "office") == "office: it is disabled; enable it instead"
    assert house.do(house.orders.write, "office", "relay", True) == "office: it is not open"
    assert house.do(house.orders.switch, "office", enabled=True) == ""
    house.until(lambda: house.line.status.state is State.ONLINE)
    read = house.line.ledger.read
    assert house.do(house.orders.switch, "office", enabled=True) == ""
    house.company.until(lambda: True)
    assert house.line.ledger.read == read


def test_another_configuration_settles_it(hire: Hire) -> None:
    """A device that was disabled by an order is what its new settings say."""
    house = House(hire(quiet(nothing)))
    house.do(house.orders.switch, "office", enabled=False)
    house.until(lambda: house.line.status.state is State.DISABLED)
    house.company.supervisor.add(quiet(nothing, interval=1800.0))
    house.until(lambda: house.line.status.state is State.ONLINE)
    house.company.supervisor.add(quiet(nothing, enabled=False))
    house.until(lambda: house.line.status.state is State.DISABLED)
    assert house.line.status.hint == ""


def test_a_device_that_is_not_there(hire: Hire) -> None:
    """Never, or no more."""
    house = House(hire(quiet(nothing)))
    assert house.do(house.orders.restart, "attic") == "attic: it has left the configuration"
    house.company.supervisor.remove("office")
    assert house.do(house.orders.restart, "office") == "office: it has left the configuration"


def test_a_write_waits_for_the_driver(hire: Hire) -> None:
    """It comes to the thread that reads; what the driver says against it is the reason."""
    seen = []

    def write(_self: Any, channel: str, value: Any) -> None:
        seen.append((threading.current_thread().name, channel, value))
        if value:
            raise OSError("no power")

    house = House(hire(quiet(write)))
    assert house.do(house.orders.write, "office", "relay", False) == ""
    assert house.do(house.orders.write, "office", "relay", True) == "office: no power"
    assert seen == [("dev:office", "relay", False), ("dev:office", "relay", True)]


def test_a_write_that_hangs(hire: Hire) -> None:
    """It is said, and the supervisor does with the device what it does after a read that hangs."""
    gate = threading.Event()

    def write(_self: Any, _channel: str, _value: Any) -> None:
        gate.wait()

    house = House(hire(quiet(write, timeout=0.2, isolation="thread")))
    try:
        error = house.do(house.orders.write, "office", "relay", True)
        assert error == "office: it has begun to do that, and has not ended within 1.4 s"
        assert house.line.ledger.abandoned == 1
        house.until(lambda: house.line.status.state is State.ONLINE)
    finally:
        gate.set()


def test_a_write_that_hangs_in_a_process(hire: Hire, tmp_path: Path) -> None:
    """The process is killed, and the next one has read by the time that anybody asks again."""
    folder = tiny(tmp_path, "return {'number': 1}", write="time.sleep(60) if value else None")
    (settings,) = devices(folder, '[devices.office]\ndriver = "tiny"\nisolation = "process"\ntimeout = "1s"\n')
    house = House(hire(settings))
    house.until(lambda: house.line.status.state is State.ONLINE)
    assert house.do(house.orders.write, "office", "number", 0.0) == ""
    assert house.do(house.orders.write, "office", "number", 1.0) == "office: its process was ended"
    house.until(lambda: house.line.ledger.restarts == 1 and house.line.status.state is State.ONLINE)
    assert house.do(house.orders.write, "office", "number", 0.0) == ""


def test_a_device_that_is_busy(hire: Hire) -> None:
    """It did not come to it in time, and so it never does."""
    gate, written = threading.Event(), []
    made = driver(lambda _: gate.wait() and {"relay": False}, channels=(RELAY,))
    made.write = lambda *_: written.append(1)  # type: ignore[assignment,method-assign]
    company = hire(device("office", made, interval=None, timeout=0.1, isolation="thread"))
    orders = Orders(company.supervisor.slot, company.clock)
    company.start()
    company.until_waiting()
    try:
        with ThreadPoolExecutor(1) as pool:
            done = pool.submit(orders.write, "office", "relay", True)
            while not done.done():
                orders.tick()  # and no look of the supervisor: the read is just slow
        assert str(done.exception()) == "office: it did not come to that within 1.2 s, and will not do it later"
    finally:
        gate.set()
    company.until(lambda: company.lines["office"].ledger.read > 2)
    assert written == []


def test_a_gateway_that_does_not_come_round(hire: Hire, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever asked is told."""
    monkeypatch.setattr(module, "ROUNDS", 0.05)
    company = hire(quiet(nothing))
    with pytest.raises(ControlError, match=r"did not come round within 0\.05 s"):
        Orders(company.supervisor.slot, company.clock).restart("office")
