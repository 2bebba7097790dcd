"""Any I2C sensor that Adafruit has a CircuitPython library for: more than a hundred, named by module and class.

Wiring: VIN to 3.3 V, GND, SDA to GPIO2 (pin 3), SCL to GPIO3 (pin 5); pull-ups are on the boards and the Raspberry Pi.
I2C on: ``raspi-config nonint do_i2c 0``. Needs smbus2 and, by ``pip install --no-deps``,
adafruit-circuitpython-busdevice, adafruit-circuitpython-register and the sensor's library, such as
adafruit-circuitpython-sht31d. The extra ``circuitpython`` has the first three, and Blinka, of which nothing is used.

Sample:

    [devices.air]
    driver = "circuitpython"
    module = "adafruit_scd4x"
    class = "SCD4X"
    address = 0x62
    setup = ["start_periodic_measurement"]     # methods to call after the start
    ready = "data_ready"                # only then there is something to read
    fields = [
        { name = "co2", attribute = "CO2" },
        { name = "temperature" },
        { name = "humidity", attribute = "relative_humidity" },
    ]
    # fields = [{ name = "z", attribute = "acceleration", index = 2 }]     # one of three values

Traps: ``fields`` know the units of Adafruit's design guide; whatever a library calls otherwise needs ``unit``. Some
libraries sleep while they measure: mind ``timeout``. A chip that lost power is set up again as soon as a read fails;
one that answers nonsense then cannot be noticed here. A driver of your own that uses Blinka needs ``isolation =
"process"`` next to this one.

Sources: CircuitPython's design guide for names and units; adafruit_bus_device for what a library asks of a bus.
"""

from __future__ import annotations

import importlib
import importlib.util
import inspect
import math
import sys
import types
import typing
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from typing import Any, Literal

from gateway.driver import (
    BadReading,
    Channel,
    DeviceUnavailable,
    Driver,
    DriverError,
    I2CDevice,
    I2COptions,
    Misconfigured,
    Scalar,
    Values,
    option,
    options,
)

TYPES: dict[str, Any] = {"number": float, "text": str, "boolean": bool}
NONSENSE = (ValueError, RuntimeError, ArithmeticError, LookupError)
"""What libraries raise when a chip says what cannot be: wrong checksums, wrong ids, impossible calibrations."""
ADDRESS_NAMES = ("address", "addr", "i2c_address", "i2c_addr", "device_address")
TYPING = ("circuitpython_typing", "circuitpython_typing.device_drivers")
BLINKA = ("busio", "board", "digitalio", "microcontroller", "micropython", *TYPING)
WAIT, STEP = 1.0, 0.05
"""Seconds to wait for ``ready``, and between two looks."""

_CO2, _TVOC = ("ppm", "carbon_dioxide"), ("ppb", "volatile_organic_compounds_parts")
UNITS: dict[str, tuple[str, str | None]] = {
    **dict.fromkeys(("temperature", "ambient_temperature", "object_temperature"), ("°C", "temperature")),
    **dict.fromkeys(("relative_humidity", "humidity"), ("%", "humidity")),
    **dict.fromkeys(("CO2", "co2", "eCO2", "eco2"), _CO2) | dict.fromkeys(("TVOC", "tvoc"), _TVOC),
    **dict.fromkeys(("voltage", "bus_voltage", "shunt_voltage"), ("V", "voltage")),
    "pressure": ("hPa", "atmospheric_pressure"),
    "altitude": ("m", "distance"),
    "lux": ("lx", "illuminance"),
    "distance": ("cm", "distance"),
    "weight": ("g", "weight"),
    "current": ("mA", "current"),
    "acceleration": ("m/s²", None),
    "magnetic": ("µT", None),
    "gyro": ("rad/s", None),
    "orientation": ("°", None),
    "frequency": ("Hz", "frequency"),
}
"""The design guide's names, and some that libraries share; with Home Assistant's device classes."""


@options
class Field:
    """One value, and the channel that it becomes."""

    name: str = option(help="the channel's name")
    attribute: str = option("", help="the library's name of it, or of a method that returns it; default: `name`")
    index: int | None = option(None, min=0, max=15, help="which one, of several: 0, 1, 2 for x, y, z")
    unit: str | None = option(None, help="its unit; default: that of the design guide")
    device_class: str | None = option(None, help="its device class in Home Assistant; default: that of the unit")
    type: Literal["number", "text", "boolean"] = option("number", help="what the value is")


