"""The header's serial port: off, taken by the console or by Bluetooth, or not the one that was meant."""

from __future__ import annotations

import re
from collections.abc import Iterator

from gateway.doctor.boot import REBOOT
from gateway.doctor.finding import Finding, problem
from gateway.doctor.machine import Machine, Unseen
from gateway.doctor.needs import Need, named
from gateway.doctor.patient import Patient

DEBUG = "/dev/ttyAMA10"
"""Of a Raspberry Pi 5: the small connector between the HDMI sockets, and what /dev/serial0 means there."""
MINI = "/dev/ttyS0"
ON_BOARD = re.compile(r"/dev/(serial\d+|tty(AMA|S)\d+)")
NO_CONSOLE = f"sudo raspi-config nonint do_serial_cons 1 && {REBOOT}"


def port(patient: Patient) -> Iterator[Finding]:
    """The port that a device names is there, and is the header's."""
    machine, boot = patient.machine, patient.boot
    for need in _on_board(patient):
        real = machine.target(need.node)
        if machine.is_pi5 and real == DEBUG:
            yield problem(
                f"{need.node} is the debug connector on a Raspberry Pi 5, not the header, and {named([need])} the port",
                f'port = "/dev/ttyAMA0" in [devices.{need.device}], and {_enable(machine, boot.config)}',
            )
        elif not machine.exists(need.node) and machine.is_pi:
            yield problem(
                f"the header's serial port is off: there is no {need.node}, and {named([need])} it",
                _enable(machine, boot.config),
            )


def console(patient: Patient) -> Iterator[Finding]:
    """The kernel's console or a login on a port that a device uses."""
    machine = patient.machine
    fix = NO_CONSOLE if machine.is_pi else f"take console= off the kernel's command line (/etc/default/grub); {REBOOT}"
    for need in _on_board(patient):
        real = machine.target(need.node)
        if _names(machine, machine.read("/proc/cmdline"), real):
            yield problem(f"the kernel writes its console to {need.node}, and {named([need])} it alone", fix)
        elif _names(machine, patient.boot.command_line, real):
            text = f"from the next start on the kernel writes its console to {need.node} ({patient.boot.cmdline})"
            yield problem(f"{text}, and {named([need])} it alone", fix)
        elif unit := _getty(machine, real):
            yield problem(
                f"a login waits on {need.node} ({unit}), and {named([need])} it alone",
                f"sudo systemctl disable --now {unit}",
            )


def bluetooth(patient: Patient) -> Iterator[Finding]:
    """The good UART is Bluetooth's on a Pi 3, 4 and Zero W, and the other one has no parity."""
    machine, boot = patient.machine, patient.boot
    if not machine.is_pi or machine.is_pi5:
        return
    free = f"echo dtoverlay=disable-bt | sudo tee -a {boot.config} && sudo systemctl disable hciuart; {REBOOT}"
    for need in _on_board(patient):
        real = machine.target(need.node)
        if real == "/dev/ttyAMA0" and machine.exists("/dev/serial1") and machine.target("/dev/serial1") == real:
            text = f"{need.node} is the port of the Bluetooth chip, not the header, and {named([need])} the header's"
            yield problem(text, f'port = "/dev/serial0" in [devices.{need.device}]; or give up Bluetooth: {free}')
        elif real == MINI and _wants_parity(need):
            text = f"{need.node} is the mini UART, which knows no parity, and {named([need])} it"
            yield problem(text, f"{free} (then /dev/serial0 is the good UART)")


def _on_board(patient: Patient) -> list[Need]:
    return [need for need in patient.needs("serial") if ON_BOARD.fullmatch(need.node)]


def _enable(machine: Machine, config: str) -> str:
    if machine.is_pi5:
        return f"echo dtparam=uart0=on | sudo tee -a {config} && {REBOOT}"
    return f"sudo raspi-config nonint do_serial_hw 0 && {REBOOT}"


def _wants_parity(need: Need) -> bool:
    """By the option, or because old smart meters (DSMR 2 and 3) speak 7E1."""
    return getattr(need.options, "parity", "N") != "N" or getattr(need.options, "version", 5) in (2, 3)


def _names(machine: Machine, command_line: str, real: str) -> bool:
    """Whether one of the consoles of a kernel's command line is that port."""
    consoles = re.findall(r"(?:^|\s)console=(\w+)", command_line)
    return any(machine.target(f"/dev/{name}") == real for name in consoles)


def _getty(machine: Machine, real: str) -> str:
    """The unit of a login on that port, enabled or running."""
    for name in machine.names("/etc/systemd/system/getty.target.wants", "serial-getty@*.service"):
        if machine.target(f"/dev/{name.removeprefix('serial-getty@').removesuffix('.service')}") == real:
            return name
    for number in machine.names("/proc", "[0-9]*"):
        try:
            words = machine.read(f"/proc/{number}/cmdline").split("\0")
        except Unseen:
            continue
        port = next((word for word in words if machine.target(f"/dev/{word}") == real), None)
        if "agetty" in words[0] and port:
            return f"serial-getty@{port}.service"
    return ""
