"""Models on I2C, SPI, pins, files and as programs, through what a driver is given."""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping
from types import SimpleNamespace
from typing import Any, ClassVar

import pytest

from gateway.driver import DeviceUnavailable, Edge
from gateway.simulation import (
    Fifo,
    FileModel,
    I2CModel,
    Model,
    Nack,
    Program,
    RegisterChip,
    RegisterSPI,
    SerialModel,
    SimulatedHardware,
    SPIModel,
    VirtualTime,
    World,
)
from gateway.simulation.files import Content


class Chip(RegisterChip):
    """Measures when it is told to, which takes 10 ms; its register 5 is the top of a FIFO."""

    defaults: ClassVar[Mapping[int, int | bytes]] = {0xD0: 0x60, 0xF7: b"\x80\x00"}
    standing = frozenset({5})

    def power_on(self) -> None:
        """Nothing is measured yet."""
        super().power_on()
        self.fifo = Fifo(4)
        self.ready_at: float | None = None

    def on_write(self, register: int, value: int) -> None:
        """F4 begins a measurement, 5 is the FIFO, D0 cannot be written."""
        if register == 0xF4:
            self.ready_at = self.now + 0.01
        if register == 5:
            self.fifo.push(value)
        elif register != 0xD0:
            super().on_write(register, value)

    def on_read(self, register: int) -> int:
        """F7 holds the result once it is there."""
        if register == 5:
            return self.fifo.pop()
        if register == 0xF7 and self.ready_at is not None and self.now >= self.ready_at:
            return 0x55
        return super().on_read(register)


class SpiChip(RegisterSPI):
    """A chip with the usual bit for reading."""

    defaults: ClassVar[Mapping[int, int | bytes]] = {0x50: 0x61}


class Echo(SPIModel):
    """Says what it heard in the transfer before."""

    def power_on(self) -> None:
        """It has heard nothing."""
        self.heard = b""

    def transfer(self, data: bytes) -> bytes:
        """One transfer."""
        said, self.heard = self.heard[: len(data)].ljust(len(data), b"\0"), data
        return said


@pytest.fixture
def world() -> World:
    """In virtual time."""
    return World(VirtualTime())


@pytest.fixture
def hardware(world: World) -> SimulatedHardware:
    """What a device is given."""
    return SimulatedHardware("office", world)


def where(**options: Any) -> Any:
    """A driver's options."""
    return SimpleNamespace(**options)


def test_registers(world: World, hardware: SimulatedHardware) -> None:
    """The pointer goes on by itself, but for the FIFO; the chip decides what may be written."""
    world.connect(Chip(), where(bus=1, address=0x76))
    chip = hardware.i2c(1, 0x76)
    assert chip.read_register(0xD0) == b"\x60"
    chip.write_register(0xD0, 0x11)
    assert chip.read_register(0xD0, 2) == b"\x60\x00"
    chip.write_register(0x10, b"\x01\x02")
    assert chip.read_register(0x0F, 4) == b"\x00\x01\x02\x00"
    chip.write_register(5, b"\x07\x08")
    assert chip.read_register(5, 3) == b"\x07\x08\x00"
    chip.write(b"")
    assert chip.read_register(0xFF, 2) == b"\x00\x00"


def test_a_measurement_takes_its_time(world: World, hardware: SimulatedHardware) -> None:
    """In virtual time: nobody waits."""
    world.connect_i2c(Chip(), 1, 0x76)
    chip = hardware.i2c(1, 0x76)
    chip.write_register(0xF4, 1)
    assert chip.read_register(0xF7) == b"\x80"
    world.time.waiter().wait(0.01)
    assert chip.read_register(0xF7) == b"\x55"


def test_brown_out_and_unplugged(world: World, hardware: SimulatedHardware) -> None:
    """What was set is forgotten; what is not there does not answer."""
    model = Chip()
    world.connect_i2c(model, 1, 0x76)
    chip = hardware.i2c(1, 0x76)
    chip.write_register(0x10, 7)
    model.brown_out()
    assert chip.read_register(0x10) == b"\x00"
    chip.write_register(0x10, 7)
    model.unplug()
    with pytest.raises(DeviceUnavailable, match="nothing answers at 0x76 on I2C bus 1"):
        chip.read_register(0x10)
    model.plug_in()
    assert chip.read_register(0x10) == b"\x00"


