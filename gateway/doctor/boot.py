"""What a Raspberry Pi is told at its start: config.txt and cmdline.txt."""

from __future__ import annotations

import re
from dataclasses import dataclass

from gateway.doctor.machine import Machine

REBOOT = "sudo reboot"


@dataclass(frozen=True, slots=True)
class Parameter:
    """What config.txt says about one ``dtparam``."""

    on: bool
    commented: bool
    """It is there, but behind a ``#``."""


class BootFiles:
    """The two files, wherever this release of the system keeps them."""

    def __init__(self, machine: Machine) -> None:
        folder = "/boot/firmware" if machine.exists("/boot/firmware/config.txt") else "/boot"
        self.config = f"{folder}/config.txt" if machine.exists(f"{folder}/config.txt") else "/boot/firmware/config.txt"
        self.cmdline = f"{folder}/cmdline.txt" if machine.exists(f"{folder}/cmdline.txt") else "/boot/cmdline.txt"
        text = machine.read(self.config)
        self.lines = [line.strip() for line in _for_this(text, machine.model)]
        self.asleep = [line.strip().lstrip("# ") for line in text.splitlines() if line.strip().startswith("#")]
        self.command_line = machine.read(self.cmdline)

    def parameter(self, *names: str) -> Parameter:
        """Whether one of these is on; a later line wins."""
        on = False
        for name, value in _parameters(self.lines):
            if name in names:
                on = value not in ("off", "0", "no", "false")
        return Parameter(on, not on and any(name in names for name, _ in _parameters(self.asleep)))

    def value(self, name: str) -> str | None:
        """The value of a ``dtparam`` or of a plain setting such as ``enable_uart``; the last one."""
        found = None
        for key, value in (*_parameters(self.lines), *_settings(self.lines)):
            found = value if key == name else found
        return found

    def overlay(self, *names: str) -> bool:
        """Whether one of these overlays is named."""
        pattern = re.compile(rf"dtoverlay=(?:{'|'.join(map(re.escape, names))})(?:[,\s]|$)")
        return any(pattern.match(line) for line in self.lines)


def _for_this(text: str, model: str) -> list[str]:
    """The lines that count here: ``[pi4]`` and the like are for other models. What is not known is for all."""
    found, counts = [], True
    for line in text.splitlines():
        if match := re.match(r"\s*\[([^\]]+)\]", line):
            counts = _is_for(match[1].lower(), model)
        elif counts and not line.lstrip().startswith("#"):
            found.append(line.split("#")[0])
    return found


def _is_for(section: str, model: str) -> bool:
    if section == "none":
        return False
    if match := re.fullmatch(r"pi(\d)\+?", section):
        zero = "Raspberry Pi Zero" in model
        return zero if match[1] == "0" else f"Raspberry Pi {match[1]}" in model or f"Module {match[1]}" in model
    if match := re.fullmatch(r"cm(\d)", section):
        return f"Compute Module {match[1]}" in model
    return True


def _parameters(lines: list[str]) -> list[tuple[str, str]]:
    """``dtparam=i2c_arm=on,spi=on`` as pairs; a name alone is on."""
    found = []
    for line in lines:
        if line.startswith("dtparam="):
            for part in line.removeprefix("dtparam=").split(","):
                name, _, value = part.strip().partition("=")
                found.append((name, value.strip() or "on"))
    return found


def _settings(lines: list[str]) -> list[tuple[str, str]]:
    return [(match[1], match[2]) for line in lines if (match := re.match(r"(\w+)=(\S+)$", line))]
