"""drivers/system.py: text as kernels write it, and this very machine."""

from __future__ import annotations

from typing import Any

import pytest

from drivers.system import (
    System,
    parse_cpu_times,
    parse_first_number,
    parse_hex,
    parse_loads,
    parse_memory,
    parse_network,
)
from gateway.driver import DeviceUnavailable
from gateway.hardware.real import RealHardware
from gateway.testing import DriverHarness, FakeHardware, FakeSysfs

PI = {
    "/proc/stat": "cpu  100 0 100 700 100 0 0 0 0 0\ncpu0 1 2 3 4\n",
    "/proc/loadavg": "0.20 0.18 0.12 1/80 11206\n",
    "/proc/meminfo": "MemTotal: 1000 kB\nMemFree: 100 kB\nMemAvailable: 750 kB\nSwapTotal: 200 kB\nSwapFree: 150 kB\n",
    "/proc/uptime": "350735.47 234388.90\n",
    "/proc/net/dev": (
        "Inter-|   Receive                            |  Transmit\n"
        " face |bytes    packets errs drop fifo frame compressed multicast|bytes    packets\n"
        "    lo: 9999 1 0 0 0 0 0 0 9999 1 0 0 0 0 0 0\n"
        "  eth0: 1000 1 0 0 0 0 0 0 2000 1 0 0 0 0 0 0\n"
        " wlan0:500 1 0 0 0 0 0 0 600 1 0 0 0 0 0 0\n"
        "docker0: 70 1 0 0 0 0 0 0 80 1 0 0 0 0 0 0\n"
    ),
    "/sys/class/net/eth0/device/uevent": "",
    "/sys/class/net/wlan0/device/uevent": "",
    "/sys/class/thermal/thermal_zone0/type": "cpu-thermal\n",
    "/sys/class/thermal/thermal_zone0/temp": "48312\n",
    "/sys/class/hwmon/hwmon1/name": "rpi_volt\n",
    "/sys/class/hwmon/hwmon1/in0_lcrit_alarm": "1\n",
    "/sys/devices/platform/soc/soc:firmware/get_throttled": "50004\n",
}


def read(files: dict[str, str], **options: Any) -> dict[str, Any]:
    """One reading of a machine with these files."""
    sysfs = FakeSysfs(files, disk=(1000 * 2**20, 250 * 2**20))
    with DriverHarness(System, hardware=FakeHardware(sysfs=sysfs), **options) as harness:
        result = harness.read()
    assert isinstance(result, dict)
    return result


def test_a_raspberry_pi() -> None:
    """Everything that a Pi has."""
    assert read(PI) == {
        "cpu_temperature": 48.312,
        "cpu_percent": None,
        "load_1m": 0.2,
        "load_5m": 0.18,
        "load_15m": 0.12,
        "memory_used_percent": 25.0,
        "memory_available": 0.7,
        "swap_used_percent": 25.0,
        "disk_used_percent": 75.0,
        "disk_free": 250.0,
        "network_received": 1500,
        "network_sent": 2600,
        "uptime": 350735.47,
        "under_voltage": True,
        "throttled": True,
    }


def test_cpu_percent_is_the_mean_since_the_last_reading() -> None:
    """Idle and waiting for disks is not busy; no time in between and a counter that went back give null."""
    sysfs = FakeSysfs(PI)
    with DriverHarness(System, hardware=FakeHardware(sysfs=sysfs)) as harness:
        values = []
        for line in ("cpu 100 0 100 700 100", "cpu 110 5 115 740 130", "cpu 110 5 115 740 130", "cpu 1 1 1 1 1"):
            sysfs.files["/proc/stat"] = line
            result = harness.read()
            assert isinstance(result, dict)
            values.append(result["cpu_percent"])
    assert values == [None, 30.0, None, None]


def test_a_machine_with_nothing_special() -> None:
    """In a container all that is missing is null; its interfaces count although none is hardware."""
    files = {"/proc/net/dev": PI["/proc/net/dev"], "/proc/uptime": "1.5 1.0"}
    values = read(files)
    assert {name for name, value in values.items() if value is not None} == {
        "disk_used_percent",
        "disk_free",
        "network_received",
        "network_sent",
        "uptime",
    }
    assert values["network_received"] == 1570


def test_one_interface() -> None:
    """``interface`` picks one; one that is not there now is null."""
    assert read(PI, interface="wlan0")["network_sent"] == 600
    assert read(PI, interface="usb0")["network_sent"] is None


def test_no_machine_at_all() -> None:
    """Where nothing can be read the device is unavailable, not a row of nulls."""
    with DriverHarness(System) as harness, pytest.raises(DeviceUnavailable, match="nothing to read"):
        harness.read()


@pytest.mark.parametrize(
    ("files", "expected"),
    [
        ({"thermal/thermal_zone0/type": "acpitz", "thermal/thermal_zone0/temp": "20000",
          "thermal/thermal_zone1/type": "x86_pkg_temp", "thermal/thermal_zone1/temp": "55000"}, 55.0),
        ({"thermal/thermal_zone0/type": "gpu", "thermal/thermal_zone0/temp": "20000",
          "hwmon/hwmon0/name": "k10temp", "hwmon/hwmon0/temp1_input": "61500"}, 61.5),
        ({"thermal/thermal_zone0/type": "nobody-knows", "thermal/thermal_zone0/temp": "33000"}, 33.0),
        ({"thermal/thermal_zone0/type": "cpu-thermal"}, None),
    ],
    ids=["best zone", "hwmon", "any zone", "unreadable"],
)  # fmt: skip
def test_cpu_temperature(files: dict[str, str], expected: float | None) -> None:
    """The zone that is the processor, else its chip, else whatever there is."""
    machine = {f"/sys/class/{path}": text for path, text in files.items()}
    assert read(machine)["cpu_temperature"] == expected


@pytest.mark.parametrize(
    ("throttled", "alarm", "expected"),
    [
        ("0", "0", (False, False)),
        ("50005", None, (True, True)),
        ("50000", None, (False, False)),
        ("1", "0", (False, False)),
        (None, "1", (True, None)),
        ("rubbish", "", (None, None)),
        (None, None, (None, None)),
    ],
)
def test_supply_of_a_pi(throttled: str | None, alarm: str | None, expected: tuple[bool | None, bool | None]) -> None:
    """The hwmon alarm is trusted before the bit; bits of the past do not count; what is missing is null."""
    files = {"/proc/uptime": "1"}
    if throttled is not None:
        files["/sys/devices/platform/soc@107c000000/soc@107c000000:firmware/get_throttled"] = throttled
    if alarm is not None:
        files |= {"/sys/class/hwmon/hwmon0/name": "rpi_volt", "/sys/class/hwmon/hwmon0/in0_lcrit_alarm": alarm}
    values = read(files)
    assert (values["under_voltage"], values["throttled"]) == expected


@pytest.mark.parametrize("text", ["", "\n", "rubbish", "cpu", "cpu a b c d", "MemTotal:", ":::", "eth0: a b"])
def test_rubbish_is_nothing(text: str) -> None:
    """No parser raises, whatever a file says."""
    assert parse_first_number(text) is None
    assert parse_hex(text) is None
    assert parse_cpu_times(text) is None
    assert set(parse_loads(text).values()) == {None}
    assert set(parse_memory(text).values()) == {None}
    assert parse_network(text) == {}


def test_this_machine() -> None:
    """Real values, whatever machine this is."""
    with DriverHarness(System, hardware=RealHardware("test")) as harness:
        values = harness.read()
    assert isinstance(values, dict)
    assert set(values) == {channel.name for channel in System.channels}
    assert values["disk_free"] is not None
