"""Chips that the kernel reads: there only with the right overlay."""

from __future__ import annotations

import re
from collections.abc import Iterator

from gateway.doctor.boot import REBOOT
from gateway.doctor.finding import Finding, problem
from gateway.doctor.patient import Patient
from gateway.known.thing import BY_KERNEL, Thing, things

FOLDERS = {"iio": ("/sys/bus/iio/devices", "iio:device*"), "hwmon": ("/sys/class/hwmon", "hwmon*")}
PLACE = re.compile(r"\d+-[0-9a-f]{4}")
"""What some kernel drivers give as the chip's name: its place on I2C."""


def overlays(patient: Patient) -> Iterator[Finding]:
    """The chip of every device of ``iio`` and ``hwmon``, and the line for config.txt where it is missing."""
    for device in patient.devices:
        chip = str(getattr(device.options, "chip", ""))
        if device.driver not in BY_KERNEL or not chip or _is_there(patient, device.driver, chip):
            continue
        base = chip.partition("@")[0]
        thing = next((one for one in things() if one.driver == device.driver and one.kernels_name == base), None)
        text = f"the kernel has no chip {chip}, and [devices.{device.device}] needs it"
        if thing is None or not thing.overlay or not patient.machine.is_pi:
            yield problem(
                text, "sensorpost scan shows what the kernel has; sensorpost drivers NAME how a chip gets there"
            )
        else:
            yield _on_a_pi(patient, text, thing)


def _on_a_pi(patient: Patient, text: str, thing: Thing) -> Finding:
    boot = patient.boot
    line = "dtoverlay=" + thing.overlay.format(address=f"{(thing.addresses or (0,))[0]:#04x}")
    words = line.split(",")
    beginning = ",".join(words[: 2 if words[0] == "dtoverlay=i2c-sensor" else 1])
    if any(one == beginning or one.startswith(f"{beginning},") for one in boot.lines):
        seen = f'though "{beginning}" is in {boot.config}'
        return problem(f"{text}, {seen}", f"after a change of that file: {REBOOT}; else check its wiring: dmesg | tail")
    return problem(f"{text}: its overlay is not loaded", f"echo {line} | sudo tee -a {boot.config} && {REBOOT}")


def _is_there(patient: Patient, driver: str, chip: str) -> bool:
    folder, pattern = FOLDERS[driver]
    names = [patient.machine.read(f"{folder}/{name}/name") for name in patient.machine.names(folder, pattern)]
    return any(chip in (name, name.partition("@")[0]) or PLACE.fullmatch(name) for name in names)
