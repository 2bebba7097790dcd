"""SPI, I2C and 1-Wire: on where a device needs them, and why not."""

from __future__ import annotations

import re
from collections.abc import Iterator

from gateway.doctor.boot import REBOOT
from gateway.doctor.finding import Finding, hint, problem
from gateway.doctor.needs import Need, named
from gateway.doctor.patient import Patient

STRETCHERS = {"ccs811": "CCS811", "scd30": "SCD30", "bno055": "BNO055", "sgp30": "SGP30"}
"""Chips that keep the clock low for longer than the I2C controller of a Raspberry Pi 0 to 4 bears."""
SLOW = 50_000
"""Bits a second at which they work there."""


def spi(patient: Patient) -> Iterator[Finding]:
    """/dev/spidev of every device, and why it is not there."""
    missing = _missing(patient, patient.needs("spi"))
    for need in missing:
        yield _spi_missing(patient, need)
    there = patient.machine.names("/dev", "spidev*")
    if patient.machine.is_pi and not there and not missing and not patient.boot.parameter("spi").on:
        yield hint("SPI is off; no configured device needs it", f"sudo raspi-config nonint do_spi 0 && {REBOOT}")


def _spi_missing(patient: Patient, need: Need) -> Finding:
    boot, why = patient.boot, f"{named([need])} it"
    bus, device = need.options.bus, need.options.device
    if not patient.machine.is_pi:
        text = f"there is no {need.node}, and {why}"
        return problem(text, "switch SPI on in this board's device tree (its vendor's tool) and load spidev")
    if bus != 0 or device > 1:
        if bus == 0:
            other = _append("dtoverlay=spi1-3cs", boot.config)
            text = f"there is no {need.node}: SPI bus 0 has two chip selects, and {why}"
            return problem(text, f"device = 0 or 1 in [devices.{need.device}]; or bus = 1, and {other}")
        return problem(
            f"SPI bus {bus} is off: there is no {need.node}, and {why}", _append(f"dtoverlay=spi{bus}-3cs", boot.config)
        )
    parameter = boot.parameter("spi")
    if parameter.on:
        text = f"SPI is on in {boot.config}, but there is no {need.node}, and {why}: it is for the next start"
        return problem(text, REBOOT)
    state = f'the line "dtparam=spi=on" in {boot.config} is commented out' if parameter.commented else ""
    return problem(
        f"SPI is off ({state or f'{boot.config} does not switch it on'}): there is no {need.node}, and {why}",
        f"sudo raspi-config nonint do_spi 0 && {REBOOT}",
    )


def i2c(patient: Patient) -> Iterator[Finding]:
    """/dev/i2c-N of every device, and why it is not there."""
    missing = _missing(patient, patient.needs("i2c"))
    for node in dict.fromkeys(need.node for need in missing):
        yield _i2c_missing(patient, node, [need for need in missing if need.node == node])
    on = patient.boot.parameter("i2c_arm", "i2c", "i2c1").on
    if patient.machine.is_pi and not missing and not on and not patient.machine.exists("/dev/i2c-1"):
        yield hint("I2C is off; no configured device needs it", f"sudo raspi-config nonint do_i2c 0 && {REBOOT}")


def _i2c_missing(patient: Patient, node: str, needs: list[Need]) -> Finding:
    machine, boot, why = patient.machine, patient.boot, f"{named(needs)} it"
    number = node.removeprefix("/dev/i2c-")
    if machine.exists(f"/sys/bus/i2c/devices/i2c-{number}"):
        return problem(
            f"I2C bus {number} is on, but the module i2c-dev is not loaded: there is no {node}, and {why}",
            "sudo modprobe i2c-dev && echo i2c-dev | sudo tee /etc/modules-load.d/i2c-dev.conf",
        )
    if not machine.is_pi:
        return problem(
            f"there is no {node}, and {why}", "sudo modprobe i2c-dev; i2cdetect -l shows the buses there are"
        )
    if number != "1":
        buses = [name for name in machine.names("/dev", "i2c-*") if name != "i2c-1"]
        others = f"; there are {', '.join(buses)}" if buses else ""
        return problem(
            f"there is no {node}, and {why}; the header's I2C is bus 1 on every Raspberry Pi{others}",
            f"bus = 1 in [devices.{needs[0].device}], or the overlay of that bus in {boot.config}",
        )
    parameter = boot.parameter("i2c_arm", "i2c", "i2c1")
    if parameter.on:
        return problem(
            f"I2C is on in {boot.config}, but there is no {node}, and {why}: it is for the next start", REBOOT
        )
    state = f'the line "dtparam=i2c_arm=on" in {boot.config} is commented out' if parameter.commented else ""
    return problem(
        f"I2C is off ({state or f'{boot.config} does not switch it on'}): there is no {node}, and {why}",
        f"sudo raspi-config nonint do_i2c 0 && {REBOOT}",
    )


def onewire(patient: Patient) -> Iterator[Finding]:
    """A 1-Wire bus where a device needs one."""
    needs = patient.needs("onewire")
    if patient.machine.names("/sys/bus/w1/devices", "w1_bus_master*"):
        return
    boot = patient.boot
    if boot.overlay("w1-gpio", "w1-gpio-pullup") and needs:
        yield problem(f"1-Wire is on in {boot.config}, but there is no bus yet, and {named(needs)} it", REBOOT)
    elif needs:
        fix = (
            _append("dtoverlay=w1-gpio", boot.config)
            if patient.machine.is_pi
            else "load the kernel's w1-gpio or ds2482"
        )
        yield problem(f"1-Wire is off: the kernel has no bus, and {named(needs)} it", fix)
    elif patient.machine.is_pi:
        yield hint("1-Wire is off; no configured device needs it", _append("dtoverlay=w1-gpio", boot.config))


def clock_stretching(patient: Patient) -> Iterator[Finding]:
    """Chips that stretch the clock, on a Raspberry Pi that cannot bear it."""
    machine, boot = patient.machine, patient.boot
    speed = boot.value("i2c_arm_baudrate") or boot.value("i2c_baudrate") or ""
    if not machine.is_pi or machine.is_pi5 or boot.overlay("i2c-gpio") or (speed.isdigit() and int(speed) <= SLOW):
        return
    for need in patient.needs("i2c"):
        module = str(getattr(need.options, "module", ""))
        chip = next((chip for name, chip in STRETCHERS.items() if name in module), None)
        if chip and need.node == "/dev/i2c-1":
            yield hint(
                f"the {chip} of [devices.{need.device}] keeps the clock low for longer than this Raspberry Pi bears, "
                "which garbles readings now and then",
                _append("dtparam=i2c_arm_baudrate=10000", boot.config),
            )


def _missing(patient: Patient, needs: list[Need]) -> list[Need]:
    return [need for need in needs if not patient.machine.exists(need.node)]


def _append(line: str, file: str) -> str:
    assert re.fullmatch(r"[\w=,-]+", line)
    return f"echo {line} | sudo tee -a {file} && {REBOOT}"
