"""gateway/hardware/i2c.py: what goes over the wire, through multiplexers too, and what its errors become."""

from __future__ import annotations

import errno
import os
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path

import pytest
from support.environment import unwatched
from support.i2c_wire import Chip, Mux, Wire
from support.waiting import wait_until

from gateway.driver import BadReading, DeviceUnavailable, Misconfigured
from gateway.hardware import i2c_trouble
from gateway.hardware.i2c import make_buses, open_smbus
from gateway.hardware.machine import Machine
from gateway.hardware.protocols import Hardware, I2CDevice
from gateway.hardware.real import RealHardware


@pytest.fixture(autouse=True)
def _no_devices_of_this_machine(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """The kernel has no drivers on the buses of a test."""
    monkeypatch.setattr(i2c_trouble, "DEVICES", tmp_path)


class Desk:
    """A wire, and the hardware of devices on it."""

    def __init__(self, wire: Wire, wait: float = 5.0) -> None:
        self.wire = wire
        self._buses = make_buses(wire.open, wait)

    def hardware(self, device: str = "office") -> RealHardware:
        """What a device is given."""
        return RealHardware(device, Machine(i2c=self._buses))

    def chip(self, address: int = 0x76, *mux: int) -> I2CDevice:
        """A device on the bus, behind a multiplexer and its channel."""
        hardware: Hardware = self.hardware()
        return hardware.i2c(1, address, mux=mux[0], mux_channel=mux[1]) if mux else hardware.i2c(1, address)


def test_registers() -> None:
    """Written and read, one or several; and the same byte by byte as the chip sees it."""
    desk = Desk(Wire({0x76: Chip({0xD0: 0x60})}))
    chip = desk.chip()
    assert chip.read_register(0xD0) == b"\x60"
    chip.write_register(0xF4, 0x27)
    chip.write_register(0x10, b"\x01\x02\x03")
    assert chip.read_register(0x0F, 4) == b"\x00\x01\x02\x03"
    chip.write(b"\xd0")
    assert chip.read(1) == b"\x60"
    assert chip.write_read(b"\xf4", 2) == b"\x27\x00"
    chip.write(b"")
    chip.close()
    assert (desk.wire.handles, desk.wire.wrong) == (0, [])


def test_reading_a_register_is_one_call(tmp_path: Path) -> None:
    """With a repeated start: another master cannot get in between the register's number and its value."""
    desk = Desk(Wire({0x76: Chip({0xD0: 0x60})}))
    desk.chip().read_register(0xD0)
    assert desk.wire.calls == [("MainThread", 0x76)]


def test_a_transaction_keeps_the_others_out() -> None:
    """Its calls follow each other, and it opens the bus once."""
    desk = Desk(Wire({0x40: Chip(), 0x41: Chip()}))
    one, two = desk.chip(0x40), desk.chip(0x41)

    def other() -> None:
        two.write(b"\x01")

    thread = threading.Thread(target=other, name="other")
    with one.transaction():
        one.write(b"\x01")
        thread.start()
        wait_until(lambda: two.waiting)
        one.read(1)
        assert desk.wire.handles == 1
    thread.join(5)
    assert desk.wire.calls == [("MainThread", 0x40), ("MainThread", 0x40), ("other", 0x41)]
    assert desk.wire.handles == 0


# Multiplexers --------------------------------------------------------------------------------------------------------


def muxed() -> Desk:
    """Two multiplexers with chips of the same address behind them, and one without a multiplexer."""
    behind = {channel: {0x28: Chip({0x37: 0x10 + channel})} for channel in range(3)}
    second = {0: {0x28: Chip({0x37: 0x20})}}
    return Desk(Wire({0x76: Chip({0xD0: 0x60}), 0x70: Mux(behind), 0x71: Mux(second)}))


def test_chips_of_one_address_behind_a_multiplexer() -> None:
    """Each is reached through its channel, in any order, and a direct one beside them."""
    desk = muxed()
    chips = [desk.chip(0x28, 0x70, channel) for channel in range(3)]
    direct = desk.chip(0x76)
    for order in ((0, 1, 2), (2, 0, 1), (1, 1, 0)):
        assert [chips[number].read_register(0x37)[0] for number in order] == [0x10 + number for number in order]
        assert direct.read_register(0xD0) == b"\x60"
    assert desk.wire.wrong == []


def test_two_multiplexers_with_the_same_chip() -> None:
    """The one that is not meant leads nowhere: else both would answer."""
    desk = muxed()
    first, second = desk.chip(0x28, 0x70, 1), desk.chip(0x28, 0x71, 0)
    for _ in range(3):
        assert first.read_register(0x37) == b"\x11"
        assert second.read_register(0x37) == b"\x20"
    assert desk.wire.wrong == []
    desk.wire.chips.pop(0x70)  # unplugged: the other does not mind
    assert second.read_register(0x37) == b"\x20"
    with pytest.raises(DeviceUnavailable, match="no multiplexer answers at 0x70 on I2C bus 1"):
        first.read_register(0x37)


def test_the_channel_is_chosen_once_a_transaction() -> None:
    """And again for another device within it, and after an error: the multiplexer may have lost its power."""
    desk = muxed()
    one, two = desk.chip(0x28, 0x70, 0), desk.chip(0x28, 0x70, 1)
    with one.transaction():
        one.read_register(0x37)
        one.read_register(0x37)
        assert [address for _, address in desk.wire.calls] == [0x70, 0x28, 0x28]
        assert two.read_register(0x37) == b"\x11"
        assert one.read_register(0x37) == b"\x10"
        desk.wire.errors[0x28] = errno.EREMOTEIO
        with pytest.raises(DeviceUnavailable, match="nothing answers at 0x28"):
            one.read_register(0x37)
        desk.wire.errors.clear()
        desk.wire.calls.clear()
        one.read_register(0x37)
    assert [address for _, address in desk.wire.calls] == [0x70, 0x28]
    assert desk.wire.wrong == []


@pytest.mark.parametrize(("mux", "channel"), [(0x70, None), (None, 0), (0x69, 0), (0x70, 8)])
def test_no_multiplexer(mux: int | None, channel: int | None) -> None:
    """Refused before anything is sent."""
    with pytest.raises(Misconfigured, match="no multiplexer"):
        Desk(Wire()).hardware().i2c(1, 0x28, mux=mux, mux_channel=channel)


# Trouble -------------------------------------------------------------------------------------------------------------


def test_nobody_answers() -> None:
    """What is not there, and what was unplugged; it works again at once when it is back."""
    desk = Desk(Wire({0x76: Chip({0xD0: 0x60})}))
    with pytest.raises(DeviceUnavailable, match=r"^nothing answers at 0x77 on I2C bus 1$"):
        desk.chip(0x77).read(1)
    chip = desk.chip()
    unplugged = desk.wire.chips.pop(0x76)
    with pytest.raises(DeviceUnavailable, match="nothing answers at 0x76"):
        chip.read_register(0xD0)
    desk.wire.chips[0x76] = unplugged
    assert chip.read_register(0xD0) == b"\x60"
    assert desk.wire.handles == 0


@pytest.mark.parametrize("address", [0, 7, 0x78, 0xEC, -1])
def test_no_address(address: int) -> None:
    """Also the habit of some data sheets to write it shifted to the left."""
    with pytest.raises(Misconfigured, match="no I2C device has the address"):
        Desk(Wire()).chip(address)


def test_a_bus_that_cannot_be_opened() -> None:
    """Said when the device is opened, not at the first read."""
    wire = Wire()

    def missing(number: int) -> object:
        raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT))

    wire.open = missing  # type: ignore[assignment,method-assign]
    with pytest.raises(DeviceUnavailable, match="there is no I2C bus 1"):
        Desk(wire).chip()


