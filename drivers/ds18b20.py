"""DS18B20 and its relatives on the 1-Wire bus: temperature in °C, of one sensor or of several at once.

Wiring: data to GPIO4 (pin 7), with a resistor of 4.7 kΩ from data to 3.3 V, however many sensors there are; VDD to
3.3 V and GND. Put ``dtoverlay=w1-gpio`` into /boot/firmware/config.txt and restart; another pin:
``w1-gpio,gpiopin=17``. Each sensor is then a folder in /sys/bus/w1/devices, named by its id. DS18S20 (10-), DS1822
(22-), DS1825 (3b-) and DS28EA00 (42-) work in the same way.

Sample:

    [devices.boiler]
    driver = "ds18b20"
    id = "28-3c01d6079f4e"              # not needed while it is the only one
    interval = "10s"
                                        # several as one device, one channel each, instead of id:
    # sensors = { flow = "28-3c01d6079f4e", return = "28-3c01d607a1b2" }

Traps: a read takes 0.75 s at 12 bits and keeps the bus busy, so that ten single sensors on one bus take 8 s. As
``sensors`` of one device they convert at once where the kernel can do that (``therm_bulk_read``, 5.10 and newer; the
user of the gateway must be allowed to write that file). Do not read sensors of one bus in both ways: a bulk
conversion also answers a single read that comes after it. 85 °C is what a sensor says that has not measured since
power-on: that, 127.94 °C (too little power: give VDD 3.3 V instead of parasitic power) and a frame of zeros (the data
line is short circuited) are bad readings; a real 85 °C is told apart by byte 6 of the scratchpad. Many counterfeits
are sold; some fail this. Ids that begin with 00- mean that the resistor is missing.

Sources: DS18B20 data sheet, table 1 and the memory map; Documentation/ABI/testing/sysfs-driver-w1_therm and
drivers/w1/slaves/w1_therm.c of the Linux kernel.
"""

from __future__ import annotations

import re

from gateway.driver import (
    BadReading,
    Channel,
    DeviceUnavailable,
    Driver,
    DriverError,
    Misconfigured,
    Values,
    option,
    options,
)

DEVICES = "/sys/bus/w1/devices"
ID = r"(10|22|28|3b|42)-[0-9a-f]{12}"
CONVERSION = 0.75
"""Seconds that a sensor needs at 12 bits."""
SCRATCHPAD = re.compile(r"((?:[0-9a-f]{2} ){9}): crc=[0-9a-f]{2} (YES|NO)\s.*t=(-?\d+)", re.DOTALL)


@options
class Options:
    """Which sensor, or which ones."""

    id: str = option("", pattern=f"|{ID}", help="its folder in /sys/bus/w1/devices; empty: the only one there is")
    sensors: dict[str, str] = option(default_factory=dict, help="instead of id: several at once, channel = id")


