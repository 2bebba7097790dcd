"""The machine itself: temperature, load, memory, disk, network, uptime and, on a Raspberry Pi, its supply.

Wiring: none, but Linux. A value that this machine does not have is null.

Sample:

    [devices.this-machine]
    driver = "system"
    interval = "10s"

Traps: ``cpu_percent`` is the mean since the last reading, so it is null in the first one. Memory counts as used when
programs cannot have it, caches are free. ``disk_used_percent`` includes what is reserved for root. In a container the
network is the container's, most of the rest is the host's. ``interface`` and ``path`` may be missing for a while (a USB
adapter, a disk that is not mounted): null until they come. A Pi with a weak supply throttles for moments: look at the
history, not at one reading.

Sources: proc(5) for /proc; Documentation/ABI/testing/sysfs-class-thermal and sysfs-class-net of the Linux kernel;
drivers/hwmon/raspberrypi-hwmon.c for the supply voltage; the Raspberry Pi documentation of vcgencmd for the bits of
get_throttled.
"""

from __future__ import annotations

from gateway.driver import Channel, DeviceUnavailable, Driver, Scalar, Values, option, options

CPU_ZONES = ("cpu-thermal", "cpu_thermal", "x86_pkg_temp", "soc-thermal", "soc_thermal", "acpitz")
"""Kinds of thermal zone that are the processor, the best first."""

CPU_CHIPS = ("coretemp", "k10temp", "zenpower", "cpu_thermal")
"""The same for hwmon chips, where no thermal zone is one."""

UNDER_VOLTAGE = 1 << 0
SLOWED = 1 << 1 | 1 << 2 | 1 << 3
"""Bits of get_throttled: frequency capped, throttled, soft temperature limit; each says what is so right now."""


@options
class Options:
    """What to measure."""

    path: str = option("/", pattern="/.*", help="a folder on the disk to measure")
    interface: str = option("", help="the network interface to measure; empty: all that are hardware")


class System(Driver[Options]):
    """Reads /proc and /sys."""

    options_type = Options
    interval = "10s"
    channels = (
        Channel("cpu_temperature", "°C", "temperature", precision=1, min=-40, max=150, help="the processor"),
        Channel("cpu_percent", "%", precision=1, help="busy time of all cores since the last reading"),
        Channel("load_1m", precision=2, help="programs that run or wait to run, mean of 1 minute"),
        Channel("load_5m", precision=2, help="the same over 5 minutes"),
        Channel("load_15m", precision=2, help="the same over 15 minutes"),
        Channel("memory_used_percent", "%", precision=1, help="what programs use; caches count as free"),
        Channel("memory_available", "MiB", "data_size", precision=0, help="what programs can still have"),
        Channel("swap_used_percent", "%", precision=1, help="null where there is no swap"),
        Channel("disk_used_percent", "%", precision=1, help="of the disk that holds `path`"),
        Channel("disk_free", "MiB", "data_size", precision=0, help="for an ordinary user"),
        Channel("network_received", "B", "data_size", state_class="total_increasing", help="since boot"),
        Channel("network_sent", "B", "data_size", state_class="total_increasing", help="since boot"),
        Channel("uptime", "s", "duration", state_class="total_increasing", precision=0, help="since boot"),
        Channel("under_voltage", None, "problem", type=bool, help="Raspberry Pi: the supply is too weak now"),
        Channel("throttled", None, "problem", type=bool, help="Raspberry Pi: slowed down now, by supply or heat"),
    )

    _cpu_before: tuple[int, int] | None = None

    def open(self) -> None:
        """Forget what was measured before a pause."""
        self._cpu_before = None

    def read(self) -> Values:
        """Everything that this machine has; ``DeviceUnavailable`` when that is nothing at all."""
        throttled = self._throttled()
        values: dict[str, Scalar] = {
            "cpu_temperature": self._cpu_temperature(),
            "cpu_percent": self._cpu_percent(),
            **parse_loads(self._text("/proc/loadavg")),
            **parse_memory(self._text("/proc/meminfo")),
            **self._disk(),
            **self._network(),
            "uptime": parse_first_number(self._text("/proc/uptime")),
            "under_voltage": self._under_voltage(throttled),
            "throttled": None if throttled is None else bool(throttled & SLOWED),
        }
        if all(value is None for value in values.values()):
            raise DeviceUnavailable("nothing to read here: no /proc, no /sys", hint="the system driver needs Linux")
        return values

    def _text(self, path: str) -> str:
        """A file's text; empty where the machine does not have it or does not let it be read now."""
        try:
            return self.sysfs().read(path)
        except DeviceUnavailable:
            return ""

    def _cpu_temperature(self) -> float | None:
        zones = {self._text(f"{zone}/type"): f"{zone}/temp" for zone in self._found("/sys/class/thermal/thermal_zone*")}
        chips = {self._text(f"{chip}/name"): f"{chip}/temp1_input" for chip in self._found("/sys/class/hwmon/hwmon*")}
        places = [zones[kind] for kind in CPU_ZONES if kind in zones] + [chips[k] for k in CPU_CHIPS if k in chips]
        for place in places or list(zones.values()):
            milli = parse_first_number(self._text(place))
            if milli is not None:
                return milli / 1000
        return None

    def _cpu_percent(self) -> float | None:
        now, before = parse_cpu_times(self._text("/proc/stat")), self._cpu_before
        self._cpu_before = now
        if now is None or before is None or now[1] <= before[1]:
            return None
        return round(min(100.0, max(0.0, 100 * (now[0] - before[0]) / (now[1] - before[1]))), 1)

    def _disk(self) -> dict[str, Scalar]:
        try:
            total, free = self.sysfs().disk_usage(self.options.path)
        except DeviceUnavailable:
            total = free = 0
        if not total:
            return {"disk_used_percent": None, "disk_free": None}
        return {"disk_used_percent": round(100 * (total - free) / total, 1), "disk_free": round(free / 2**20, 1)}

    def _network(self) -> dict[str, Scalar]:
        counters = parse_network(self._text("/proc/net/dev"))
        if self.options.interface:
            chosen = [counters[self.options.interface]] if self.options.interface in counters else []
        else:
            hardware = [name for name in counters if self.sysfs().exists(f"/sys/class/net/{name}/device")]
            # in a container no interface is hardware, but there its own are all that there are
            chosen = [counters[name] for name in hardware or [name for name in counters if name != "lo"]]
        if not chosen:
            return {"network_received": None, "network_sent": None}
        received, sent = (sum(column) for column in zip(*chosen, strict=True))
        return {"network_received": received, "network_sent": sent}

    def _throttled(self) -> int | None:
        for path in self._found("/sys/devices/platform/soc*/*firmware/get_throttled"):
            return parse_hex(self._text(path))
        return None

    def _under_voltage(self, throttled: int | None) -> bool | None:
        for chip in self._found("/sys/class/hwmon/hwmon*"):
            if self._text(f"{chip}/name") == "rpi_volt":  # holds an alarm for 2 s, so it also sees short dips
                alarm = parse_first_number(self._text(f"{chip}/in0_lcrit_alarm"))
                return None if alarm is None else bool(alarm)
        return None if throttled is None else bool(throttled & UNDER_VOLTAGE)

    def _found(self, pattern: str) -> list[str]:
        return self.sysfs().glob(pattern)