def test_a_device_of_the_kernel(tmp_path: Path) -> None:
    """Two drivers on one chip would read each other's answers."""
    (tmp_path / "1-0076").mkdir()
    (tmp_path / "1-0076" / "driver").symlink_to("../../../../bus/i2c/drivers/bmp280")
    with pytest.raises(DeviceUnavailable, match="0x76 on I2C bus 1 is in use by the kernel's bmp280"):
        Desk(Wire()).chip()
    (tmp_path / "1-0070").mkdir()
    (tmp_path / "1-0070" / "driver").symlink_to("../../../../bus/i2c/drivers/pca954x")
    with pytest.raises(DeviceUnavailable, match="kernel's pca954x"):
        Desk(Wire()).chip(0x28, 0x70, 1)


def test_closed() -> None:
    """Also twice; and then it is of no use."""
    chip = Desk(Wire({0x76: Chip()})).chip()
    chip.close()
    chip.close()
    with pytest.raises(DeviceUnavailable, match="0x76 on I2C bus 1 is closed"):
        chip.read(1)
    with pytest.raises(DeviceUnavailable, match="0x76 on I2C bus 1 is closed"), chip.transaction():
        pass


def test_without_the_library(monkeypatch: pytest.MonkeyPatch) -> None:
    """What to type is said."""
    monkeypatch.setitem(sys.modules, "smbus2", None)
    with pytest.raises(Misconfigured, match="I2C needs smbus2") as caught:
        Desk(Wire()).chip()
    assert caught.value.hint.endswith(f"{sys.executable} -m pip install smbus2")


