"""Who is on an I2C bus and what it is, without changing anything."""

from __future__ import annotations

import errno
import os
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from support.i2c_wire import Chip, Wire
from support.i2c_wire import Mux as WireMux

from gateway.driver import BadReading, DeviceUnavailable, Misconfigured
from gateway.hardware.i2c import make_buses
from gateway.hardware.machine import Machine
from gateway.hardware.real import RealHardware
from gateway.known.thing import Thing, things
from gateway.scan.probe import ADDRESSES, MEMORIES, NEVER_ASKED, SHY, Answer, Probe, Stuck
from gateway.simulation.i2c import LIBRARY, Message
from gateway.testing import FakeHardware, FakeI2C

UNLIKE = bytes(range(1, 9))
"""What a chip with registers says from its first on: no byte twice."""


class Watched(FakeI2C):
    """Remembers empty messages as well."""

    def write_at_power_on(self, register: int, data: bytes) -> None:
        """What it holds there."""
        self._put(register, data)

    def write(self, data: bytes) -> None:
        """What the scan sends."""
        if not data:
            self.sent.append(b"")
        super().write(data)


class Mux(Watched):
    """A TCA9548A: one register, without a number."""

    def __init__(self, channels: int) -> None:
        super().__init__(answer=self.talk)
        self.channels = channels

    def talk(self, data: bytes, size: int) -> bytes:
        """Whatever is written are its channels."""
        if data:
            self.channels = data[-1]
        return bytes([self.channels]) * size


def probe(chips: dict[int, FakeI2C]) -> list[Answer]:
    """Who answers on a bus with these chips."""
    hardware = FakeHardware(i2c={(1, address): chip for address, chip in chips.items()} or {(1, 0x77): gone()})
    found = list(Probe(lambda address: hardware.i2c(1, address), things()).answers())
    assert hardware.still_open() == []
    return found


def gone() -> FakeI2C:
    """A chip that is not there."""
    chip = FakeI2C()
    chip.unplug()
    return chip


def chip(register: int | None, answer: bytes) -> Watched:
    """One that tells what it is."""
    there = Watched({0: UNLIKE})
    there.write_at_power_on(register or 0, answer)
    return there


def telling() -> Iterator[Any]:
    """Every chip that tells what it is, at each of its addresses, with each of its answers."""
    for thing in things():
        for address in thing.addresses:
            for answer in thing.answers:
                yield pytest.param(thing, address, answer, id=f"{thing.names[0]}-{address:#04x}-{answer.hex()}")


@pytest.mark.parametrize(("thing", "address", "answer"), list(telling()))
def test_a_chip_that_tells_what_it_is(thing: Thing, address: int, answer: bytes) -> None:
    """It is known for sure, and was sent nothing but numbers of registers."""
    there = chip(thing.register, answer)
    (found,) = probe({address: there})
    assert (found.address, found.thing, found.is_mux) == (address, thing, False)
    assert all(len(data) <= 1 for data in there.sent)


def test_nothing_is_written_where_it_could_do_harm() -> None:
    """One byte at most, none to outputs and multiplexers, and to memories not even an empty message."""
    chips = {address: Watched({0: UNLIKE}) for address in ADDRESSES}
    assert [answer.address for answer in probe(dict(chips))] == list(ADDRESSES)
    for address, there in chips.items():
        assert all(len(data) <= 1 for data in there.sent), hex(address)
        if address in NEVER_ASKED:
            assert there.sent == [b""], hex(address)
        if address in MEMORIES:
            assert b"" not in there.sent, hex(address)
        assert set(b"".join(there.sent)) <= {thing.register for thing in things() if address in thing.addresses}


def test_what_is_never_asked() -> None:
    """Outputs (PCF8574, PCF8591) and what can only be a multiplexer, spelled out."""
    pins, dacs, muxes = (*range(0x20, 0x28), *range(0x38, 0x40)), range(0x48, 0x50), range(0x70, 0x76)
    assert {*pins, *dacs, *muxes} == NEVER_ASKED
    assert {*range(0x30, 0x38), *range(0x50, 0x60)} == MEMORIES


@pytest.mark.parametrize("address", [0x76, 0x77])
@pytest.mark.parametrize("channels", [0x00, 0x04, 0xD0])
def test_a_multiplexer_where_a_bme280_could_be(address: int, channels: int) -> None:
    """It is recognised, and leads where it led before."""
    there = Mux(channels)
    (found,) = probe({address: there})
    assert (found.thing, found.is_mux) == (None, True)
    assert there.channels == channels
    assert there.sent == [b"", b"\xd0", bytes([channels])]


def test_a_multiplexer_that_does_not_hear_at_once() -> None:
    """It gets its channels back all the same."""

    class Deaf(Mux):
        def write(self, data: bytes) -> None:
            if data and self.sent[-1] != data:
                self.sent.append(data)
                raise DeviceUnavailable("nothing answers")
            super().write(data)

    there = Deaf(0x02)
    (found,) = probe({0x77: there})
    assert (found.is_mux, there.channels) == (True, 0x02)


def test_a_chip_that_fails_while_it_is_looked_at() -> None:
    """It is there, and nothing more is known of it."""

    def talk(data: bytes, size: int) -> bytes:
        if size > 1 or data:
            raise_silent()
        return bytes(size)

    found = probe({address: FakeI2C(answer=talk) for address in (0x68, 0x76)})
    assert found == [Answer(0x68), Answer(0x76)]


