"""Devices that share a bus, from the driver to the supervisor: what one does to the others, and what not."""

from __future__ import annotations

import errno
import random
import threading
import time
from collections.abc import Callable
from typing import Any

import pytest
from support.company import Company
from support.i2c_wire import Chip, Mux, Wire
from support.lock_order import LockOrder
from support.readers import device, driver

from gateway.config.settings import DeviceSettings
from gateway.delivery import queue
from gateway.hardware import bus, real
from gateway.hardware.i2c import make_buses
from gateway.hardware.machine import Machine
from gateway.hardware.real import RealHardware
from gateway.reading import memory
from gateway.status import board, ledger
from gateway.status.board import State

ADDRESSES = range(0x40, 0x48)
VALUE = 1
"""The register that is read. Each chip holds another value."""

Meet = Callable[..., Company]


def thermometer(name: str, address: int, *mux: int, **settings: Any) -> DeviceSettings:
    """A device that needs two calls for a reading: anybody in between would change what it reads."""

    def open_(self: Any) -> None:
        where = {"mux": mux[0], "mux_channel": mux[1]} if mux else {}
        self.chip = self.i2c(1, address, **where)

    def read(self: Any) -> dict[str, float]:
        with self.chip.transaction():
            self.chip.write(bytes([VALUE]))
            return {"temperature": float(self.chip.read(1)[0])}

    return device(
        name, driver(read, open=open_), **{"interval": 0.1, "timeout": 0.5, "isolation": "thread", **settings}
    )


def eight(**settings: Any) -> list[DeviceSettings]:
    """Eight of them, called by their addresses."""
    return [thermometer(f"d{address:x}", address, **settings) for address in ADDRESSES]


@pytest.fixture
def wire(finally_do: Callable[[Callable[[], object]], None]) -> Wire:
    """A bus with eight chips; at the end every call on it returns."""
    made = Wire({address: Chip({VALUE: address}) for address in ADDRESSES})
    finally_do(made.free_all)
    return made


@pytest.fixture
def meet(hire: Callable[..., Company], wire: Wire) -> Meet:
    """Start devices that share the wire."""

    def make(*devices: DeviceSettings, wait: float = 5.0) -> Company:
        buses = make_buses(wire.open, wait)
        company = hire(*devices, hardware_for=lambda name: RealHardware(name, Machine(i2c=buses)))
        company.start()
        return company

    return make


def states(company: Company) -> dict[str, State]:
    """Of all devices."""
    return {name: line.status.state for name, line in company.lines.items()}


def all_online(company: Company) -> bool:
    """Whether everybody brings readings."""
    return set(states(company).values()) == {State.ONLINE}


def until_all_bring(company: Company, number: int, *names: str) -> None:
    """Supervise until each of these devices has brought so many readings, from now on."""
    before = {name: company.lines[name].ledger.read for name in names or company.lines}
    company.until(
        lambda: all(company.lines[name].ledger.read >= read + number for name, read in before.items()), timeout=30
    )


def check_values(company: Company) -> int:
    """Each device has read its own chip and no other; how many readings that were."""
    readings = 0
    for name, line in company.lines.items():
        values = line.values()
        readings += len(values)
        assert {value["temperature"] for value in values} <= {float(int(name[1:], 16))}, name
    return readings


def test_eight_devices_read_their_own_chips(meet: Meet, wire: Wire) -> None:
    """In turn, with nobody in between."""
    company = meet(*eight(interval=0.02))
    until_all_bring(company, 20)
    assert company.stop() < 2.0
    assert check_values(company) >= 160
    assert (wire.wrong, wire.handles) == ([], 0)


@pytest.mark.slow
def test_one_of_eight_hangs(meet: Meet, wire: Wire) -> None:
    """It alone is hung. The others wait without an error until it is abandoned, and then keep their schedule."""
    company = meet(*eight())
    until_all_bring(company, 2)
    others = [name for name in company.lines if name != "d43"]
    seen: set[str] = set()

    def look() -> bool:
        seen.update(company.supervisor.hung())
        return company.lines["d43"].ledger.abandoned > 0

    wire.hang(0x43)
    company.until(look, timeout=15)
    until_all_bring(company, 2, *others)
    after_it = {name: company.lines[name].ledger for name in others}
    until_all_bring(company, 20, *others)
    assert seen == {"d43"}
    for name, before in after_it.items():
        after = company.lines[name].ledger
        assert after.failed == 0
        assert after.missed - before.missed <= after.read - before.read, "it misses more than it reads"
    wire.free(0x43)
    company.until(lambda: all_online(company), timeout=15)
    until_all_bring(company, 2)
    company.stop()
    check_values(company)
    assert wire.wrong == []