def parse_first_number(text: str) -> float | None:
    """The number that a text begins with."""
    try:
        return float(text.split(maxsplit=1)[0])
    except (IndexError, ValueError):
        return None


def parse_hex(text: str) -> int | None:
    """A hexadecimal number, with or without 0x."""
    try:
        return int(text, 16)
    except ValueError:
        return None


def parse_loads(text: str) -> dict[str, Scalar]:
    """/proc/loadavg."""
    numbers = [parse_first_number(word) for word in text.split()[:3]] + [None] * 3
    return {"load_1m": numbers[0], "load_5m": numbers[1], "load_15m": numbers[2]}


def parse_cpu_times(text: str) -> tuple[int, int] | None:
    """Busy time and all time of all cores together, from /proc/stat, in ticks."""
    words = text.split("\n", 1)[0].split()
    if len(words) < 5 or words[0] != "cpu" or not all(word.isdecimal() for word in words[1:]):
        return None
    ticks = [int(word) for word in words[1:9]]  # the two that follow, guests, are part of user and nice already
    idle = sum(ticks[3:5])  # idle and waiting for disks
    return sum(ticks) - idle, sum(ticks)


def parse_memory(text: str) -> dict[str, Scalar]:
    """/proc/meminfo, which counts in KiB."""
    size: dict[str, float] = {}
    for line in text.splitlines():
        name, _, rest = line.partition(":")
        number = parse_first_number(rest)
        if number is not None:
            size[name] = number
    total, available = size.get("MemTotal"), size.get("MemAvailable")
    swap, swap_free = size.get("SwapTotal"), size.get("SwapFree")
    return {
        "memory_used_percent": round(100 * (total - available) / total, 1) if total and available is not None else None,
        "memory_available": None if available is None else round(available / 1024, 1),
        "swap_used_percent": round(100 * (swap - swap_free) / swap, 1) if swap and swap_free is not None else None,
    }


def parse_network(text: str) -> dict[str, tuple[int, int]]:
    """Bytes received and sent per interface, from /proc/net/dev."""
    counters = {}
    for line in text.splitlines():
        name, colon, rest = line.partition(":")
        words = rest.split()
        if colon and len(words) >= 9 and words[0].isdecimal() and words[8].isdecimal():
            counters[name.strip()] = (int(words[0]), int(words[8]))
    return counters
