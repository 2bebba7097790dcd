"""gateway/simulation/models: sensors, each with its driver: what is set is what is read, and trouble is trouble."""

from __future__ import annotations

from typing import Any

import pytest

from drivers.bme280 import Bme280
from drivers.circuitpython import CircuitPython
from drivers.command import Command
from drivers.ds18b20 import Ds18b20
from drivers.dsmr_p1 import DsmrP1
from drivers.hwmon import Hwmon
from drivers.iio import Iio
from drivers.modbus import PROFILES, Modbus
from drivers.pms5003 import Pms5003
from gateway.driver import BadReading, DeviceUnavailable, DriverError
from gateway.simulation import SimulatedHardware, VirtualTime, World
from gateway.simulation.models.bme280 import Bme280 as Chip
from gateway.testing import DriverHarness, Simulated

PORT = "/dev/x"


def readings(it: DriverHarness, count: int = 1) -> list[Any]:
    """The next readings of a device that talks by itself; bad ones are passed over."""
    got: list[Any] = []
    for _ in range(200):
        try:
            result = it.read()
        except BadReading:
            continue
        got += [result] if isinstance(result, dict) else result or []
        if len(got) >= count:
            return got
    raise AssertionError(f"only {got} came")


@pytest.mark.parametrize(
    ("driver", "options"),
    [
        (Ds18b20, {}),
        (Iio, {"chip": "bme680"}),
        (Iio, {"chip": "scd41", "path": "/sys/bus/i2c/devices/1-0062", "label": "attic"}),
        (Iio, {"chip": "anything", "inputs": {"a": "voltage0-voltage1", "b": "accel_x", "c": "temp_ambient"}}),
        (Hwmon, {"chip": "ina219"}),
        (Hwmon, {"chip": "coretemp", "inputs": {"cpu": "temp:Package id 0", "fan": "fan1"}, "path": "/sys/devices/x"}),
        (Bme280, {}),
        (Pms5003, {"port": PORT}),
        (Pms5003, {"port": PORT, "model": "pms5003t"}),
        (DsmrP1, {"port": PORT}),
        (DsmrP1, {"port": PORT, "version": 4, "country": "be", "phases": 1}),
        (DsmrP1, {"port": PORT, "version": 2, "country": "lu", "meters": ["gas"]}),
        *((Modbus, {"port": PORT, "profile": profile}) for profile in PROFILES if profile),
        (Modbus, {"port": "socket://h:502", "framing": "tcp", "profile": "sdm630"}),
    ],
)
def test_everything_has_a_value(driver: type[Any], options: dict[str, Any]) -> None:
    """Nothing is null, and everything is in the range that the driver allows."""
    with Simulated(driver, **options) as it:
        reading = readings(it, 2)[-1] if driver in (Pms5003, DsmrP1) else it.read()
    ranges = {channel.name: (channel.min, channel.max) for channel in it.channels}
    assert next(iter(ranges)) in reading
    for name, value in reading.items():
        low, high = ranges[name]
        assert value is not None, name
        assert low is None or value >= low, name
        assert high is None or value <= high, name


def test_ds18b20() -> None:
    """Set by id; a conversion takes its time, all at once only one; after power-on nothing is measured."""
    ids = {"flow": "28-00000000000a", "back": "10-00000000000b"}
    with Simulated(Ds18b20, sensors=ids) as it:
        it.model.temperatures = {ids["flow"]: 61.25, ids["back"]: -10.125}
        assert it.read() == {"flow": 61.25, "back": -10.125}
        assert 0.75 <= it.time.now < 1.1
        it.model.faults.corrupt = 1
        assert it.read() == {"flow": None, "back": -10.125}
        it.model.unmeasured = True
        with pytest.raises(BadReading, match="power-on"):
            it.read()
        it.model.unplug()
        with pytest.raises(DeviceUnavailable):
            it.read()
        it.model.plug_in()
        it.model.unmeasured = False
        it.reopen()
        assert it.read() == {"flow": 61.25, "back": -10.125}
    with Simulated(Ds18b20) as it:
        it.read()
        assert it.time.now == 0.75
        it.model.faults.silent = True
        with pytest.raises(BadReading, match="no answer"):
            it.read()