@pytest.mark.slow
def test_waiting_for_the_bus_is_no_hanging(meet: Meet, wire: Wire) -> None:
    """However long it is in comparison with what a read may take: it says who holds the bus, and works right after."""
    busy, done = threading.Event(), threading.Event()

    def keep(self: Any) -> dict[str, float]:
        with self.i2c(1, 0x40).transaction():
            busy.set()
            assert done.wait(20)
        return {"temperature": 64.0}

    waiter = thermometer("d41", 0x41, timeout=0.2)
    company = meet(device("d40", driver(keep), interval=0.1, timeout=60.0), waiter, wait=1.0)
    company.until(busy.is_set)
    line = company.lines["d41"]

    def offline() -> bool:
        assert company.supervisor.hung() == []
        return line.status.state is State.OFFLINE

    company.until(offline, timeout=20)
    assert line.status.last_error.startswith("I2C bus 1 is busy (held by d40 for ")
    assert (line.ledger.abandoned, line.ledger.restarts) == (0, 0)
    done.set()
    company.until(lambda: line.status.state is State.ONLINE)


def test_a_stop_does_not_wait_for_the_bus(meet: Meet, wire: Wire) -> None:
    """Who waits for his turn ends at once; only the one that hangs is left behind."""
    company = meet(*eight(timeout=60.0), wait=60.0)
    until_all_bring(company, 1)
    wire.hang(0x40)
    slots = company.supervisor._slots.values()
    company.until(lambda: sum(slot.reader is not None and slot.reader.home.waiting for slot in slots) == 7)
    assert company.stop(1.0) < 3.0
    assert company.supervisor.left_behind == 1


@pytest.mark.slow
def test_a_bus_that_is_stuck(meet: Meet, wire: Wire) -> None:
    """Everybody on it is offline and says why; it costs two threads and no more; and it comes back by itself."""
    company = meet(*eight())
    until_all_bring(company, 1)
    wire.hang()
    company.until(lambda: set(states(company).values()) == {State.OFFLINE}, timeout=20)
    errors = {line.status.last_error for line in company.lines.values()}
    assert all(error.startswith("I2C bus 1 is stuck: calls of d4") for error in errors), errors
    assert (wire.hanging, company.supervisor.left_behind) == (2, 2)
    until = time.monotonic() + 2.5
    company.until(lambda: time.monotonic() > until)  # each of them has tried to open it again meanwhile
    assert (wire.hanging, company.supervisor.left_behind) == (2, 2)
    wire.free()
    company.until(lambda: all_online(company), timeout=30)
    assert wire.wrong == []


@pytest.mark.slow
def test_anything_may_happen(meet: Meet, wire: Wire, request: pytest.FixtureRequest) -> None:
    """Hanging, silence, a bus that is stuck, restarts, for 5 s: no call overlaps another, no value is another's.

    And when it is over everybody is back. The long form takes two minutes.
    """
    dice = random.Random(3)
    wire.chips[0x70] = Mux({channel: {0x60: Chip({VALUE: 0xA0 + channel})} for channel in range(2)})
    muxed = [thermometer(f"d{0xA0 + channel:x}", 0x60, 0x70, channel, interval=0.02) for channel in range(2)]
    company = meet(*eight(interval=0.02, timeout=0.2), *muxed, wait=0.5)
    until = time.monotonic() + (120 if request.config.getoption("--long") else 5)

    def abandoned() -> bool:
        return any(line.ledger.abandoned for line in company.lines.values())

    def something() -> bool:
        address = dice.choice(ADDRESSES)
        what = dice.random()
        if what < 0.02:
            wire.hang(address if dice.random() < 0.9 else None)
        elif what < 0.025:
            wire.free_all()
        elif what < 0.05:
            wire.errors[address] = dice.choice([errno.EREMOTEIO, errno.EIO, errno.ETIMEDOUT])
        elif what < 0.07:
            wire.errors.clear()
        elif what < 0.08:
            company.supervisor.restart(f"d{address:x}")
        return time.monotonic() > until and abandoned()

    company.until(something, timeout=150)
    wire.free_all()
    wire.errors.clear()
    for name in company.lines:
        company.supervisor.restart(name)  # else it takes up to a minute until the last one tries again
    company.until(lambda: all_online(company), timeout=30)
    until_all_bring(company, 3)
    assert company.supervisor.left_behind == 0
    company.stop()
    assert check_values(company) > 100
    assert (wire.wrong, wire.handles) == ([], 0)


@pytest.mark.slow
def test_no_two_threads_can_wait_for_each_other(meet: Meet, wire: Wire, monkeypatch: pytest.MonkeyPatch) -> None:
    """All locks on the way of a reading, in the order in which threads take them, also when a device is replaced."""
    order = LockOrder()
    order.watch(monkeypatch, bus, real, memory, board, ledger, queue)
    behind = {channel: {0x60: Chip({VALUE: 0x60})} for channel in range(2)}
    wire.chips[0x70] = Mux(behind)
    muxed = [thermometer(name, 0x60, 0x70, channel) for channel, name in enumerate(("m0", "m1"))]
    company = meet(*eight(), *muxed)
    until_all_bring(company, 2)
    wire.hang(0x43)
    company.until(lambda: company.lines["d43"].ledger.abandoned > 0, timeout=15)
    until_all_bring(company, 2, "d40", "m0", "m1")
    wire.free(0x43)
    company.until(lambda: all_online(company), timeout=15)
    company.stop()
    assert order.circles() == []
    assert order.after["I2C bus 1"], "nothing was recorded"
    assert [lock for lock, after in order.after.items() if "I2C bus 1" in after] == [], "waits for a bus with a lock"
    assert wire.wrong == []