def test_a_multiplexer_where_no_sensor_can_be() -> None:
    """It is not asked at all."""
    there = Mux(0x01)
    (found,) = probe({0x70: there})
    assert (found.thing, found.is_mux) == (None, False)
    assert there.sent == [b""]


@pytest.mark.parametrize("address", sorted(SHY))
def test_a_converter_that_takes_every_byte_as_its_configuration(address: int) -> None:
    """An MCP3421 repeats its configuration; then nothing is sent to it."""
    there = Watched(answer=lambda data, size: (b"\x12\x34\x10" + b"\x10" * 8)[:size])
    (found,) = probe({address: there})
    assert found.thing is None
    assert there.sent == [b""]


def test_a_chip_without_registers() -> None:
    """One that refuses to be asked is there all the same."""

    def talk(data: bytes, size: int) -> bytes:
        if data:
            raise_silent()
        return bytes(size)

    (found,) = probe({0x28: FakeI2C(answer=talk)})
    assert found == Answer(0x28)


def raise_silent() -> None:
    """As an I2C device does that does not acknowledge."""
    gone_ = gone()
    gone_.open("there")
    gone_.write(b"\0")


def test_nobody() -> None:
    """An empty bus."""
    assert probe({}) == []


# What the kernel says -------------------------------------------------------------------------------------------------


class Bus:
    """At the place of smbus2."""

    def __init__(self, talk: Callable[[Message], None]) -> None:
        self._talk = talk
        self.calls = 0

    def i2c_rdwr(self, *messages: Message) -> None:
        """All messages of a transaction."""
        self.calls += 1
        for message in messages:
            self._talk(message)

    def close(self) -> None:
        """Nothing."""


def error(number: int) -> OSError:
    """As the kernel says it."""
    return OSError(number, os.strerror(number))


def on(bus: Bus) -> Probe:
    """A probe of that bus, through the machine's own locks and words."""
    hardware = RealHardware("scan", Machine(i2c=make_buses(lambda number: bus, library=LIBRARY)))
    return Probe(lambda address: hardware.i2c(1, address), things())


@pytest.mark.parametrize("number", [errno.EREMOTEIO, errno.ENXIO, errno.EIO, errno.EAGAIN])
def test_silence_of_different_adapters(number: int) -> None:
    """Nobody is there, whatever the adapter calls that."""

    def talk(message: Message) -> None:
        if message.address != 0x44:
            raise error(number)

    assert [answer.address for answer in on(Bus(talk)).answers()] == [0x44]


def test_an_adapter_that_sends_nothing_empty() -> None:
    """It is asked once, and then everybody is found by reading a byte."""
    empty = []

    def talk(message: Message) -> None:
        if not message.reading and not message.data:
            empty.append(message.address)
            raise error(errno.EOPNOTSUPP)
        if message.address != 0x62:
            raise error(errno.EREMOTEIO)

    assert [answer.address for answer in on(Bus(talk)).answers()] == [0x62]
    assert empty == [0x08]


def test_a_bus_that_does_not_move() -> None:
    """Each call takes a second: after two it is left alone."""

    def talk(message: Message) -> None:
        raise error(errno.ETIMEDOUT)

    bus = Bus(talk)
    with pytest.raises(Stuck, match="the bus does not move") as caught:
        list(on(bus).answers())
    assert "switch the power off and on" in caught.value.hint
    assert bus.calls == 2


def test_a_bus_that_others_keep() -> None:
    """In a gateway that uses it all the time: whoever has it is named."""
    there = FakeI2C()

    def busy(address: int) -> FakeI2C:
        there.open("there")
        return there

    def refuse(data: bytes) -> None:
        raise BadReading("I2C bus 1 is busy (held by office for 5.0 s)")

    there.write = refuse  # type: ignore[method-assign] # as the bus does
    with pytest.raises(Stuck, match="held by office"):
        list(Probe(busy, things()).answers())


def test_a_bus_that_is_gone() -> None:
    """At once."""

    def talk(message: Message) -> None:
        raise error(errno.ENODEV)

    bus = Bus(talk)
    with pytest.raises(Stuck, match="is gone"):
        list(on(bus).answers())
    assert bus.calls == 1


def test_a_bus_that_cannot_be_opened() -> None:
    """What is missing, and what to do."""

    def refuse(address: int) -> Any:
        raise Misconfigured("I2C needs smbus2, which is not installed", hint="install it")

    with pytest.raises(Stuck, match="needs smbus2") as caught:
        list(Probe(refuse, things()).answers())
    assert caught.value.hint == "install it"


def test_on_the_messages_of_smbus2() -> None:
    """The multiplexer leads where it led before, and every handle is closed."""

    class Told(WireMux):
        """One that can be read."""

        def read(self, size: int) -> bytes:
            return bytes([self._next]) * size

    mux = Told({4: {0x44: Chip()}, 0: {0x23: Chip()}})
    mux.write(b"\x01")
    mux.stop()
    wire = Wire({0x76: Chip({0xD0: 0x60}), 0x77: mux})
    hardware = RealHardware("scan", Machine(i2c=make_buses(wire.open)))
    found = list(Probe(lambda address: hardware.i2c(1, address), things()).answers())
    assert [(one.address, one.thing.title if one.thing else "", one.is_mux) for one in found] == [
        (0x23, "", False),  # behind the channel that is open already
        (0x76, "BME280", False),
        (0x77, "", True),
    ]
    assert (mux.open, wire.wrong, wire.handles) == (0x01, [], 0)
