"""What a program prints, one JSON object a line; with a profile for rtl_433, which hears wireless sensors.

Wiring: none for a program of your own. It runs as long as its device is open and is started again, later and later,
when it ends. There is no shell: ``command`` is a list of words. For rtl_433: a USB stick with an RTL2832U, the
package ``rtl-433`` (apt), and the group ``plugdev``.

Sample:

    [devices.weather]
    driver = "command"
    profile = "rtl_433"
    match = { model = "Nexus-TH", channel = "2" }     # one sensor; without this: an event for each message of any
    only = ["temperature", "humidity", "battery_low"]
                                        # a program of your own, for which profile and match are left out:
    # command = ["/usr/local/bin/heating", "--json"]
    # fields = [{ name = "flow", source = "sensors.flow.t", unit = "°C", device_class = "temperature" }]

Traps: a program has to send each line at once (``python3 -u``, ``stdbuf -oL``), not when its buffer is full. Only one
program can use a stick, and the kernel's driver for television must not have it (apt's rtl-sdr sees to that). A
sensor's ``id`` changes with its battery: match ``model`` and ``channel``. Messages without ``mic`` had no checksum:
now and then one is noise, so set ``min`` and ``max`` on the channels. What a sensor does not send is null.

Sources: RFC 8259 for JSON; docs/DATA_FORMAT.md of merbanan/rtl_433.
"""

from __future__ import annotations

import json
import sys
from typing import Any, Literal

from gateway.driver import (
    BadReading,
    Channel,
    ChildProcess,
    DeviceUnavailable,
    Driver,
    Duration,
    Kind,
    Misconfigured,
    Result,
    Scalar,
    Values,
    option,
    options,
)

WAIT = 0.9
"""Seconds that one ``read`` waits for news: it has to be back within 1 s."""
MOST = 200
"""Lines that one ``read`` takes at most."""
RTL_433 = ("rtl_433", "-F", "json", "-M", "level")
TYPES: dict[str, Any] = {"number": float, "text": str, "boolean": bool}

MESSAGE: dict[str, tuple[str, float, float]] = {
    "temperature_C": ("temperature", 1, 0),
    "temperature_F": ("temperature", 1.8, 32),
    "humidity": ("humidity", 1, 0),
    "moisture": ("moisture", 1, 0),
    "pressure_hPa": ("pressure", 1, 0),
    "pressure_kPa": ("pressure", 0.1, 0),
    "pressure_PSI": ("pressure", 1 / 68.947573, 0),
    "wind_avg_m_s": ("wind_speed", 1, 0),
    "wind_avg_km_h": ("wind_speed", 3.6, 0),
    "wind_avg_mi_h": ("wind_speed", 1 / 0.44704, 0),
    "wind_max_m_s": ("wind_gust", 1, 0),
    "wind_max_km_h": ("wind_gust", 3.6, 0),
    "wind_max_mi_h": ("wind_gust", 1 / 0.44704, 0),
    "wind_dir_deg": ("wind_direction", 1, 0),
    "rain_mm": ("rain", 1, 0),
    "rain_in": ("rain", 1 / 25.4, 0),
    "light_lux": ("illuminance", 1, 0),
    "rssi": ("rssi", 1, 0),
}
"""rtl_433's name of a value; our channel, how many of its units are one of ours, and its zero."""

WIRELESS = (
    Channel("event", type=str, choices=("received",), help="only where every message is an event"),
    Channel("device_key", type=str, help="model, channel and id"),
    Channel("temperature", "°C", "temperature", precision=1),
    Channel("humidity", "%", "humidity", precision=0, min=0, max=100),
    Channel("moisture", "%", "moisture", precision=0, min=0, max=100),
    Channel("pressure", "hPa", "atmospheric_pressure", precision=1),
    Channel("wind_speed", "m/s", "wind_speed", precision=1, min=0),
    Channel("wind_gust", "m/s", "wind_speed", precision=1, min=0),
    Channel("wind_direction", "°", "wind_direction", precision=0, min=0, max=360),
    Channel("rain", "mm", "precipitation", state_class="total_increasing", precision=1, min=0),
    Channel("illuminance", "lx", "illuminance", precision=0, min=0),
    Channel("battery_low", None, "battery", type=bool),
    Channel("rssi", "dB", "signal_strength", precision=0, entity_category="diagnostic"),
)


@options
class Field:
    """One value in a line, and the channel that it becomes."""

    name: str = option(help="the channel's name")
    source: str = option("", help="its key in the line, with dots for an object in an object; default: `name`")
    unit: str | None = option(None, help="its unit")
    device_class: str | None = option(None, help="its device class in Home Assistant")
    type: Literal["number", "text", "boolean"] = option("number", help="what the value is")


@options
class Options:
    """The program, and what its lines hold."""

    profile: Literal["", "rtl_433"] = option("", help="a program that is known here")
    command: tuple[str, ...] = option((), help="the program and its arguments; default: the profile's")
    env: dict[str, str] = option(default_factory=dict, help="added to the program's environment")
    fields: tuple[Field, ...] = option((), help="the values in a line; not with a profile")
    only: tuple[str, ...] = option((), help="with a profile: the channels that are wanted; default: all")
    match: dict[str, str] = option(default_factory=dict, help="only lines with these keys and values")
    kind: Literal["auto", "sampled", "state", "event"] = option(
        "auto", help="what a line is; auto: sampled, but event for rtl_433 without match"
    )
    silence: Duration | None = option(None, min=1, help="a program that says nothing for so long is started again")


