"""Any sensor that the Linux kernel shows as hwmon: SHT3x, SHT4x, AHT10, LM75, INA219, fans, a PC's or a disk's own.

Wiring: a chip on I2C: 3.3 V, GND, SDA to GPIO2 (pin 3), SCL to GPIO3 (pin 5), pull-ups as its board and the Raspberry
Pi have them. An overlay in /boot/firmware/config.txt, and a restart, lets the kernel look after it, for example
``dtoverlay=i2c-sensor,sht3x`` (also aht10, sht4x, lm75, tmp102, ds1621, jc42, with ``addr=0x45``). A chip without an
overlay, such as the INA219, can be named by root at each start: ``echo ina219 0x40 >
/sys/bus/i2c/devices/i2c-1/new_device``. What a machine has itself needs nothing. The chip is then a folder in
/sys/class/hwmon with a file ``name``.

Sample:

    [devices.attic]
    driver = "hwmon"
    chip = "sht3x"                      # what the file name says
    interval = "10s"
                                        # for chips that are not known here, and to choose: channel = input
    # inputs = { cpu = "temp:Package id 0", fan = "fan1" }

Traps: numbers of hwmon devices change from start to start, names do not; two chips with the same name are told apart
by ``path``, the folder of the bus that they are on. An input is the beginning of a file's name (temp1, in0, curr1,
power1, fan1, humidity1, energy1), or ``temp:`` and what the file temp1_label says. An input whose file temp1_fault
says 1 is null. A chip that does not answer gives a bad reading (Remote I/O error). A chip that the kernel has taken
cannot be used by a driver for I2C as well.

Sources: Documentation/hwmon/sysfs-interface.rst of the Linux kernel for files and units, and the page of each chip
next to it.
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

DEVICES = "/sys/class/hwmon"

KINDS: dict[str, tuple[float, str | None, str | None]] = {
    "curr": (1e3, "A", "current"),
    "energy": (3.6e9, "kWh", "energy"),
    "fan": (1, "rpm", None),
    "freq": (1, "Hz", "frequency"),
    "humidity": (1e3, "%", "humidity"),
    "in": (1e3, "V", "voltage"),
    "power": (1e6, "W", "power"),
    "temp": (1e3, "°C", "temperature"),
}
"""How many of the kernel's units are one of ours, our unit, its device class."""

CLIMATE = {"temperature": "temp1", "humidity": "humidity1"}
METER = {"voltage": "in1", "current": "curr1", "power": "power1"}
CHIPS: dict[str, dict[str, str]] = {
    **dict.fromkeys(("sht3x", "sht4x", "shtc1", "shtc3", "sht20", "sht21", "sht25"), CLIMATE),
    **dict.fromkeys(("aht10", "aht20", "dht20", "hs3001", "chipcap2"), CLIMATE),
    **dict.fromkeys(("ina219", "ina220", "ina226", "ina230", "ina231", "ina260"), METER),
}
"""What chips measure, by the name that their kernel driver gives them."""
OTHERS = {"temperature": "temp1"}
"""What others are taken to measure."""

INPUT = re.compile(r"([a-z]+)(?:\d+|:.+)")


@options
class Options:
    """Which chip, and what of it."""

    chip: str = option(help="what the file /sys/class/hwmon/hwmon*/name says")
    path: str = option("", pattern="|/.*[^/]", help="to tell apart two of one name: /sys/bus/i2c/devices/1-0044")
    inputs: dict[str, str] = option(default_factory=dict, help="channel = input: temp1, or temp:LABEL")


class Hwmon(Driver[Options]):
    """Reads ``<input>_input``."""

    options_type = Options
    _inputs: dict[str, str]
    """Channel to the beginning of its files."""
    _folder: str

    @classmethod
    def channels_for(cls, options: Options) -> tuple[Channel, ...]:
        """Those in ``inputs``, by default what the chip is known for."""
        try:
            return tuple(channel(name, source) for name, source in inputs_of(options).items())
        except ValueError as error:
            raise Misconfigured(f"inputs: {error}") from error

    def open(self) -> None:
        """Find the chip and its inputs, whatever their numbers are now."""
        self._folder = self._find()
        self._inputs = {name: self._named(source) for name, source in inputs_of(self.options).items()}

    def read(self) -> Values:
        """All inputs, one after the other; null for one that the chip reports as faulty."""
        if self._text(f"{self._folder}/name") != self.options.chip:
            raise DeviceUnavailable(f"{self._folder} is another chip now")
        return {name: self._measure(source) for name, source in self._inputs.items()}

    def _find(self) -> str:
        o, sysfs = self.options, self.sysfs()
        everywhere = sysfs.glob(f"{o.path}/hwmon/hwmon*" if o.path else f"{DEVICES}/hwmon*")
        names = {folder: self._text(f"{folder}/name") for folder in everywhere if sysfs.exists(f"{folder}/name")}
        found = [folder for folder, name in names.items() if name == o.chip]
        if len(found) > 1:
            places = sysfs.glob("/sys/bus/*/devices/*/hwmon/hwmon*")
            numbers = {folder.rpartition("/")[2] for folder in found}
            paths = [place.split("/hwmon/")[0] for place in places if place.rpartition("/")[2] in numbers]
            raise Misconfigured(
                f"{len(found)} chips are called {o.chip}",
                hint=f'set path = "..." to one of: {", ".join(paths)}' if paths else "tell them apart by path",
            )
        if not found:
            where = f" in {o.path}" if o.path else ""
            here = ", ".join(sorted(set(names.values()))) or "none"
            raise DeviceUnavailable(f"the kernel has no hwmon device {o.chip}{where}", hint=f"here now: {here}")
        return found[0]

    def _named(self, source: str) -> str:
        """``temp2`` for ``temp:LABEL``; anything else is the name itself, if it is there."""
        start, colon, label = source.partition(":")
        if colon:
            labels = self.sysfs().glob(f"{self._folder}/{start}*_label")
            found = [file for file in labels if self._text(file) == label]
            start = found[0].rpartition("/")[2].removesuffix("_label") if found else source
        if not self.sysfs().exists(f"{self._folder}/{start}_input"):
            files = self.sysfs().glob(f"{self._folder}/*_input")
            has = ", ".join(file.rpartition("/")[2].removesuffix("_input") for file in files)
            raise DeviceUnavailable(f"{self.options.chip} has no input {source}", hint=f"it has: {has or 'none'}")
        return start

    def _measure(self, source: str) -> float | None:
        """In our unit."""
        fault = f"{self._folder}/{source}_fault"
        if self.sysfs().exists(fault) and self._text(fault) == "1":
            return None
        file = f"{self._folder}/{source}_input"
        text = self._text(file)
        try:
            return int(text) / KINDS[kind(source)][0]
        except ValueError:
            raise BadReading(f"{file} is no number: {text[:40]!r}") from None

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
    return options.inputs or CHIPS.get(options.chip, OTHERS)


def kind(source: str) -> str:
    """The quantity that an input measures. ``ValueError`` for what is no input."""
    match = INPUT.fullmatch(source)
    if match is None or match[1] not in KINDS:
        raise ValueError(f"{source!r} is no input; accepted: a number or :LABEL after one of {', '.join(KINDS)}")
    return match[1]


def channel(name: str, source: str) -> Channel:
    """The channel for an input. ``ValueError`` for a name or an input that cannot be."""
    _, unit, device_class = KINDS[kind(source)]
    low, high = (0, 100) if device_class == "humidity" else (-273.15, None) if unit == "°C" else (None, None)
    return Channel(name, unit, device_class, min=low, max=high)