# Those who hang ------------------------------------------------------------------------------------------------------


def in_thread(function: Callable[[], object], errors: list[Exception]) -> threading.Thread:
    """Do something in a thread, and keep what it raises."""

    def run() -> None:
        try:
            function()
        except Exception as error:  # noqa: BLE001 (the test looks at it)
            errors.append(error)

    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    return thread


def test_a_device_that_hangs_is_named_and_loses_the_bus() -> None:
    """Until it is abandoned the others say who it is; then they go on, and so does its successor."""
    desk = Desk(Wire({0x40: Chip(), 0x41: Chip()}), wait=0.05)
    office, kitchen = desk.hardware("office"), desk.hardware("kitchen")
    hung, chip = office.i2c(1, 0x40), kitchen.i2c(1, 0x41)
    desk.wire.hang(0x40)
    errors: list[Exception] = []
    thread = in_thread(lambda: hung.read(1), errors)
    wait_until(lambda: desk.wire.hanging)
    with pytest.raises(BadReading, match=r"I2C bus 1 is busy \(held by office for 0\.\d s\)"):
        chip.read(1)
    office.abandon()
    assert chip.read(1) == b"\x00"
    successor = office.i2c(1, 0x40)
    desk.wire.free(0x40)
    thread.join(5)
    assert [type(error) for error in errors] == [DeviceUnavailable]
    assert successor.read(1) == b"\x00"
    with pytest.raises(DeviceUnavailable, match="taken"):
        hung.read(1)
    assert (desk.wire.handles, desk.wire.wrong) == (0, [])


def test_another_thread_of_the_same_device_takes_its_place() -> None:
    """As with a serial port, without anybody having abandoned the first."""
    desk = Desk(Wire({0x40: Chip()}))
    office = desk.hardware("office")
    first = office.i2c(1, 0x40)
    found: list[I2CDevice] = []
    in_thread(lambda: found.append(office.i2c(1, 0x40)), []).join(5)
    with pytest.raises(DeviceUnavailable, match="taken"):
        first.read(1)
    assert found[0].read(1) == b"\x00"


# The real library ----------------------------------------------------------------------------------------------------


def test_a_file_that_is_no_bus_is_closed_again() -> None:
    """Smbus2 itself would leave it open."""
    with pytest.raises(OSError, match="Inappropriate ioctl"):
        open_smbus("/dev/zero")  # type: ignore[arg-type]  # smbus2 takes a path as well


PROGRAM = """
import threading, time
from gateway.driver import DriverError
from gateway.hardware.i2c import make_buses, open_smbus
from gateway.hardware.machine import Machine
from gateway.hardware.real import RealHardware

others = 0

def go_on():
    global others
    while True:
        others += 1
        time.sleep(0.005)

threading.Thread(target=go_on, daemon=True).start()
try:
    chip = RealHardware("office", Machine(i2c=make_buses(lambda number: open_smbus("/dev/zero")))).i2c(1, 0x76)
    before = others
    print(chip.read_register(0xD0, 2).hex(), others - before > 5)
except DriverError as error:
    print(f"{type(error).__name__}: {error}")
"""
"""Reads a register through smbus2, and looks whether other threads go on meanwhile."""


@pytest.mark.slow
@pytest.mark.needs("strace")
@pytest.mark.parametrize(
    ("kernel", "expected"),
    [
        ("retval=0:poke_exit=@arg3=01:delay_enter=500000", "0000 True"),
        ("retval=0", "Misconfigured: I2C bus /dev/zero is for SMBus commands only"),
        ("error=ENOTTY", "DeviceUnavailable: /dev/i2c-1 is not an I2C bus"),
    ],
)
def test_the_real_library(kernel: str, expected: str) -> None:
    """Smbus2 and its calls into the kernel, whose answers are made up; while one takes its time, other threads run."""
    command = ["strace", "-f", "-o", os.devnull, "-P", "/dev/zero", "-e", "trace=ioctl", "-e", f"inject=ioctl:{kernel}"]
    done = subprocess.run(
        [*command, sys.executable, "-c", PROGRAM],
        env={**unwatched(), "PYTHONPATH": os.pathsep.join(sys.path)},
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert done.stdout.strip() == expected, done.stderr
