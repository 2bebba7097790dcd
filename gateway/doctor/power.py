"""Power, heat and the SD card."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from gateway.doctor.finding import Finding, hint, problem
from gateway.doctor.machine import Machine
from gateway.doctor.patient import Patient

SUPPLY = "use the official power supply (5 V 3 A; Pi 5: 5 A) with its own cable, and take USB devices off"
HOT, WARM = 80.0, 70.0
"""°C: a Raspberry Pi slows down from the first on."""
FULL, SHORT = 200_000_000, 0.05
"""Bytes, and the share of the card, below which it is nearly full."""

LOW, CAPPED, SLOWED, WARNED = 1 << 0, 1 << 1, 1 << 2, 1 << 3
"""The firmware's flags (get_throttled): now. 16 bits higher: since the start."""
SINCE = 16


def supply(patient: Patient) -> Iterator[Finding]:
    """Too low a voltage, now or since the start: the cause of broken SD cards and of USB devices that vanish."""
    flags = throttled(patient.machine)
    if flags is None:
        return
    if flags & LOW:
        yield problem("the supply voltage is too low now: that damages SD cards and makes USB devices vanish", SUPPLY)
    elif flags & LOW << SINCE:
        text = "the supply voltage was too low since the start: that damages SD cards and makes USB devices vanish"
        yield problem(text, SUPPLY)
    elif flags & SLOWED:
        yield problem("the processor is throttled now", "give it air or a heat sink")
    elif flags & (SLOWED | CAPPED) << SINCE:
        yield hint("the processor was slowed down since the start", "give it air or a heat sink")


def throttled(machine: Machine) -> int | None:
    """The firmware's flags; ``None`` where there are none."""
    for pattern in ("soc/soc:firmware", "soc*/soc*:firmware", "*:firmware"):
        for name in machine.names("/sys/devices/platform", f"{pattern}/get_throttled"):
            folder = next(iter(sorted(machine.path("/sys/devices/platform").glob(f"{pattern}/{name}"))))
            try:
                return int(machine.read(folder), 16)
            except ValueError:
                continue
    for chip in machine.names("/sys/class/hwmon"):
        if machine.read(f"/sys/class/hwmon/{chip}/name") == "rpi_volt":
            return LOW if machine.read(f"/sys/class/hwmon/{chip}/in0_lcrit_alarm") == "1" else 0
    return None


def heat(patient: Patient) -> Iterator[Finding]:
    """The processor's temperature."""
    text = patient.machine.read("/sys/class/thermal/thermal_zone0/temp")
    celsius = int(text) / 1000 if text.lstrip("-").isdigit() else 0.0
    if celsius >= HOT:
        yield problem(f"the processor has {celsius:.0f} °C and is slowed down", "give it air, a heat sink or a fan")
    elif celsius >= WARM:
        yield hint(f"the processor has {celsius:.0f} °C; from {HOT:.0f} °C on it is slowed down", "give it air")


def card(patient: Patient) -> Iterator[Finding]:
    """Room for the spool where it is or will be."""
    place = _existing(patient.machine, patient.spool_dir)
    try:
        total, _, free = patient.probes.disk(patient.machine.path(place))
    except OSError:
        return
    if free < FULL or free < total * SHORT:
        yield problem(
            f"only {_size(free)} of {_size(total)} are free at {place}: readings would wait in memory only",
            "sudo apt clean; sudo journalctl --vacuum-size=100M; sudo du -xh / | sort -h | tail -20 shows the rest",
        )
    elif patient.settings and (most := patient.settings.spool.max_size) > free:
        text = f"the spool may take {_size(most)}, and {_size(free)} are free at {place}"
        yield hint(text, f'max_size = "{free // 2_000_000}MB" in [spool]')


def writable(patient: Patient) -> Iterator[Finding]:
    """The file systems are not read-only, and what is written stays."""
    mounts = [line.split() for line in patient.machine.read("/proc/mounts").splitlines()]
    found = {parts[1]: (parts[2], parts[3].split(",")) for parts in mounts if len(parts) > 3}
    around = (point for point in found if point != "/" and patient.spool_dir.is_relative_to(point))
    own = max(around, key=len, default="")
    for point in ("/", own):
        kind, options = found.get(point, ("", []))
        if "ro" in options:
            text = f"{point} is mounted read-only: the kernel does so when the card or the file system is broken"
            yield problem(
                f"{text}; readings wait in memory only",
                f"dmesg | grep -i -E 'ext4|mmc' shows why; then: sudo mount -o remount,rw {point}",
            )
        elif kind == "overlay" and point == "/" and not own:
            yield hint(
                "the root is an overlay: whatever is written, the spool included, is gone after a restart",
                "a path on another disk in [spool]; or switch it off: sudo raspi-config nonint disable_overlayfs",
            )


def _existing(machine: Machine, folder: Path) -> Path:
    return next((one for one in (folder, *folder.parents) if machine.exists(str(one))), Path("/"))


def _size(size: int) -> str:
    return f"{size / 1e9:.1f} GB" if size >= 1_000_000_000 else f"{size / 1e6:.0f} MB"
