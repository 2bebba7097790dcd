"""Any sensor that the Linux kernel has an IIO driver for: DHT22, BME280, SHT3x, ADS1115, BH1750, SCD4x and many more.

Wiring: a DHT22 or DHT11: VCC to 3.3 V, GND, data to GPIO4 (pin 7) with 4.7 to 10 kΩ from data to 3.3 V. A chip on I2C:
3.3 V, GND, SDA to GPIO2 (pin 3), SCL to GPIO3 (pin 5), pull-ups as its board and the Raspberry Pi have them. An overlay
in /boot/firmware/config.txt, and a restart, lets the kernel look after it, for example ``dtoverlay=dht11,gpiopin=4``
(DHT11, DHT22, AM2302), ``dtoverlay=i2c-sensor,bme280,addr=0x76`` (also bmp280, bme680, htu21, hdc100x, si7020, bh1750,
tsl4531, veml6070), ``dtoverlay=ads1115,cha_enable``. The chip is then a folder in /sys/bus/iio/devices with a file
``name``.

Sample:

    [devices.cellar]
    driver = "iio"
    chip = "dht11"                      # a DHT22 is dht11, too; two of them: "dht11@4" with the number of the pin
    interval = "10s"
                                        # for chips that are not known here, and to choose: channel = input
    # inputs = { moisture = "voltage0", battery = "voltage1" }

Traps: of the DHT sensors about one read in ten fails, that is a bad reading and the next one comes; they measure
every 2 s at most. A frame of zeros from one is no reading. Numbers of IIO devices change from start to start, names
do not; two chips with the same name are told apart by ``label`` (the file, from a device tree) or ``path`` (the
folder of the bus they are on). A chip that the kernel has taken cannot be used by a driver for I2C as well.

Sources: Documentation/ABI/testing/sysfs-bus-iio of the Linux kernel for files and units;
drivers/iio/humidity/dht11.c; the overlays' README of the Raspberry Pi firmware.
"""

from __future__ import annotations

import re

from gateway.driver import (
    BadReading,
    Channel,
    DeviceUnavailable,
    Driver,
    Misconfigured,
    Values,
    option,
    options,
)

DEVICES = "/sys/bus/iio/devices"

KINDS: dict[str, tuple[float, str | None, str | None]] = {
    "accel": (1, "m/s²", None),
    "altvoltage": (1e-3, "V", "voltage"),
    "anglvel": (1, "rad/s", None),
    "capacitance": (1, "nF", None),
    "concentration": (1e4, "ppm", None),
    "concentration_co2": (1e4, "ppm", "carbon_dioxide"),
    "concentration_voc": (1e4, "ppm", "volatile_organic_compounds_parts"),
    "current": (1e-3, "A", "current"),
    "distance": (1, "m", "distance"),
    "electricalconductivity": (1e4, "µS/cm", "conductivity"),
    "energy": (1, "J", "energy"),
    "humidityrelative": (1e-3, "%", "humidity"),
    "illuminance": (1, "lx", "illuminance"),
    "incli": (1, "°", None),
    "magn": (100, "µT", None),
    "massconcentration_pm1": (1, "µg/m³", "pm1"),
    "massconcentration_pm2p5": (1, "µg/m³", "pm25"),
    "massconcentration_pm10": (1, "µg/m³", "pm10"),
    "massconcentration": (1, "µg/m³", None),
    "ph": (1, None, "ph"),
    "positionrelative": (1e-3, "%", None),
    "power": (1e-3, "W", "power"),
    "pressure": (10, "hPa", "atmospheric_pressure"),
    "resistance": (1, "Ω", None),
    "rot": (1, "°", None),
    "temp": (1e-3, "°C", "temperature"),
    "velocity": (1, "m/s", "speed"),
    "voltage": (1e-3, "V", "voltage"),
}
"""From the kernel's unit to ours, our unit, its device class. What is not here has neither."""

