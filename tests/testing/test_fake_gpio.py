"""gateway/testing/fake_gpio.py: pins in virtual time."""

from __future__ import annotations

import threading

import pytest

from gateway.driver import DeviceUnavailable, Edge
from gateway.simulation.clockwork import RealTime
from gateway.testing import FakeGPIO, FakeHardware, FakeTime


def test_edges_in_virtual_time() -> None:
    """Waiting ends with the edge, or costs its timeout."""
    wire = FakeGPIO()
    pin = FakeHardware(gpio={17: wire}).gpio(17, pull="up")
    wire.set(True, after=0.5)
    assert pin.wait_for_edge(1.0) == Edge(value=True, time=0.5)
    assert (wire.time.now, pin.value, wire.pull) == (0.5, True, "up")
    assert pin.wait_for_edge(1.0) is None
    assert wire.time.now == 1.5


def test_no_edge_is_lost_while_nobody_waits() -> None:
    """They come later, one after the other, with the times at which they were."""
    wire = FakeGPIO()
    pin = FakeHardware(gpio={17: wire}).gpio(17)
    for at in (0.1, 0.2, 0.3):
        wire.set(at != 0.2, after=at)
    wire.time.wait(5)
    assert [pin.wait_for_edge(0), pin.wait_for_edge(0), pin.wait_for_edge(0)] == [
        Edge(value=True, time=0.1),
        Edge(value=False, time=0.2),
        Edge(value=True, time=0.3),
    ]
    assert (pin.wait_for_edge(0), pin.lost) == (None, 0)


def test_the_buffer_is_bounded() -> None:
    """The oldest are lost, and counted."""
    wire = FakeGPIO()
    pin = FakeHardware(gpio={17: wire}).gpio(17)
    for step in range(1030):
        wire.set(step % 2 == 0, after=step)
    wire.time.wait(2000)
    first = pin.wait_for_edge(0)
    assert first is not None
    assert (first.time, pin.lost) == (6.0, 6)


def test_low_active() -> None:
    """Values are the driver's, levels are the wire's."""
    wire = FakeGPIO(level=True)
    hardware = FakeHardware(gpio={4: wire})
    pin = hardware.gpio(4, active_low=True)
    assert not pin.value
    wire.set(False)
    assert pin.value
    assert pin.wait_for_edge(0) == Edge(value=True, time=0.0)
    pin.close()
    out = hardware.gpio_output(4, initial=True, active_low=True)
    out.write(False)
    assert wire.written == [(0.0, False), (0.0, True)]


def test_debounce() -> None:
    """A level counts once it has lasted; a bouncing contact makes one edge."""
    wire = FakeGPIO()
    pin = FakeHardware(gpio={4: wire}).gpio(4, debounce=0.02)
    for at, level in ((0.1, True), (0.105, False), (0.11, True), (0.5, False), (0.505, True)):
        wire.set(level, after=at)
    assert pin.wait_for_edge(1.0) == Edge(value=True, time=pytest.approx(0.13))
    assert pin.wait_for_edge(2.0) is None
    assert pin.value


def test_an_output_can_be_answered() -> None:
    """As an ultrasonic sensor answers its trigger."""
    time = FakeTime()
    echo = FakeGPIO()
    trigger = FakeGPIO(
        on_write=lambda level: None if level else (echo.set(True, after=0.001), echo.set(False, after=0.003))
    )
    hardware = FakeHardware(gpio={23: trigger, 24: echo})
    hardware.use_time(time)
    pin = hardware.gpio(24)
    out = hardware.gpio_output(23, initial=True)
    out.write(False)
    rise, fall = pin.wait_for_edge(1), pin.wait_for_edge(1)
    assert rise is not None
    assert fall is not None
    assert fall.time - rise.time == pytest.approx(0.002)
    pin.cancel_wait()
    assert not pin.waiting
    assert hardware.still_open() == ["GPIO 23", "GPIO 24"]


def test_what_cannot_be() -> None:
    """No such pin, used twice, gone, closed."""
    wire = FakeGPIO()
    hardware = FakeHardware(gpio={4: wire})
    with pytest.raises(DeviceUnavailable, match="no GPIO 5"):
        hardware.gpio(5)
    pin = hardware.gpio(4)
    with pytest.raises(ValueError, match="finite"):
        pin.wait_for_edge(float("inf"))
    with pytest.raises(DeviceUnavailable, match="another device"):
        hardware.gpio_output(4)
    wire.unplug()
    with pytest.raises(DeviceUnavailable, match="gone"):
        pin.wait_for_edge(1)
    pin.close()
    with pytest.raises(DeviceUnavailable, match="another program"):
        hardware.gpio(4)
    wire.plug_in()
    with pytest.raises(DeviceUnavailable, match="closed"):
        _ = pin.value
    assert not hardware.gpio(4).value


def test_what_is_connected_goes_on_by_itself() -> None:
    """A function that plans the next change keeps its rhythm, however seldom one looks."""
    wire = FakeGPIO()

    def swing() -> None:
        wire.set(not wire.level)
        wire.call(0.5, swing)

    wire.call(0.5, swing)
    pin = FakeHardware(gpio={4: wire}).gpio(4)
    first = pin.wait_for_edge(10)
    wire.time.wait(1.7)
    assert [first, *(pin.wait_for_edge(0) for _ in range(4))] == [
        Edge(value=True, time=0.5),
        Edge(value=False, time=1.0),
        Edge(value=True, time=1.5),
        Edge(value=False, time=2.0),
        None,
    ]


def test_moved_by_another_thread() -> None:
    """In real time: who waits sees it at once."""
    wire = FakeGPIO()
    wire.time = RealTime().waiter()
    pin = FakeHardware(gpio={4: wire}).gpio(4)
    thread = threading.Timer(0.05, wire.set, [True])
    thread.start()
    edge = pin.wait_for_edge(30)
    thread.join()
    assert edge is not None
    assert edge.value
    threading.Timer(0.05, pin.cancel_wait).start()
    assert pin.wait_for_edge(30) is None