def test_trouble_on_i2c(world: World, hardware: SimulatedHardware) -> None:
    """Each as the kernel and the driver see it; a bus that is stuck is stuck for all."""
    model, other = Chip(), Chip()
    world.connect_i2c(model, 1, 0x76)
    world.connect_i2c(other, 1, 0x77)
    chip, neighbour = hardware.i2c(1, 0x76), hardware.i2c(1, 0x77)
    model.faults.stuck = 0xFF
    assert chip.read_register(0xD0) == b"\xff"
    model.faults.stuck = None
    model.faults.corrupt = 1
    assert chip.read_register(0xD0) != b"\x60"
    assert chip.read_register(0xD0) == b"\x60"
    model.faults.silent = True
    with pytest.raises(DeviceUnavailable, match="nothing answers"):
        chip.read(1)
    model.faults.locked = True
    with pytest.raises(DeviceUnavailable, match="the bus does not move"):
        neighbour.read_register(0xD0)
    assert world.time.now == 1.0
    model.faults.locked = False
    assert neighbour.read_register(0xD0) == b"\x60"


def test_a_chip_that_refuses(world: World, hardware: SimulatedHardware) -> None:
    """It does not acknowledge a command that it does not know."""

    class Picky(I2CModel):
        def write(self, data: bytes) -> None:
            if data == b"\x99":
                raise Nack

    world.connect_i2c(Picky(), 1, 0x44)
    chip = hardware.i2c(1, 0x44)
    chip.write(b"\x98")
    assert chip.read(2) == b"\xff\xff"
    with pytest.raises(DeviceUnavailable, match="nothing answers"):
        chip.write(b"\x99")


def test_behind_a_multiplexer(world: World, hardware: SimulatedHardware) -> None:
    """Two chips with one address on two channels, and none without."""
    one, two = Chip(), Chip()
    world.connect(one, where(bus=1, address=0x28, mux=0x70, mux_channel=0))
    world.connect(two, where(bus=1, address=0x28, mux=0x70, mux_channel=3))
    two.put(0xD0, 0x15)
    first = hardware.i2c(1, 0x28, mux=0x70, mux_channel=0)
    second = hardware.i2c(1, 0x28, mux=0x70, mux_channel=3)
    assert (first.read_register(0xD0), second.read_register(0xD0)) == (b"\x60", b"\x15")
    hardware.i2c(1, 0x70).write(b"\x09")
    assert hardware.i2c(1, 0x70).read(1) == b"\x09"
    assert hardware.i2c(1, 0x28).read_register(0xD0) == b"\x00"  # both talk, and the lower bit wins
    hardware.i2c(1, 0x70).write(b"\x00")
    with pytest.raises(DeviceUnavailable, match="nothing answers"):
        hardware.i2c(1, 0x28).read(1)


def test_no_such_place(world: World, hardware: SimulatedHardware) -> None:
    """As on a machine without it."""
    opens: list[Callable[[], object]] = [
        lambda: hardware.i2c(7, 0x76),
        lambda: hardware.spi(3, 0),
        lambda: hardware.serial("/dev/x", 9600, bytesize=8, parity="N", stopbits=1, timeout=1),
        lambda: hardware.process(["rtl_433"]),
    ]
    for one in opens:
        with pytest.raises(DeviceUnavailable, match="there is no"):
            one()
    with pytest.raises(TypeError, match="no place for Chip"):
        world.connect(Chip(), where(pin=4))


def test_spi(world: World, hardware: SimulatedHardware) -> None:
    """Registers behind a chip select, and a chip of another kind."""
    model, echo = SpiChip(), Echo()
    world.connect(model, where(bus=0, device=1))
    world.connect_spi(echo, 0, 0)
    chip, other = hardware.spi(0, 1), hardware.spi(0, 0)
    assert chip.transfer(b"\xd0\x00") == b"\x00\x61"
    chip.transfer(b"\x10\x05\x06")
    assert chip.transfer(b"\x90\x00\x00") == b"\x00\x05\x06"
    other.transfer(b"ab")
    assert other.transfer(b"xyz") == b"ab\x00"
    model.faults.stuck = 0xFF
    assert chip.transfer(b"\xd0\x00") == b"\xff\xff"
    model.unplug()
    assert chip.transfer(b"\xd0\x00") == b"\x00\x00"
    model.faults.locked = True
    with pytest.raises(DeviceUnavailable, match="Input/output error"):
        chip.transfer(b"\xd0\x00")


def test_a_model_that_says_too_little(world: World, hardware: SimulatedHardware) -> None:
    """Is a mistake of its author, and told as one."""

    class Short(I2CModel):
        def read(self, size: int) -> bytes:
            return b""

        def transfer(self, data: bytes) -> bytes:
            return b""

    world.connect_i2c(Short(), 1, 0x44)
    world.connect_spi(Short(), 0, 0)
    with pytest.raises(AssertionError, match=r"Short.read\(2\) returned 0 bytes"):
        hardware.i2c(1, 0x44).read(2)
    with pytest.raises(AssertionError, match="returned 0 of 2 bytes"):
        hardware.spi(0, 0).transfer(b"ab")