CLIMATE = {"temperature": "temp", "humidity": "humidityrelative"}
AIR = {"temperature": "temp", "pressure": "pressure"}
LIGHT = {"illuminance": "illuminance"}
CHIPS: dict[str, dict[str, str]] = {
    **dict.fromkeys(("dht11", "am2315", "htu21", "hts221", "si7020", "hdc2010", "hdc3020"), CLIMATE),
    **dict.fromkeys(("hdc100x", "hdc1000", "hdc1008", "hdc1010", "hdc1050", "hdc1080"), CLIMATE),
    **dict.fromkeys(("bmp180", "bmp280", "bmp380", "bmp580", "ms5611", "ms5637", "ms5805", "dps310"), AIR),
    **dict.fromkeys(("bme280", "bme680"), AIR | CLIMATE),
    **dict.fromkeys(("bh1750", "tsl2561", "tsl4531", "veml6030", "veml7700", "opt3001", "max44009", "isl29018"), LIGHT),
    **dict.fromkeys(("scd30", "scd40", "scd41"), CLIMATE | {"co2": "concentration_co2"}),
    "max31855": {"temperature": "temp"},
    "max31856": {"temperature": "temp"},
    "mcp9600": {"temperature": "temp"},
    "mlx90614": {"temperature": "temp_object"},
}
"""What chips measure, by the name that their kernel driver gives them."""

NUMBER = re.compile(r"-?\d+(\.\d+)?")
NUMBERED = re.compile(r"\d+")
I2C = re.compile(r"\d+-[0-9a-f]{4}")
"""The name that some kernel drivers give: the chip's place on I2C."""


@options
class Options:
    """Which chip, and what of it."""

    chip: str = option(help="what /sys/bus/iio/devices/iio:device*/name says; up to an @ will do")
    label: str = option("", help="what the file label next to it says; to tell apart two chips with the same name")
    path: str = option("", pattern="|/.*[^/]", help="for the same: its folder, such as /sys/bus/i2c/devices/1-0048")
    inputs: dict[str, str] = option(default_factory=dict, help="channel = input, such as temp or voltage0")


