"""gateway/simulation/line.py and serial_model.py: devices on serial lines, with all that goes wrong there."""

from __future__ import annotations

import threading

import pytest
from support.waiting import wait_until

from gateway.driver import DeviceUnavailable, SerialPort
from gateway.simulation import (
    AnsweringSerial,
    RealTime,
    SerialModel,
    SimulatedHardware,
    StreamingSerial,
    VirtualTime,
    World,
)

PORT = "/dev/ttyUSB0"


class Counter(StreamingSerial):
    """Sends a number every second."""

    baudrate = 9600
    count = 0

    def frame(self) -> bytes:
        """The next; nothing instead of 3."""
        self.count += 1
        return b"" if self.count == 3 else b"%d\n" % self.count


class Meter(AnsweringSerial):
    """Answers requests of two bytes that begin with its number."""

    def __init__(self, number: int = 0) -> None:
        super().__init__()
        self.number = number

    def request_in(self, heard: bytearray) -> bytes | None:
        """Two bytes."""
        if len(heard) < 2:
            return None
        request = bytes(heard[:2])
        del heard[:2]
        return request

    def answer(self, request: bytes) -> bytes | None:
        """The request, turned around."""
        return request[::-1] if request[0] == self.number else None


@pytest.fixture
def world() -> World:
    """In virtual time."""
    return World(VirtualTime())


def opened(
    world: World, device: str = "x", *, baudrate: int = 9600, timeout: float = 1.0, shared: bool = False
) -> SerialPort:
    """The port as a driver has it."""
    return SimulatedHardware(device, world).serial(
        PORT, baudrate, bytesize=8, parity="N", stopbits=1, timeout=timeout, shared=shared
    )


def counter(world: World) -> Counter:
    """A counter on the port."""
    model = Counter()
    world.connect_serial(model, PORT)
    return model


def test_a_stream(world: World) -> None:
    """It comes when it comes, and what nobody reads waits in the kernel's buffer."""
    counter(world)
    port = opened(world)
    assert (port.read_until(), world.time.now) == (b"1\n", 1.0)
    assert port.read_until() == b"2\n"
    assert (port.read_until(), world.time.now) == (b"", 3.0)
    world.time.waiter().wait(2.0)
    assert port.in_waiting == 4
    port.reset_input_buffer()
    assert port.in_waiting == 0
    world.time.waiter().wait(10_000.0)
    assert 4096 <= port.in_waiting < 4110


def test_a_port_is_open_once_and_begins_anew(world: World) -> None:
    """What was sent before it was opened is lost."""
    counter(world)
    port = opened(world)
    with pytest.raises(DeviceUnavailable, match="in use"):
        opened(world, "other")
    world.time.waiter().wait(1.5)
    port.close()
    again = opened(world)
    assert again.in_waiting == 0
    assert (again.read_until(), world.time.now) == (b"1\n", 2.5)


def test_answers(world: World) -> None:
    """A request may come in pieces, several in one; each answer takes its time."""
    world.connect_serial(Meter(0), PORT)
    port = opened(world)
    port.write(b"\x00")
    assert port.read(2) == b""
    port.write(b"a\x00b\x00")
    assert (port.read(4), port.read(2)) == (b"a\x00b\x00", b"")
    SerialModel().send(b"nobody is connected")
    assert AnsweringSerial().answer(b"?") is None


def test_whatever_is_written_is_a_request() -> None:
    """Where a model does not say better."""
    assert [AnsweringSerial().request_in(bytearray(heard)) for heard in (b"", b"?x")] == [None, b"?x"]


def test_several_on_one_line(world: World) -> None:
    """As on RS-485: all hear, one answers, and devices of the gateway share the port."""
    for number in (1, 2):
        world.connect_serial(Meter(number), PORT)
    one, two = opened(world, "one", shared=True), opened(world, "two", shared=True)
    for port, number in ((one, b"\x01"), (two, b"\x02"), (one, b"\x01")):
        with port.transaction():
            port.write(number + b"?")
            assert port.read(2) == b"?" + number


@pytest.mark.parametrize("garbage", [False, True])
def test_another_speed(world: World, garbage: bool) -> None:  # noqa: FBT001 (pytest passes it)
    """Neither side understands the other."""
    model = counter(world)
    model.faults.garbage = garbage
    port = opened(world, baudrate=9600 if garbage else 19200)
    assert len(port.read(2)) == 2
    assert port.read(2) != b"2\n"
    heard: list[bytes] = []
    model.received = heard.append  # type: ignore[method-assign]
    port.write(b"hello")
    assert heard[0] != b"hello"


def test_trouble(world: World) -> None:
    """Silent, half, glued, dribbled, with a wrong bit, and a line that takes nothing."""
    model = counter(world)
    port = opened(world, timeout=1.5)
    model.faults.halves = 1
    assert port.read_until() == b"1"
    model.faults.dribble = 0.2
    assert port.read(1) + port.read(1) == b"2\n"
    model.faults.dribble = 0.0
    model.faults.glue = 1
    port.timeout = 3.5
    assert port.read(4) == b"4\n5\n"
    model.faults.corrupt = 1
    assert port.read(2) != b"6\n"
    model.faults.silent = True
    assert port.read(2) == b""
    model.faults.locked = True
    with pytest.raises(DeviceUnavailable, match="takes no data"):
        port.write(b"x")


def test_unplugged(world: World) -> None:
    """Everything fails as on a real port, which then is not there; plugged in again it can be opened."""
    model = counter(world)
    port = opened(world)
    model.unplug()
    for use in (port.read, port.read_until, lambda: port.in_waiting, lambda: port.write(b"x"), port.reset_input_buffer):
        with pytest.raises(DeviceUnavailable, match="gone"):
            use()
    with pytest.raises(DeviceUnavailable, match="there is no port"):
        opened(world)
    port.close()
    model.plug_in()
    assert opened(world).read_until() == b"1\n"


def test_real_time_can_be_ended() -> None:
    """A driver that waits is woken when the gateway stops; one that hangs loses the port to its successor."""
    world = World(RealTime())
    counter(world).interval = 60.0
    hardware = SimulatedHardware("x", world)
    got: list[bytes | Exception] = []

    def wait() -> None:
        port = hardware.serial(PORT, 9600, bytesize=8, parity="N", stopbits=1, timeout=30)
        ports.append(port)
        for _ in range(2):
            try:
                got.append(port.read())
            except DeviceUnavailable as error:
                got.append(error)

    ports: list[SerialPort] = []
    thread = threading.Thread(target=wait)
    thread.start()
    wait_until(lambda: ports)
    ports[0].cancel_wait()
    wait_until(lambda: got)
    assert got == [b""]
    hardware.abandon()
    thread.join(10)
    assert isinstance(got[1], DeviceUnavailable)
    opened(world).close()


def test_moved_by_another_thread() -> None:
    """In real time: who waits for it gets it at once, and whole."""
    world = World(RealTime())
    model = SerialModel()
    world.connect_serial(model, PORT)
    port = opened(world, timeout=30)
    threads = [threading.Timer(0.05, model.send, [b"12.5"]), threading.Timer(0.1, model.send, [b" kg\n"])]
    for thread in threads:
        thread.start()
    assert port.read_until() == b"12.5 kg\n"
    for thread in threads:
        thread.join()
    port.close()
