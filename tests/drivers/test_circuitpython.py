"""drivers/circuitpython.py: real libraries of Adafruit, and one made up, on fake chips."""

from __future__ import annotations

import sys
from types import ModuleType
from typing import Any

import pytest

from drivers.bme280 import decode, parse_trims
from drivers.circuitpython import Bus, CircuitPython, Nothing
from gateway.driver import BadReading, DeviceUnavailable, Misconfigured
from gateway.testing import DriverHarness, FakeHardware, FakeI2C

TRIMS, TRIMS_H = bytes.fromhex("706b436718fc7d8e43d6d00b270b8c00f9ff8c3cf8c67017004b"), bytes.fromhex("6a01001329031e")
DATA = bytes.fromhex("655ac07eed007530")
BME280 = {0xD0: 0x60, 0x88: TRIMS, 0xE1: TRIMS_H, 0xF3: 0, 0xF7: DATA}
AIR = [{"name": "temperature"}, {"name": "pressure"}, {"name": "humidity"}]

LIBRARY = '''
class Bit:
    """As adafruit_register has it: it can be asked of an object only."""

    def __get__(self, sensor, kind):
        return sensor.gain


class Sensor:
    """As Adafruit writes them."""

    def __init__(self, i2c_bus, addr=0x18, *, gain=1):
        self.bus, self.addr, self.gain, self.started, self.data_ready = i2c_bus, addr, gain, False, True
        if not i2c_bus.try_lock():
            raise RuntimeError("locked")
        i2c_bus.writeto(addr, b"\\0hello", start=1)

    def start(self):
        self.started = True

    @property
    def acceleration(self):
        return (0.5, -1.0, 9.81)

    @property
    def value(self):
        return 1

    @property
    def lux(self):
        return float("inf")

    def moisture_read(self):
        return 512

    @property
    def broken(self):
        return {}[1]

    nothing = None
    mode = "fast"
    bit = Bit()
'''