def test_files_of_the_kernel() -> None:
    """Set by input, in the kernel's units; a chip that does not answer is a bad reading."""
    world = World(VirtualTime())
    with Simulated(Iio, world=world, chip="dht11@4") as one, Simulated(Iio, world=world, chip="dht11@17") as other:
        one.model.values = {"temp": -5500, "humidityrelative": 80_100}
        other.model.values = {"temp": 0, "humidityrelative": 0}
        assert one.read() == {"temperature": -5.5, "humidity": 80.1}
        with pytest.raises(BadReading, match="zeros"):
            other.read()
        one.model.faults.silent = True
        with pytest.raises(BadReading):
            one.read()
    with Simulated(Hwmon, chip="sht3x") as it:
        it.model.values = {"temp1": -5500, "humidity1": 80_100}
        assert it.read() == {"temperature": -5.5, "humidity": 80.1}
        it.model.faults.silent = True
        with pytest.raises(BadReading):
            it.read()


def test_numbers_of_the_kernel() -> None:
    """A chip that comes gets the first number that is free, and takes nobody's."""
    world = World(VirtualTime())
    first, second = (Simulated(Iio, world=world, chip=chip) for chip in ("dht11@4", "dht11@17"))
    world.disconnect(first.model)
    third = Simulated(Iio, world=world, chip="bmp280")
    third.model.values = {"pressure": 101.3}
    with second, third:
        assert third.read()["pressure"] == 1013
        assert list(second.read()) == ["temperature", "humidity"]


@pytest.mark.parametrize(("celsius", "hectopascal", "percent"), [(21.5, 1013.25, 45), (-20, 850, 10), (60, 1080, 95)])
def test_bme280(celsius: float, hectopascal: float, percent: float) -> None:
    """The registers are made with the data sheet's whole numbers, and read with its other formulas."""
    with Simulated(Bme280) as it:
        it.model.temperature, it.model.pressure, it.model.humidity = celsius, hectopascal, percent
        assert it.read() == {
            "temperature": pytest.approx(celsius, abs=0.01),
            "pressure": pytest.approx(hectopascal, abs=0.01),
            "humidity": pytest.approx(percent, abs=0.02),
        }


def test_bme280_in_trouble() -> None:
    """A chip that lost its power, one that sleeps through, and one that is a BMP280."""
    with Simulated(Bme280) as it:
        it.model.brown_out()
        it.read()  # each reading sets it up
        it.model.faults.locked = True
        with pytest.raises(DriverError):
            it.read()
        it.model.faults.locked = False
        it.model.faults.stuck = 0xFF
        with pytest.raises(BadReading):
            it.read()
        it.model.faults.stuck = None
        it.model.unplug()
        with pytest.raises(DeviceUnavailable):
            it.read()
    with Simulated(Bme280, chip="bmp280", address=0x77) as it:
        it.model.temperature, it.model.pressure = 21.5, 1000
        assert it.read() == {"temperature": pytest.approx(21.5, abs=0.01), "pressure": pytest.approx(1000, abs=0.01)}


@pytest.mark.needs("circuitpython")
def test_adafruits_library_on_our_chip() -> None:
    """The model is good enough for a library that knows nothing of it, behind a multiplexer, in real time."""
    world = World()
    chip = Chip()
    chip.temperature, chip.pressure, chip.humidity = 21.5, 1013.25, 45.0
    world.connect_i2c(chip, 1, 0x76, mux=0x70, mux_channel=3)
    options = {"module": "adafruit_bme280.basic", "class": "Adafruit_BME280_I2C", "address": 0x76, "mux": 0x70}
    fields = [{"name": "temperature"}, {"name": "pressure"}, {"name": "humidity"}]
    hardware = SimulatedHardware("x", world)
    with DriverHarness(CircuitPython, hardware=hardware, mux_channel=3, fields=fields, **options) as it:
        expected = {"temperature": 21.5, "pressure": 1013.25, "humidity": 45.0}
        assert it.read() == pytest.approx(expected, abs=0.02)
        chip.unplug()
        with pytest.raises(DeviceUnavailable, match="0x76"):
            it.read()


