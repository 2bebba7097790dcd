"""Python packages: those that the configured drivers want, and those that do not get on with each other."""

from __future__ import annotations

from collections.abc import Iterator

from gateway.doctor.finding import Finding, problem
from gateway.doctor.patient import Patient, Python

APT = {"smbus2": "python3-smbus2", "spidev": "python3-spidev", "rpi-lgpio": "python3-rpi-lgpio"}
"""Packages of Debian and Raspberry Pi OS, for a Python that pip must leave alone (PEP 668)."""
NO_DEPENDENCIES = ("mfrc522-python", "adafruit-")
"""These ask for RPi.GPIO or Blinka, which are not used and may not work here."""


def missing(patient: Patient) -> Iterator[Finding]:
    """What a configured driver imports."""
    has = patient.probes.has_module
    wanted: dict[str, tuple[str, list[str]]] = {}

    def want(module: str, package: str, device: str) -> None:
        if not has(module):
            wanted.setdefault(package, (module, []))[1].append(f"[devices.{device}]")

    for need in patient.needs("i2c"):
        want("smbus2", "smbus2", need.device)
    for need in patient.needs("spi"):
        want("spidev", "spidev", need.device)
    for device in patient.devices:
        if device.driver == "mfrc522":
            want("mfrc522", "mfrc522-python", device.device)
        if device.driver == "circuitpython":
            module = str(device.options.module).partition(".")[0]
            want(module, f"adafruit-circuitpython-{module.removeprefix('adafruit_').replace('_', '-')}", device.device)
            want("adafruit_bus_device", "adafruit-circuitpython-busdevice", device.device)
            want("adafruit_register", "adafruit-circuitpython-register", device.device)
    for package, (module, devices) in wanted.items():
        text = (
            f"the Python module {module} is not installed, and {', '.join(dict.fromkeys(devices))} cannot work without"
        )
        yield problem(text, install(patient.probes.python, package))


def install(python: Python, package: str) -> str:
    """The line to paste for this environment."""
    option = "--no-deps " if package.startswith(NO_DEPENDENCIES) else ""
    if python.is_venv or not python.is_managed:
        return f"{python.executable} -m pip install {option}{package}"
    if package in APT:
        return f"sudo apt install {APT[package]}"
    return (
        f"this Python belongs to the system, and pip may not add to it (PEP 668): run sensorpost from a virtual "
        f"environment (python3 -m venv --system-site-packages ~/sensorpost-venv), and there: "
        f"~/sensorpost-venv/bin/pip install sensorpost && ~/sensorpost-venv/bin/pip install {option}{package}"
    )


def gpio(patient: Patient) -> Iterator[Finding]:
    """RPi.GPIO does not know a Raspberry Pi 5, and shares its module's name with the one that does."""
    installed, python = patient.probes.packages(), patient.probes.python
    old, new = "rpi-gpio" in installed, "rpi-lgpio" in installed
    pip = f"{python.executable} -m pip"
    if old and new:
        yield problem(
            "RPi.GPIO and rpi-lgpio are both installed, and both are the module RPi.GPIO: the last one installed wins, "
            "and removing one breaks the other",
            f"{pip} uninstall -y RPi.GPIO && {pip} install --force-reinstall rpi-lgpio",
        )
    elif old and patient.machine.is_pi5:
        yield problem(
            "RPi.GPIO is installed and does not work on a Raspberry Pi 5: drivers or libraries of yours that import it "
            "fail (sensorpost itself does not use it)",
            f"{pip} uninstall -y RPi.GPIO && {install(python, 'rpi-lgpio')}",
        )


def mfrc522(patient: Patient) -> Iterator[Finding]:
    """Two packages of PyPI are the module ``mfrc522``, with different classes in it."""
    installed, python = patient.probes.packages(), patient.probes.python
    if "mfrc522" not in installed:
        return
    pip = f"{python.executable} -m pip"
    fix = f"{pip} uninstall -y mfrc522 mfrc522-python && {pip} install --no-deps mfrc522-python"
    if "mfrc522-python" in installed:
        text = "the packages mfrc522 and mfrc522-python are both installed, and both are the module mfrc522"
        yield problem(f"{text}: which one is imported is chance", fix)
    elif any(device.driver == "mfrc522" for device in patient.devices):
        yield problem("the package mfrc522 is installed; the driver mfrc522 needs another one, mfrc522-python", fix)
