"""drivers/iio.py: the files of kernel drivers, and how a chip is found among them."""

from __future__ import annotations

from typing import Any

import pytest
from support.vectors import Vector, check_vector, vectors

from drivers.iio import CHIPS, Iio, channel, convert, kind
from gateway.driver import BadReading, DeviceUnavailable, Misconfigured
from gateway.testing import DriverHarness, FakeHardware, FakeSysfs

DEVICES = "/sys/bus/iio/devices"


class Kernel(FakeSysfs):
    """Files, of which some are there but fail."""

    failing: frozenset[str] = frozenset()

    def read(self, path: str) -> str:
        """As EIO and ETIMEDOUT come out of the real one."""
        if path.rpartition("/")[2] in self.failing:
            raise DeviceUnavailable(f"cannot read {path}: Connection timed out")
        return super().read(path)


def kernel(*devices: dict[str, str], under: str = DEVICES) -> Kernel:
    """IIO devices by number."""
    return Kernel({f"{under}/iio:device{n}/{f}": text for n, files in enumerate(devices) for f, text in files.items()})


def driver(sysfs: FakeSysfs, **options: Any) -> DriverHarness:
    """The driver on such a kernel."""
    return DriverHarness(Iio, hardware=FakeHardware(sysfs=sysfs), **options)


DHT = {"name": "dht11\n", "in_temp_input": "23100\n", "in_humidityrelative_input": "45600\n"}
ADC = {
    "name": "ads1115",
    "in_voltage0_raw": "1652",
    "in_voltage1_raw": "-8",
    "in_voltage0-voltage1_raw": "1660",
    "in_voltage0_scale": "2.0",
    "in_voltage_scale": "0.125",
    "in_voltage-voltage_scale": "0.5",
}


@pytest.mark.parametrize("vector", vectors("linux-iio"))
def test_vectors(vector: Vector) -> None:
    """Every case: inputs by what the chip is known for, else the one that the files are of."""
    files = vector["input"]["files"]
    chip = files["name"].strip()
    inputs = {} if chip in CHIPS else {v["name"]: f"{v['name']}0" for v in vector["expect"]["values"]}
    with driver(kernel(files), chip=chip, inputs=inputs) as it:
        check_vector(vector, it.read, it.channels)


def as_the_kernel_decodes(frame: bytes) -> tuple[int, int] | None:
    """Temperature and humidity in thousandths, as drivers/iio/humidity/dht11.c has them; ``None`` is EIO."""
    humidity, tenth, temperature, temperature_tenth, checksum = frame
    if sum(frame[:4]) & 0xFF != checksum:
        return None
    if humidity < 4:  # a DHT22, whose two bytes are tenths
        sign = -100 if temperature & 0x80 else 100
        return ((temperature & 0x7F) << 8 | temperature_tenth) * sign, (humidity << 8 | tenth) * 100
    return temperature * 1000, humidity * 1000


@pytest.mark.parametrize("vector", vectors("dht22", "dht11"))
def test_dht_vectors(vector: Vector) -> None:
    """What is on the wire is the kernel's to decode; what it makes of each case comes out right, or as an error."""
    sysfs = kernel(DHT)
    decoded = as_the_kernel_decodes(bytes.fromhex(vector["input"]["hex"]))
    with driver(sysfs, chip="dht11") as it:
        if decoded is None:
            sysfs.failing = frozenset({"in_temp_input"})
        else:
            names = ("in_temp_input", "in_humidityrelative_input")
            sysfs.files |= {f"{DEVICES}/iio:device0/{n}": str(v) for n, v in zip(names, decoded, strict=True)}
        check_vector(vector, it.read, it.channels)


def test_raw_values() -> None:
    """Scale and offset are the input's own, or one for all of its kind; differences of two inputs have theirs."""
    adc = ADC | {"in_temp_raw": "100", "in_temp_offset": "-50", "in_temp_scale": "2.5"}
    inputs = {"a": "voltage0", "b": "voltage1", "difference": "voltage0-voltage1", "t": "temp"}
    with driver(kernel(adc), chip="ads1115", inputs=inputs) as it:
        assert it.read() == {"a": 3.304, "b": -0.001, "difference": 0.83, "t": 0.125}


@pytest.mark.parametrize(
    ("source", "value", "expected", "unit"),
    [
        ("temp", 23100, 23.1, "°C"),
        ("temp_object", -5250, -5.25, "°C"),
        ("temp0", 1000, 1.0, "°C"),
        ("pressure", 101.325, 1013.25, "hPa"),
        ("humidityrelative", 45600, 45.6, "%"),
        ("voltage0-voltage3", 1.5, 0.0015, "V"),
        ("current2", 250, 0.25, "A"),
        ("power1", 1500, 1.5, "W"),
        ("concentration_co2", 0.0415, 415.0, "ppm"),
        ("massconcentration_pm2p5", 7.5, 7.5, "µg/m³"),
        ("accel_x", 9.81, 9.81, "m/s²"),
        ("magn_z", 0.48, 48.0, "µT"),
        ("electricalconductivity", 0.05, 500.0, "µS/cm"),
        ("illuminance0", 120.5, 120.5, "lx"),
        ("proximity", 77, 77, None),
        ("intensity_both", 12, 12, None),
    ],
)
def test_units(source: str, value: float, expected: float, unit: str | None) -> None:
    """The kernel's units become those of Home Assistant's device classes."""
    assert convert(source, value) == pytest.approx(expected, rel=1e-12)
    assert channel("x", source).unit == unit