@options
class Options(I2COptions):
    """The library, and what to read."""

    module: str = option(pattern=r"[A-Za-z_][\w.]*", help="such as adafruit_sht31d or adafruit_bme280.basic")
    class_: str = option(key="class", pattern=r"[A-Za-z_]\w*", help="the sensor's class in it")
    kwargs: dict[str, bool | int | float | str] = option(default_factory=dict, help="further arguments of the class")
    setup: tuple[str, ...] = option((), help="methods to call after the start")
    set: dict[str, bool | int | float | str] = option(default_factory=dict, help="attributes to set after the start")
    ready: str = option("", help="attribute that is true when there is something to read")
    fields: tuple[Field, ...] = option(help="the values to read")


class CircuitPython(Driver[Options]):
    """Gives the library a bus of ours, and reads attributes of its object."""

    options_type = Options
    timeout = "10s"

    _sensor: Any
    _bus: Bus

    @classmethod
    def channels_for(cls, options: Options) -> tuple[Channel, ...]:
        """One for each field."""
        if not options.fields or len({field.name for field in options.fields}) < len(options.fields):
            raise Misconfigured("fields: at least one, and no two with the same name")
        try:
            return tuple(channel(field) for field in options.fields)
        except ValueError as error:
            raise Misconfigured(f"fields: {error}") from error

    def open(self) -> None:
        """Import the library, and let it set up the chip."""
        o = self.options
        kind = find_class(o.module, o.class_)
        self._bus = Bus(lambda address: self.i2c(o.bus, address, mux=o.mux, mux_channel=o.mux_channel), o.address)
        with self._reactions(opening=True):
            try:
                named = {name: o.address for name in inspect.signature(kind).parameters if name in ADDRESS_NAMES}
                self._sensor = kind(self._bus, **named, **o.kwargs)
                for name in filter(None, (*o.set, o.ready, *(field.attribute or field.name for field in o.fields))):
                    if inspect.getattr_static(self._sensor, name, open) is open:  # hasattr would ask the chip
                        hint = f"it has {', '.join(key for key in dir(kind) if not key.startswith('_'))}"
                        raise Misconfigured(f"{o.module}.{o.class_} has no attribute {name}", hint=hint)
                for name, value in o.set.items():
                    setattr(self._sensor, name, value)
                for name in o.setup:
                    getattr(self._sensor, name)()
            except (TypeError, AttributeError) as error:
                raise Misconfigured(f"{o.module}.{o.class_}: {error}") from error

    def read(self) -> Values:
        """Every field, one after the other."""
        with self._reactions(opening=False):
            self._wait_until_ready()
            return {field.name: self._value(field) for field in self.options.fields}

    def _wait_until_ready(self) -> None:
        until = self.elapsed() + WAIT
        while self.options.ready and not self._get(self.options.ready):
            if self.elapsed() >= until:
                raise BadReading(f"{self.options.ready} is still false")
            self.wait(STEP)

    def _get(self, name: str) -> Any:
        value = getattr(self._sensor, name)
        return value() if callable(value) else value

    def _value(self, field: Field) -> Scalar:
        value = self._get(field.attribute or field.name)
        if field.index is not None and value is not None:
            value = value[field.index]
        if value is None:
            return None
        if field.type == "text":
            return str(value)
        if not isinstance(value, int | float):
            raise Misconfigured(f"{field.name} is {value!r} and no number", hint="set index, or another type")
        if field.type == "boolean":
            return bool(value)
        return value if math.isfinite(value) else None

    @contextmanager
    def _reactions(self, *, opening: bool) -> Iterator[None]:
        """Make of what a library raises what the gateway does next."""
        try:
            yield
        except DriverError:
            raise
        except OSError as error:
            known = error.__cause__  # as our bus raised it, in words for people
            raise (
                known if isinstance(known, DriverError) else DeviceUnavailable(f"{self.options.class_}: {error}")
            ) from error
        except NONSENSE as error:
            if opening:  # no chip, or another one: "No I2C device at address", "Failed to find BME280! Chip ID 0xff"
                hint = "check address, wiring and power, and that class is the right one"
                raise DeviceUnavailable(f"{self.options.class_}: {error}", hint=hint) from error
            raise BadReading(f"{self.options.class_}: {error}") from error
        finally:
            self._bus.unlock()  # libraries forget it when they fail