def test_fifo() -> None:
    """Bounded; what is too much is lost, and shows."""
    fifo = Fifo(3)
    fifo.push(b"ab")
    fifo.push(0x63)
    assert (len(fifo), fifo.overflowed) == (3, False)
    fifo.push(0x64)
    assert fifo.overflowed
    assert (fifo.pop(), fifo.take(), fifo.pop(0x99)) == (0x61, b"bc", 0x99)
    fifo.push(1)
    fifo.flush()
    assert (len(fifo), fifo.overflowed) == (0, False)


def test_pins(world: World, hardware: SimulatedHardware) -> None:
    """What is connected sets them; another pin may answer; a thread that hangs loses its own."""
    pin = hardware.gpio(17, pull="up", debounce=0.01)
    world.pin(17).set(True, after=0.5)
    assert pin.wait_for_edge(1.0) == Edge(value=True, time=0.51)
    out = hardware.gpio_output(27, initial=True)
    assert world.pin(27).written == [(0.51, True)]
    with pytest.raises(DeviceUnavailable, match="in use"):
        SimulatedHardware("other", world).gpio(17)
    hardware.abandon()
    with pytest.raises(DeviceUnavailable, match="closed"):
        out.write(False)
    assert SimulatedHardware("other", world).gpio(17).value


class Radio(Program):
    """Prints a number every two seconds."""

    interval = 2.0
    count = 0

    def line(self) -> bytes:
        """The next."""
        self.count += 1
        return b"%d" % self.count


def test_programs(world: World, hardware: SimulatedHardware) -> None:
    """One that talks by itself, until it is taken away."""
    radio = Radio()
    world.add_program("rtl_433", radio)
    program = hardware.process(["rtl_433", "-F", "json"])
    assert [program.read_line(1), program.read_line(1), program.read_line(5)] == [None, b"1", b"2"]
    assert world.time.now == 4.0
    hardware.abandon()
    assert radio.closed
    with pytest.raises(DeviceUnavailable, match="closed"):
        program.read_line(1)


class OneWire(FileModel):
    """A sensor that converts when it is told to."""

    value = ""

    def contents(self) -> Mapping[str, Content]:
        """Its files."""
        return {"/sys/bus/w1/temperature": lambda: self.value, "/sys/bus/w1/therm_bulk_read": "0"}

    def takes(self) -> Mapping[str, Callable[[str], object]]:
        """A conversion begins."""
        return {"/sys/bus/w1/therm_bulk_read": lambda text: setattr(self, "value", f"21500 {text}")}


def test_files(world: World, hardware: SimulatedHardware) -> None:
    """They change, they do things, they go."""
    model = OneWire()
    world.connect(model, where())
    sysfs = hardware.sysfs()
    assert sysfs.read("/sys/bus/w1/temperature") == ""
    sysfs.write("/sys/bus/w1/therm_bulk_read", "trigger")
    assert sysfs.read("/sys/bus/w1/temperature") == "21500 trigger"
    model.unplug()
    assert not sysfs.exists("/sys/bus/w1/temperature")
    model.plug_in()
    assert sysfs.exists("/sys/bus/w1/temperature")
    world.disconnect(model)
    assert sysfs.glob("/sys/bus/w1/*") == []


def test_the_same_seed_gives_the_same() -> None:
    """And another one something else."""
    one, two, other = (World(VirtualTime(), seed).dice("x").random() for seed in (1, 1, 2))
    assert one == two != other
    assert Model().now == 0.0


def test_no_library_is_needed(world: World, hardware: SimulatedHardware, monkeypatch: pytest.MonkeyPatch) -> None:
    """A laptop without any of them will do."""
    for library in ("smbus2", "serial", "spidev"):
        monkeypatch.setitem(sys.modules, library, None)
    world.connect_i2c(Chip(), 1, 0x76)
    world.connect_spi(SpiChip(), 0, 0)
    world.connect_serial(SerialModel(), "/dev/x")
    assert hardware.i2c(1, 0x76).read_register(0xD0) == b"\x60"
    assert hardware.spi(0, 0).transfer(b"\xd0\x00") == b"\x00\x61"
    port = hardware.serial("/dev/x", 9600, bytesize=8, parity="N", stopbits=1, timeout=1)
    assert port.read() == b""