@pytest.fixture
def library(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """A library that is installed for one test."""
    module = ModuleType("adafruit_made_up")
    exec(LIBRARY, vars(module))
    monkeypatch.setitem(sys.modules, "adafruit_made_up", module)
    return module


def driver(fake: FakeI2C, /, module: str, kind: str, address: int, fields: Any = AIR, **options: Any) -> DriverHarness:
    """The driver with this chip."""
    hardware = FakeHardware(i2c={(1, address): fake})
    return DriverHarness(
        CircuitPython, hardware=hardware, module=module, address=address, fields=fields, **{"class": kind}, **options
    )


def bme280(fake: FakeI2C, **options: Any) -> DriverHarness:
    """Adafruit's library for it."""
    return driver(fake, "adafruit_bme280.basic", "Adafruit_BME280_I2C", 0x76, **options)


def made_up(fields: Any = ({"name": "value"},), /, **options: Any) -> DriverHarness:
    """The library that is made up."""
    return driver(FakeI2C(), "adafruit_made_up", "Sensor", 0x19, list(fields), **options)


@pytest.mark.needs("circuitpython")
def test_bme280() -> None:
    """The values of the real library, in the units of the design guide; ours agrees with it."""
    with bme280(FakeI2C(BME280), set={"sea_level_pressure": 1020}) as it:
        values = it.read()
        assert values == {
            "temperature": 25.082421875,
            "pressure": 1006.5325814481472,
            "humidity": 55.000712804837015,
        }
    assert [(channel.unit, channel.device_class) for channel in it.channels] == [
        *(("°C", "temperature"), ("hPa", "atmospheric_pressure"), ("%", "humidity")),
    ]
    assert decode(DATA, parse_trims(TRIMS, TRIMS_H)) == pytest.approx(values, abs=0.001)
    assert not [name for name in sys.modules if name.startswith("adafruit_blinka")]


@pytest.mark.needs("circuitpython")
@pytest.mark.parametrize("raw", ["655ac07eed007530", "5a5a50823450512c", "4fff107800009000", "7b0000900000a000"])
def test_oracle_of_our_bme280(raw: str) -> None:
    """Our driver's formulas against the library's, in cold and warm, dry and damp."""
    with bme280(FakeI2C(BME280 | {0xF7: bytes.fromhex(raw)})) as it:
        assert it.read() == pytest.approx(decode(bytes.fromhex(raw), parse_trims(TRIMS, TRIMS_H)), abs=0.001)


@pytest.mark.needs("circuitpython")
@pytest.mark.parametrize(("registers", "message"), [({0xD0: 0xFF}, "Chip ID 0xff"), ({0xD0: 0x58}, "Chip ID 0x58")])
def test_wrong_chip(registers: dict[int, int], message: str) -> None:
    """The library's own words, and the device is tried again."""
    with pytest.raises(DeviceUnavailable, match=message):
        bme280(FakeI2C(BME280 | registers)).open()


@pytest.mark.needs("circuitpython")
def test_no_chip_and_a_chip_that_comes_back() -> None:
    """Without an answer the device is unavailable, in our words; after a loss of power the chip is set up again."""
    chip = FakeI2C(BME280)
    with bme280(chip) as it:
        chip.unplug()
        with pytest.raises(DeviceUnavailable, match="nothing answers at 0x76"):
            it.read()
        it.close()
        with pytest.raises(DeviceUnavailable, match="No I2C device at address: 0x76"):
            it.open()
        chip.plug_in()
        assert chip.registers.get(0xF2) is None
        it.open()
        assert it.read() is not None
        assert chip.registers[0xF2] == 1  # humidity is switched on


def sht31(words: str) -> FakeI2C:
    """An SHT31 that measures this; it has no registers."""
    return FakeI2C(answer=lambda data, size: bytes.fromhex(words)[:size] if not data else b"")


@pytest.mark.needs("circuitpython")
def test_sht31() -> None:
    """A chip without registers; a wrong checksum is a bad reading in the library's words."""
    climate = [{"name": "temperature"}, {"name": "humidity", "attribute": "relative_humidity"}]
    with driver(sht31("6666 93 8000 a2"), "adafruit_sht31d", "SHT31D", 0x44, climate) as it:
        assert it.read() == {"temperature": pytest.approx(25.0, abs=0.01), "humidity": pytest.approx(50.0, abs=0.01)}
    it = driver(sht31("6666 94 8000 a2"), "adafruit_sht31d", "SHT31D", 0x44, climate)
    with it, pytest.raises(BadReading, match="CRC mismatch"):
        it.read()


def test_what_a_library_needs(library: ModuleType) -> None:
    """Its address whatever the argument is called, arguments, attributes, methods; one of three values; a method."""
    fields = [
        {"name": "z", "attribute": "acceleration", "index": 2},
        {"name": "on", "attribute": "value", "type": "boolean"},
        {"name": "mode", "type": "text"},
        {"name": "soil", "attribute": "moisture_read", "unit": "%"},
        {"name": "lux"},
        {"name": "nothing"},
    ]
    with made_up(fields, kwargs={"gain": 4}, set={"mode": "slow"}, setup=["start"]) as it:
        sensor = it.driver._sensor  # type: ignore[attr-defined]  # it is the driver of this file
        assert (sensor.addr, sensor.gain, sensor.started) == (0x19, 4, True)
        chip = it.hardware.chips[1, 0x19]  # type: ignore[attr-defined]  # it is a FakeHardware
        assert chip.sent == [b"hello"]
        assert it.read() == {"z": 9.81, "on": True, "mode": "slow", "soil": 512, "lux": None, "nothing": None}
        assert [channel.unit for channel in it.channels] == ["m/s²", None, None, "%", "lx", None]
        sensor.bus.unlock()
        assert sensor.bus.try_lock()  # left locked by the library when it was made, and given back by us


def test_a_register_of_the_library(library: ModuleType) -> None:
    """An attribute made with adafruit_register is there, although its class cannot be asked for it."""
    with made_up([{"name": "bit"}], ready="bit") as it:
        assert it.read() == {"bit": 1}


def test_ready(library: ModuleType) -> None:
    """What is not ready is waited for, and is no reading in the end."""
    with made_up(ready="data_ready") as it:
        assert it.read() == {"value": 1}
        it.driver._sensor.data_ready = False  # type: ignore[attr-defined]  # it is the driver of this file
        with pytest.raises(BadReading, match="data_ready is still false"):
            it.read()
        assert it.time.now == pytest.approx(1.0)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"module": "adafruit_not_there"}, "cannot be imported"),
        ({"class": "Sensors"}, "no class Sensors"),
        ({"kwargs": {"gian": 4}}, "gian"),
        ({"set": {"maed": 1}}, "no attribute maed"),
        ({"setup": ["begin"]}, "begin"),
        ({"ready": "redy"}, "no attribute redy"),
        ({"fields": [{"name": "temprature"}]}, "no attribute temprature"),
        ({"fields": [{"name": "acceleration"}]}, "is no number|and no number"),
    ],
)
def test_mistakes(library: ModuleType, options: dict[str, Any], message: str) -> None:
    """Each stops the device with words that say what there is."""
    given = {"module": "adafruit_made_up", "class": "Sensor", "address": 0x19, "fields": [{"name": "value"}]} | options
    it = DriverHarness(CircuitPython, hardware=FakeHardware(i2c={(1, 0x19): FakeI2C()}), **given)
    with pytest.raises(Misconfigured, match=message) as caught, it:
        it.read()
    if "module" in options:
        assert "pip install adafruit-circuitpython-not-there" in caught.value.hint