def test_kinds() -> None:
    """The quantity is what comes before numbers, differences and modifiers, except where a modifier decides."""
    assert [kind(s) for s in ("voltage0-voltage1", "accel_x", "concentration_co2", "massconcentration_pm2p5")] == [
        *("voltage", "accel", "concentration_co2", "massconcentration_pm2p5")
    ]


@pytest.mark.parametrize("chip", sorted(CHIPS))
def test_known_chips(chip: str) -> None:
    """Each known chip needs nothing but its name."""
    assert [channel.name for channel in driver(kernel(), chip=chip).channels] == list(CHIPS[chip])


def test_a_dht_that_fails_is_a_bad_reading() -> None:
    """EIO and ETIMEDOUT while the file is there, and a frame of zeros; the next read is good again."""
    sysfs = kernel(DHT)
    with driver(sysfs, chip="dht11") as it:
        sysfs.failing = frozenset({"in_humidityrelative_input"})
        with pytest.raises(BadReading, match="timed out"):
            it.read()
        sysfs.failing = frozenset()
        sysfs.files |= dict.fromkeys(
            [f"{DEVICES}/iio:device0/in_temp_input", f"{DEVICES}/iio:device0/in_humidityrelative_input"], "0"
        )
        with pytest.raises(BadReading, match="zeros"):
            it.read()
        sysfs.files[f"{DEVICES}/iio:device0/in_humidityrelative_input"] = "52000"
        assert it.read() == {"temperature": 0.0, "humidity": 52.0}
        for text in ("rubbish", "", "nan", "1e400"):
            sysfs.files[f"{DEVICES}/iio:device0/in_temp_input"] = text
            with pytest.raises(BadReading, match="no number"):
                it.read()


def test_found_again_under_another_number() -> None:
    """After unplugging and in another order at the next start it is still the same chip."""
    sysfs = kernel(DHT)
    with driver(sysfs, chip="dht11") as it:
        sysfs.files = kernel(ADC, DHT).files
        with pytest.raises(DeviceUnavailable, match="another chip"):
            it.read()
        it.reopen()
        assert it.read() == {"temperature": 23.1, "humidity": 45.6}
        sysfs.files = {}
        with pytest.raises(DeviceUnavailable, match="No such file"):
            it.read()


def test_names_that_kernel_drivers_give() -> None:
    """A pin after an @ need not be written, and a place on I2C stands for the chip there."""
    two = kernel(DHT | {"name": "dht11@4"}, DHT | {"name": "dht11@17", "in_temp_input": "5000"})
    with driver(two, chip="dht11@17") as it:
        assert it.read() == {"temperature": 5.0, "humidity": 45.6}
    with pytest.raises(Misconfigured, match="2 chips"):
        driver(two, chip="dht11").open()
    climate = {"name": "1-0040", "in_temp_raw": "8000", "in_temp_scale": "10.725", "in_temp_offset": "-4368"}
    sysfs = kernel(climate | {"in_humidityrelative_input": "50000"})
    sysfs.files["/sys/bus/i2c/devices/1-0040/name"] = "si7020"
    with driver(sysfs, chip="si7020") as it:
        assert it.read() == {"temperature": pytest.approx(38.9532), "humidity": 50.0}
    with driver(sysfs, chip="1-0040", inputs={"temperature": "temp"}) as it:
        assert it.read() == {"temperature": pytest.approx(38.9532)}


def test_two_chips_with_one_name() -> None:
    """They are told apart by label or by the folder of their bus; without either the message names the folders."""
    sysfs = kernel(ADC | {"label": "soil"}, ADC | {"label": "tank", "in_voltage0_raw": "100"})
    for number, bus in enumerate(("1-0048", "1-0049")):
        for file, text in list(sysfs.files.items()):
            start = f"{DEVICES}/iio:device{number}/"
            if file.startswith(start):
                sysfs.files[f"/sys/bus/i2c/devices/{bus}/iio:device{number}/{file[len(start) :]}"] = text
    ask: dict[str, Any] = {"chip": "ads1115", "inputs": {"level": "voltage0"}}
    with pytest.raises(Misconfigured, match="2 chips") as caught:
        driver(sysfs, **ask).open()
    assert "/sys/bus/i2c/devices/1-0048, /sys/bus/i2c/devices/1-0049" in caught.value.hint
    for which in ({"label": "tank"}, {"path": "/sys/bus/i2c/devices/1-0049"}):
        with driver(sysfs, **ask, **which) as it:
            assert it.read() == {"level": 0.2}


@pytest.mark.parametrize(
    ("devices", "options", "hint"),
    [
        ([], {"chip": "dht11"}, "overlay"),
        ([ADC], {"chip": "dht11"}, "ads1115"),
        ([DHT], {"chip": "dht11", "label": "x"}, "dht11"),
        ([ADC], {"chip": "ads1115", "inputs": {"x": "voltage7"}}, "voltage0-voltage1, voltage0, voltage1"),
    ],
)
def test_not_there(devices: list[dict[str, str]], options: dict[str, Any], hint: str) -> None:
    """What is missing is said with what there is."""
    with pytest.raises(DeviceUnavailable) as caught:
        driver(kernel(*devices), **options).open()
    assert hint in caught.value.hint


@pytest.mark.parametrize("options", [{"chip": "nobody-knows"}, {"chip": "x", "inputs": {"Not a name": "temp"}}])
def test_refused(options: dict[str, Any]) -> None:
    """A chip that is not known needs inputs, and they need names that a channel can have."""
    with pytest.raises(Misconfigured):
        driver(kernel(), **options)