def test_pms5003() -> None:
    """Warm-up, what is set, sleep and waking up at the next start; frames in pieces and with wrong bits."""
    with Simulated(Pms5003, port=PORT, model="pms5003t") as it:
        assert it.read() is None
        with pytest.raises(BadReading, match="warming up"):
            it.read()
        it.model.dust, it.model.temperature, it.model.humidity = 35, -5.5, 61.5
        got = readings(it, 3)[-1]
        assert (got["pm2_5"], got["temperature"], got["humidity"]) == (35, -5.5, 61.5)
        it.model.awake = False
        assert [it.read() for _ in range(5)] == [None] * 5
        it.reopen()
        assert it.model.awake
        it.model.faults.dribble = 0.01
        assert readings(it)
        it.model.faults.dribble = 0.0
        it.model.faults.corrupt = 1
        with pytest.raises(BadReading, match="checksum"):
            _ = [it.read() for _ in range(5)]
        assert readings(it)


def test_dsmr_p1() -> None:
    """Power from the sun, a wrong bit, half a telegram, and the wrong speed."""
    with Simulated(DsmrP1, port=PORT) as it:
        it.model.power = -1500
        got = readings(it)[0]
        assert (got["power_import"], got["power_export"], got["power_export_l3"]) == (0.0, 1.5, 0.5)
        for fault in ("corrupt", "halves"):
            setattr(it.model.faults, fault, 1)
            with pytest.raises(BadReading):
                _ = [it.read() for _ in range(6)]
            assert readings(it)
        before = readings(it)[0]["energy_import_t1"]
        it.wait(3600)
        assert readings(it, 3)[-1]["energy_import_t1"] - before == pytest.approx(0.2, abs=0.02)
    with Simulated(DsmrP1, port=PORT) as it:
        it.model.baudrate = 9600
        with pytest.raises(BadReading):
            _ = [it.read() for _ in range(60)]


def test_modbus() -> None:
    """Three devices share a line; one that misses a register refuses, one that is gone says nothing."""
    world = World(VirtualTime())
    tables = {unit: [{"name": "a", "address": 5}, {"name": "b", "address": 0, "kind": "coil"}] for unit in (1, 2, 3)}
    devices = [Simulated(Modbus, world=world, port=PORT, unit=unit, registers=table) for unit, table in tables.items()]
    for number, device in enumerate(devices):
        device.open()
        device.model.registers[3, 5] = number
    assert [device.read() for device in devices] == [{"a": number, "b": True} for number in range(3)]
    devices[0].model.missing.add(5)
    with pytest.raises(BadReading, match="exception 2"):
        devices[0].read()
    devices[1].model.faults.silent = True
    with pytest.raises(BadReading, match="no answer from unit 2"):
        devices[1].read()
    assert devices[2].read() == {"a": 2, "b": True}
    devices[2].model.faults.corrupt = 1
    with pytest.raises(BadReading, match="checksum"):
        devices[2].read()
    for device in devices:
        device.close()


def test_modbus_registers_of_every_type() -> None:
    """What a table declares has about twenty of its unit."""
    types = ["uint16", "int16", "uint32", "int32", "uint64", "int64", "float32", "float64"]
    table = [
        {"name": f"{type_}_{words}", "address": 10 * n, "type": type_, "words": words, "scale": 0.5}
        for n, (type_, words) in enumerate((t, w) for t in types for w in ("high_first", "low_first"))
    ]
    with Simulated(Modbus, port=PORT, registers=table) as it:
        assert set(it.read().values()) == {21.5}


def test_two_programs_of_one_interpreter() -> None:
    """Each device has its own."""
    world = World(VirtualTime())
    both = [
        Simulated(Command, world=world, command=["python3", f"{name}.py"], fields=[{"name": name}])
        for name in ("one", "two")
    ]
    for it in both:
        with it:
            assert list(readings(it)[0]) == [it.channels[0].name]