class Bus:
    """What an Adafruit library takes for ``busio.I2C``, on devices of ours; locked is a transaction."""

    def __init__(self, open_device: Callable[[int], I2CDevice], address: int) -> None:
        self._open = open_device
        self._address = address
        self._devices: dict[int, I2CDevice] = {}
        self._locked: ExitStack | None = None

    def try_lock(self) -> bool:
        """Have the bus, waiting for it; false when it is locked already."""
        if self._locked is not None:
            return False
        stack = ExitStack()
        stack.enter_context(self._device(self._address).transaction())
        self._locked = stack
        return True

    def unlock(self) -> None:
        """Let others have it. Safe to call twice."""
        stack, self._locked = self._locked, None
        if stack is not None:
            stack.close()

    def scan(self) -> list[int]:
        """Libraries that look for their chip find it where the configuration says."""
        return [self._address]

    def writeto(self, address: int, buffer: Any, *, start: int = 0, end: int | None = None, **_: object) -> None:
        """Send a part of ``buffer``."""
        self._call(lambda: self._device(address).write(bytes(buffer[start:end])))

    def readfrom_into(self, address: int, buffer: Any, *, start: int = 0, end: int | None = None, **_: object) -> None:
        """Fill a part of ``buffer``."""
        size = len(buffer[start:end])
        buffer[start : start + size] = self._call(lambda: self._device(address).read(size))

    def writeto_then_readfrom(self, address: int, buffer_out: Any, buffer_in: Any, **parts: int | None) -> None:
        """Both, with a repeated start in between. ``parts``: out_start, out_end, in_start and in_end."""
        data = bytes(buffer_out[parts.get("out_start") : parts.get("out_end")])
        start = parts.get("in_start") or 0
        size = len(buffer_in[start : parts.get("in_end")])
        buffer_in[start : start + size] = self._call(lambda: self._device(address).write_read(data, size))

    def _device(self, address: int) -> I2CDevice:
        if address not in self._devices:
            self._devices[address] = self._open(address)
        return self._devices[address]

    def _call(self, function: Callable[[], Any]) -> Any:
        try:
            return function()
        except DeviceUnavailable as error:
            raise OSError(str(error)) from error  # which libraries know, and some go on after


def channel(field: Field) -> Channel:
    """The channel of a field. ``ValueError`` when there can be no such channel."""
    unit, device_class = (
        UNITS.get(field.attribute or field.name, (None, None)) if field.type == "number" else (None, None)
    )
    if field.unit not in (None, unit):
        unit, device_class = field.unit, None
    return Channel(field.name, unit, field.device_class or device_class, type=TYPES[field.type])


def find_class(module: str, name: str) -> Any:
    """The class of a library. ``Misconfigured`` when it is not there."""
    for part in BLINKA:
        sys.modules.setdefault(part, Nothing(part))
    if importlib.util.find_spec("typing_extensions") is None:  # some ask for it, and need what every Python has
        sys.modules["typing_extensions"] = typing
    try:
        library = importlib.import_module(module)
    except ImportError as error:
        package = module.partition(".")[0].replace("adafruit_", "adafruit-circuitpython-").replace("_", "-")
        hint = f"install it where this program runs: {sys.executable} -m pip install {package}"
        raise Misconfigured(f"{module} cannot be imported: {error}", hint=hint) from error
    found = getattr(library, name, None)
    if not isinstance(found, type):
        classes = ", ".join(key for key, value in vars(library).items() if isinstance(value, type))
        raise Misconfigured(f"{module} has no class {name}", hint=f"it has {classes or 'none'}")
    return found


class Nothing(types.ModuleType):
    """Stands for a module of Blinka that libraries import for their annotations, and that would look for a board."""

    __path__: list[str] = []  # noqa: RUF012 (a package, and none in which anything is found)

    def __getattr__(self, name: str) -> Any:
        """Any class; ``const`` of micropython returns its argument."""
        if name.startswith("__"):
            raise AttributeError(name)
        return (lambda value: value) if name == "const" else type(name, (), {})