class Command(Driver[Options]):
    """A line is one reading."""

    options_type = Options
    interval = None

    program: ChildProcess
    _heard_at: float
    _problems: list[BadReading]
    """Bad lines that are still to be reported."""

    @classmethod
    def kind_for(cls, options: Options) -> Kind:
        """As the option says."""
        if options.kind != "auto":
            return Kind(options.kind)
        return Kind.EVENT if options.profile == "rtl_433" and not options.match else Kind.SAMPLED

    @classmethod
    def channels_for(cls, options: Options) -> tuple[Channel, ...]:
        """Those of the profile, or one for each field."""
        if bool(options.profile) == bool(options.fields):
            raise Misconfigured("set profile, or command and fields")
        if options.profile:
            known = WIRELESS if cls.kind_for(options) is Kind.EVENT else WIRELESS[1:]
            names = [channel.name for channel in known]
            if set(options.only) - set(names):
                raise Misconfigured("only: names of channels", hint=f"there is {', '.join(names)}")
            return tuple(channel for channel in known if not options.only or channel.name in (*options.only, "event"))
        if options.only:
            raise Misconfigured("only: for a profile", hint="leave out what is not wanted from fields")
        if not options.command:
            raise Misconfigured("command is missing", hint='such as command = ["/usr/local/bin/heating", "--json"]')
        try:
            channels = [Channel(f.name, f.unit, f.device_class, type=TYPES[f.type]) for f in options.fields]
        except ValueError as error:
            raise Misconfigured(f"fields: {error}") from error
        if len({channel.name for channel in channels}) < len(channels):
            raise Misconfigured("fields: no two may have the same name")
        return tuple(channels)

    def open(self) -> None:
        """Start the program."""
        self.program = self.process(self.options.command or RTL_433, env=self.options.env or None)
        self._heard_at = self.elapsed()
        self._problems = []

    def read(self) -> Result:
        """All lines that are there; waits for the first. Bad ones are reported after the good ones."""
        readings: list[Values] = []
        wait = 0.0 if self._problems else WAIT
        for _ in range(MOST):
            try:
                line = self.program.read_line(wait)
                if line is None:
                    break
                wait, self._heard_at = 0.0, self.elapsed()
                reading = parse(line, self.options)
                readings += [] if reading is None else [self._complete(reading)]
            except BadReading as problem:
                self._problems.append(problem)
            except DeviceUnavailable:  # it has ended: first what it said before
                if not readings:
                    raise
                break
        if readings or not self._problems:
            self._check_silence()
            return readings or None
        last, self._problems = self._problems[-1], []
        raise last

    def _complete(self, reading: dict[str, Scalar]) -> Values:
        """With null for what a line does not have; of an event only what it has."""
        names = [channel.name for channel in self.channels_for(self.options)]
        if self.kind_for(self.options) is not Kind.EVENT:
            return {name: reading.get(name) for name in names}
        event = {"event": "received", **reading} if self.options.profile else reading
        return {name: value for name, value in event.items() if name in names}

    def _check_silence(self) -> None:
        quiet, most = self.elapsed() - self._heard_at, self.options.silence
        if most is not None and quiet > most:
            raise DeviceUnavailable(f"{self.program_name()} said nothing for {quiet:.0f} s")

    def program_name(self) -> str:
        """What is started."""
        return (self.options.command or RTL_433)[0]


def parse(line: bytes, options: Options) -> dict[str, Scalar] | None:
    """One reading from one line; ``None`` for a line to skip. Raises ``BadReading``, which shows the line."""
    if not line.strip():
        return None
    try:
        found = json.loads(line, parse_constant=lambda _: None)
    except (ValueError, RecursionError):
        found = None
    if not isinstance(found, dict):
        raise BadReading(f"no JSON object: {line[:80]!r}")
    if any(text(found.get(key)) != value for key, value in options.match.items()):
        return None
    try:
        if options.profile == "rtl_433":
            return message(found)
        return {field.name: convert(dig(found, field.source or field.name), field.type) for field in options.fields}
    except ValueError as error:
        raise BadReading(f"{error} in {line[:80]!r}") from None


def message(found: dict[str, Any]) -> dict[str, Scalar]:
    """One message of a wireless sensor. ``ValueError`` for what cannot be one."""
    name = [found.get(key) for key in ("model", "channel", "id")]
    if not isinstance(name[0], str) or any(isinstance(part, dict | list) for part in name):
        raise ValueError("no model, or an odd channel or id")
    values: dict[str, Scalar] = {"device_key": "/".join(text(part) for part in name if part is not None)}
    for key, (channel, size, zero) in MESSAGE.items():
        if found.get(key) is not None:
            values[channel] = (number(found[key], key) - zero) / size
    if found.get("battery_ok") is not None:
        values["battery_low"] = number(found["battery_ok"], "battery_ok") < 0.5  # 0 and 1, or a fraction
    return values


def dig(found: dict[str, Any], path: str) -> Any:
    """The value at a key, or at keys with dots in between."""
    if path in found:
        return found[path]
    value: Any = found
    for key in path.split("."):
        value = value.get(key) if isinstance(value, dict) else None
    return value


def text(value: Any) -> str:
    """A value as people write it."""
    return value if isinstance(value, str) else json.dumps(value)


def number(value: Any, name: str) -> float:
    """A finite number. ``ValueError`` for anything else."""
    if isinstance(value, bool) or not isinstance(value, int | float) or not abs(value) <= sys.float_info.max:
        raise ValueError(f"{name} is no number")
    return value


def convert(value: Any, kind: str) -> Scalar:
    """A value as its channel wants it; ``None`` for null. ``ValueError`` for what is none."""
    if value is None:
        return None
    if kind == "number":
        return number(float(value) if isinstance(value, str) else value, "a value")
    if kind == "boolean":
        if value in (True, False, 0, 1):
            return bool(value)
        raise ValueError("a value is neither true nor false")
    return text(value)