def test_nonsense(library: ModuleType) -> None:
    """Whatever a library makes of nonsense is a bad reading."""
    with made_up([{"name": "broken"}]) as it, pytest.raises(BadReading, match="Sensor"):
        it.read()


@pytest.mark.parametrize(
    "fields",
    [[], [{"name": "a"}, {"name": "a"}], [{"name": "a", "unit": "V", "device_class": "current"}]],
)
def test_refused(fields: list[Any]) -> None:
    """Fields that cannot be channels are found without the library."""
    with pytest.raises(Misconfigured):
        made_up(fields)


class Tracked(FakeI2C):
    """Counts the transactions that are open."""

    depth = 0

    def transaction(self) -> Any:
        """As of a bus that is shared."""
        outer = self

        class Turn:
            def __enter__(self) -> None:
                outer.depth += 1

            def __exit__(self, *_: object) -> None:
                outer.depth -= 1

        return Turn()


def test_the_bus() -> None:
    """Parts of buffers go and come; locked is a transaction, which a second lock does not get."""
    chip = Tracked(answer=lambda data, size: (data + b"abcdef")[-size:] if size else b"")
    chip.open("x")
    bus = Bus(lambda _: chip, 0x20)
    assert bus.try_lock()
    assert not bus.try_lock()
    assert chip.depth == 1
    bus.unlock()
    bus.unlock()
    assert chip.depth == 0
    buffer = bytearray(6)
    bus.readfrom_into(0x20, buffer, start=2, end=4)
    assert buffer == b"\0\0ef\0\0"
    bus.writeto_then_readfrom(0x20, b"xyz", buffer, out_start=1, out_end=2, in_start=5)
    assert buffer == b"\0\0ef\0f"
    assert chip.sent == [b"y"]
    assert bus.scan() == [0x20]


def test_blinka_is_not_there() -> None:
    """What stands for it has any class, an identity for const, and no secrets."""
    nothing = Nothing("busio")
    assert isinstance(nothing.I2C, type)
    assert nothing.const(7) == 7
    with pytest.raises(AttributeError):
        nothing.__wrapped__  # noqa: B018 (that it raises is the point)