class Ds18b20(Driver[Options]):
    """Lets the kernel's w1_therm measure."""

    options_type = Options
    manufacturer, model = "Maxim", "DS18B20"
    timeout = "20s"
    _sensors: dict[str, str]
    """Channel to id."""
    _bulk: str
    """The file that lets all sensors of the bus measure at once; empty where that is not possible."""

    @classmethod
    def channels_for(cls, options: Options) -> tuple[Channel, ...]:
        """``temperature``, or one for each of ``sensors``."""
        if options.id and options.sensors:
            raise Misconfigured("id and sensors: set one of the two")
        for name, sensor in options.sensors.items():
            if not re.fullmatch(ID, sensor):
                raise Misconfigured(f"sensors.{name}: {sensor!r} is no id", hint="an id looks like 28-3c01d6079f4e")
        try:
            names = options.sensors or ("temperature",)
            return tuple(Channel(n, "°C", "temperature", precision=2, min=-55, max=125) for n in names)
        except ValueError as error:
            raise Misconfigured(f"sensors: {error}") from error

    def open(self) -> None:
        """See that the sensors are there."""
        here = [path.rpartition("/")[2] for path in self.sysfs().glob(f"{DEVICES}/*-*")]
        sensors = [name for name in here if re.fullmatch(ID, name)]
        if not sensors:
            raise nothing_there(here, bus=self.sysfs().exists(DEVICES))
        wanted = self.options.sensors or {"temperature": self.options.id or sensors[0]}
        if not self.options.sensors and not self.options.id and len(sensors) > 1:
            raise Misconfigured(f"several sensors: {', '.join(sensors)}", hint='set id = "..." to one of them')
        if not set(wanted.values()) & set(sensors):
            raise DeviceUnavailable(f"no sensor {', '.join(wanted.values())}", hint=f"here now: {', '.join(sensors)}")
        self._sensors = dict(wanted)
        self._bulk = self._bulk_file() if len(wanted) > 1 else ""

    def read(self) -> Values:
        """One temperature each; null for one of several that fails."""
        if self._bulk:
            self._convert_all()
        values: dict[str, float | None] = {}
        trouble: DriverError | None = None
        for name, sensor in self._sensors.items():
            try:
                values[name] = self._temperature(sensor)
            except (DeviceUnavailable, BadReading) as error:
                values[name], trouble = None, error
        if trouble is not None and all(value is None for value in values.values()):
            raise trouble
        return values

    def _temperature(self, sensor: str) -> float:
        folder = f"{DEVICES}/{sensor}"
        if not self.sysfs().exists(folder):
            raise DeviceUnavailable(f"sensor {sensor} is gone", hint="check plug, cable and power")
        # w1_slave also shows the scratchpad, which tells 85 °C from the value after power-on
        file = "w1_slave" if self.sysfs().exists(f"{folder}/w1_slave") else "temperature"
        text = self.sysfs().read(f"{folder}/{file}")
        try:
            return parse(text)
        except BadReading as error:
            raise BadReading(f"{sensor}: {error}", hint=error.hint) from None

    def _bulk_file(self) -> str:
        """The one of the bus that all sensors are on."""
        for file in self.sysfs().glob(f"{DEVICES}/w1_bus_master*/therm_bulk_read"):
            on_it = self.sysfs().glob(f"{file.rpartition('/')[0]}/*-*")
            if {path.rpartition("/")[2] for path in on_it} >= set(self._sensors.values()):
                return file
        return ""

    def _convert_all(self) -> None:
        """Let every sensor on the bus measure now. Where this is not allowed, reading each lets that one measure."""
        try:
            self.sysfs().write(self._bulk, "trigger\n")
            for _ in range(4):
                if self.sysfs().read(self._bulk) != "-1":  # at least one sensor is at it
                    return
                self.wait(CONVERSION / 3)
        except DeviceUnavailable:
            self._bulk = ""


def nothing_there(here: list[str], *, bus: bool) -> DeviceUnavailable:
    """Why there is no sensor."""
    if not bus:
        hint = "put dtoverlay=w1-gpio into /boot/firmware/config.txt and restart"
        return DeviceUnavailable("the kernel has no 1-Wire bus", hint=hint)
    if any(name.startswith("00-") for name in here):
        hint = "put a resistor of 4.7 kΩ between data and 3.3 V"
        return DeviceUnavailable("noise on the 1-Wire bus and no sensor", hint=hint)
    return DeviceUnavailable("no thermometer on the 1-Wire bus", hint="check data, GND, 3.3 V and the resistor")


def parse(text: str) -> float:
    """The temperature in a file ``w1_slave`` or ``temperature``, in °C. Raises ``BadReading``."""
    if not text.strip():  # the kernel's word for a sensor that is gone and for a checksum that is wrong
        raise BadReading("no answer, or a garbled one", hint="check plug, cable and power")
    if re.fullmatch(r"-?\d+", text.strip()):
        scratchpad, milli = None, int(text)
    elif match := SCRATCHPAD.search(text):
        if match[2] != "YES":
            raise BadReading(f"wrong checksum: {match[1]!r}", hint="check cable and resistor; is the cable too long?")
        scratchpad, milli = bytes.fromhex(match[1]), int(match[3])
    else:
        raise BadReading(f"this is no temperature: {text[:80]!r}")
    if scratchpad is not None and not any(scratchpad):
        raise BadReading("all zeros: the data line is short circuited to GND")
    if milli == 85000 and (scratchpad is None or scratchpad[6] == 0x0C):
        raise BadReading("85 °C: the value after power-on, nothing was measured", hint="does VDD have 3.3 V?")
    if milli // 100 == 1279:
        raise BadReading("127.94 °C: too little power to measure", hint="give VDD 3.3 V instead of parasitic power")
    return milli / 1000
