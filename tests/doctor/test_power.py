"""Voltage, heat, room and a disk that can be written."""

from __future__ import annotations

import pytest
from support.sickbed import GB, Sickbed, found, only

from gateway.doctor import power
from gateway.doctor.finding import State

FLAGS = "/sys/devices/platform/soc/soc:firmware/get_throttled"
SYSTEM = '[devices.a]\ndriver = "system"\n'


@pytest.mark.parametrize(
    ("flags", "state", "words"),
    [
        ("50005", State.PROBLEM, "too low now"),
        ("50000", State.PROBLEM, "too low since the start"),
        ("e0004", State.PROBLEM, "throttled now"),
        ("e0000", State.HINT, "slowed down since the start"),
    ],
)
@pytest.mark.parametrize("place", [FLAGS, "/sys/devices/platform/soc@107c000000/soc@107c000000:firmware/get_throttled"])
def test_the_firmwares_flags(bed: Sickbed, flags: str, state: State, words: str, place: str) -> None:
    """Now, and since the start; at the place of a Pi 4 and that of a Pi 5."""
    bed.remove(FLAGS)
    bed.file(place, f"{flags}\n")
    seen, text, fix = only(power.supply, bed.patient())
    assert seen is state
    assert words in text
    assert fix


def test_the_kernels_alarm(bed: Sickbed) -> None:
    """Where the firmware's file is missing."""
    bed.remove(FLAGS)
    assert found(power.supply, bed.patient()) == []
    bed.file("/sys/class/hwmon/hwmon0/name", "cpu_thermal")
    bed.file("/sys/class/hwmon/hwmon1/name", "rpi_volt")
    bed.file("/sys/class/hwmon/hwmon1/in0_lcrit_alarm", "1")
    assert "too low now" in only(power.supply, bed.patient())[1]
    bed.file("/sys/class/hwmon/hwmon1/in0_lcrit_alarm", "0")
    assert found(power.supply, bed.patient()) == []


@pytest.mark.parametrize(
    ("milli", "state"), [("81000", State.PROBLEM), ("72000", State.HINT), ("69000", None), ("x", None)]
)
def test_heat(bed: Sickbed, milli: str, state: State | None) -> None:
    """Warm is a hint, hot is a problem."""
    bed.file("/sys/class/thermal/thermal_zone0/temp", milli)
    assert [finding.state for finding in power.heat(bed.patient())] == ([state] if state else [])


def test_room(bed: Sickbed) -> None:
    """Nearly full; or less free than the spool may take."""
    assert found(power.card, bed.patient(SYSTEM)) == []
    bed.probes["disk"] = lambda _: (30 * GB, 29 * GB, 1 * GB)
    state, text, _ = only(power.card, bed.patient())
    assert (state, text[:37]) == (State.PROBLEM, "only 1.0 GB of 30.0 GB are free at /v")
    bed.probes["disk"] = lambda _: (2 * GB, 1 * GB, 240_000_000)
    assert only(power.card, bed.patient(SYSTEM))[::2] == (State.HINT, 'max_size = "120MB" in [spool]')


def test_a_folder_that_is_still_to_be_made(bed: Sickbed) -> None:
    """The one above it counts."""
    bed.state.rmdir()
    seen = []
    bed.probes["disk"] = lambda path: seen.append(path) or (30 * GB, 0, 30 * GB)
    assert found(power.card, bed.patient()) == []
    assert seen == [bed.machine.path("/var/lib")]


def test_read_only(bed: Sickbed) -> None:
    """The root, or where the spool is; an overlay forgets."""
    bed.file("/proc/mounts", "/dev/root / ext4 ro,noatime 0 0\nproc /proc proc ro 0 0\n")
    assert only(power.writable, bed.patient())[2].endswith("sudo mount -o remount,rw /")
    bed.file("/proc/mounts", "/dev/root / ext4 rw 0 0\n/dev/sda1 /var/lib ext4 ro 0 0\n")
    assert only(power.writable, bed.patient())[1].startswith("/var/lib is mounted read-only")
    bed.file("/proc/mounts", "overlayroot / overlay rw,lowerdir=/ 0 0\n")
    assert only(power.writable, bed.patient())[0] is State.HINT
    bed.file("/proc/mounts", "overlayroot / overlay rw,lowerdir=/ 0 0\n/dev/sda1 /var/lib ext4 rw 0 0\n")
    assert found(power.writable, bed.patient()) == []


def test_a_spool_elsewhere(bed: Sickbed) -> None:
    """It is the disk that the spool is on which counts, not that of the state directory."""
    seen = []
    bed.folder("/mnt/stick")
    bed.probes["disk"] = lambda path: seen.append(path) or (30 * GB, 30 * GB, 0)
    patient = bed.patient(f'{SYSTEM}[spool]\npath = "/mnt/stick/spool.db"\n')
    assert "at /mnt/stick" in only(power.card, patient)[1]
    assert seen == [bed.machine.path("/mnt/stick")]
    bed.file("/proc/mounts", "/dev/root / ext4 rw 0 0\n/dev/sda1 /mnt/stick vfat ro 0 0\n")
    assert only(power.writable, patient)[1].startswith("/mnt/stick is mounted read-only")