class Iio(Driver[Options]):
    """Reads ``in_<input>_input``, or ``in_<input>_raw`` with its offset and scale."""

    options_type = Options
    _folder: str

    @classmethod
    def channels_for(cls, options: Options) -> tuple[Channel, ...]:
        """Those in ``inputs``, by default what the chip is known for."""
        inputs = inputs_of(options)
        if not inputs:
            hint = 'write inputs = { temperature = "temp" }, with the files in_*_input and in_*_raw of the chip'
            raise Misconfigured(f"what {options.chip!r} measures is not known here", hint=hint)
        try:
            return tuple(channel(name, source) for name, source in inputs.items())
        except ValueError as error:
            raise Misconfigured(f"inputs: {error}") from error

    def open(self) -> None:
        """Find the chip, whatever its number is now."""
        self._folder = self._find()
        for source in inputs_of(self.options).values():
            if not any(self.sysfs().exists(f"{self._folder}/in_{source}_{end}") for end in ("input", "raw")):
                files = " ".join(self.sysfs().glob(f"{self._folder}/in_*"))
                has = ", ".join(dict.fromkeys(re.findall(r"/in_(\S+)_(?:input|raw)\b", files)))
                raise DeviceUnavailable(f"{self.options.chip} has no input {source}", hint=f"it has: {has or 'none'}")

    def read(self) -> Values:
        """All inputs, one after the other."""
        if not self._is_it(self._text(f"{self._folder}/name")):
            raise DeviceUnavailable(f"{self._folder} is another chip now")
        raw = {source: self._measure(source) for source in inputs_of(self.options).values()}
        if raw.get("temp") == raw.get("humidityrelative") == 0:  # passes the checksum of a DHT sensor
            raise BadReading("0 °C and 0 % at once: the sensor sent zeros", hint="check its wiring and supply")
        return {name: convert(source, raw[source]) for name, source in inputs_of(self.options).items()}

    def _find(self) -> str:
        o, sysfs = self.options, self.sysfs()
        everywhere = sysfs.glob(f"{o.path or DEVICES}/iio:device*")
        names = {folder: self._text(f"{folder}/name") for folder in everywhere if sysfs.exists(f"{folder}/name")}
        found = [folder for folder, name in names.items() if self._is_it(name)]
        if o.label:
            found = [f for f in found if sysfs.exists(f"{f}/label") and self._text(f"{f}/label") == o.label]
        if len(found) > 1:
            places = sysfs.glob(f"/sys/bus/*/devices/*/{'iio:device*'}")
            paths = [place.rpartition("/")[0] for place in places if f"{DEVICES}/{place.rpartition('/')[2]}" in found]
            hint = f'set path = "..." to one of: {", ".join(paths)}' if paths else "tell them apart by label or path"
            raise Misconfigured(f"{len(found)} chips are called {o.chip}", hint=hint)
        if not found:
            which = f"{o.chip} {o.label}".strip() + (f" in {o.path}" if o.path else "")
            here = ", ".join(sorted(set(names.values()))) or "none; is its overlay in /boot/firmware/config.txt?"
            raise DeviceUnavailable(f"the kernel has no IIO device {which}", hint=f"here now: {here}")
        return found[0]

    def _is_it(self, name: str) -> bool:
        """Whether that is the name of the chip: dht11, dht11@4, or 1-0040 where that is the place of the chip."""
        place = f"/sys/bus/i2c/devices/{name}/name"
        if I2C.fullmatch(name) and self.options.chip != name and self.sysfs().exists(place):
            name = self._text(place)
        return self.options.chip in (name, name.partition("@")[0])

    def _measure(self, source: str) -> float:
        """In the kernel's unit."""
        if self.sysfs().exists(f"{self._folder}/in_{source}_input"):
            return self._number(f"{self._folder}/in_{source}_input")
        raw = self._number(f"{self._folder}/in_{source}_raw")
        return (raw + self._shared(source, "offset", 0)) * self._shared(source, "scale", 1)

    def _shared(self, source: str, end: str, default: float) -> float:
        """An offset or a scale: of this input alone, or one for all of the same kind."""
        for name in dict.fromkeys((source, NUMBERED.sub("", source), kind(source), NUMBERED.split(source)[0])):
            if self.sysfs().exists(f"{self._folder}/in_{name}_{end}"):
                return self._number(f"{self._folder}/in_{name}_{end}")
        return default

    def _number(self, file: str) -> float:
        text = self._text(file)
        if not NUMBER.fullmatch(text):
            raise BadReading(f"{file} is no number: {text[:40]!r}")
        return float(text)

    def _text(self, file: str) -> str:
        """A file's text. ``BadReading`` when it is there, but the chip did not answer well."""
        try:
            return self.sysfs().read(file)
        except DeviceUnavailable as error:
            if self.sysfs().exists(file):
                raise BadReading(str(error), hint=error.hint) from error
            raise


def inputs_of(options: Options) -> dict[str, str]:
    """Channel to input."""
    return options.inputs or CHIPS.get(options.chip.partition("@")[0], {})


def kind(source: str) -> str:
    """The quantity that an input measures: ``voltage`` for ``voltage0-voltage1``, ``accel`` for ``accel_x``."""
    name = NUMBERED.sub("", source) if source not in KINDS else source
    name = name.partition("-")[0]
    return name if name in KINDS else name.partition("_")[0]


def channel(name: str, source: str) -> Channel:
    """The channel for an input. ``ValueError`` for a name that it cannot have."""
    _, unit, device_class = KINDS.get(kind(source), (1, None, None))
    low, high = (0, 100) if device_class == "humidity" else (-273.15, None) if unit == "°C" else (None, None)
    return Channel(name, unit, device_class, min=low, max=high)


def convert(source: str, value: float) -> float:
    """From the kernel's unit to ours."""
    factor = KINDS.get(kind(source), (1, None, None))[0]
    return value / round(1 / factor) if factor < 1 else value * factor  # 23100 / 1000 is 23.1, times 0.001 it is not
