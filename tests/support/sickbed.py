"""A made-up Raspberry Pi for ``doctor``: a folder of files in which all is well until a test breaks something."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterable
from dataclasses import replace
from pathlib import Path
from typing import Any

from gateway.config import source
from gateway.config.errors import ConfigErrors, Problem
from gateway.config.load import load
from gateway.delivery.trial import Trial
from gateway.doctor.finding import Finding, State
from gateway.doctor.machine import Machine, Owner
from gateway.doctor.patient import Patient, Probes, Python, unit_of, user_of

PI4, PI5 = "Raspberry Pi 4 Model B Rev 1.5", "Raspberry Pi 5 Model B Rev 1.0"
GROUPS = {"dialout": 20, "spi": 993, "i2c": 994, "gpio": 995}
NODES = {"/dev/spidev": "spi", "/dev/i2c-": "i2c", "/dev/tty": "dialout", "/dev/serial": "dialout", "/dev/gpio": "gpio"}
PI = 1000
GB = 1_000_000_000


class MadeUp(Machine):
    """Files below a folder, owned as it is said: device files by root and their group, the rest by ``pi``."""

    def __init__(self, root: Path) -> None:
        super().__init__(root)
        self.owners: dict[str, Owner] = {}

    def owner(self, path: str | Path) -> Owner | None:
        """As :meth:`Machine.owner`."""
        real = super().owner(path)
        inside = "/" + str(self.path(path).relative_to(self.root))
        if real is None or inside in self.owners:
            return self.owners.get(inside) if real else None
        group = next((group for prefix, group in NODES.items() if inside.startswith(prefix)), None)
        if group is None:
            return replace(real, uid=PI, gid=PI)
        return Owner(0, GROUPS[group], 0o660)


class Sickbed:
    """One machine."""

    def __init__(self, root: Path) -> None:
        self.machine = MadeUp(root)
        self.root = root
        self.probes: dict[str, Any] = {}
        self.trials: list[Trial] = []
        self.file("/proc/device-tree/model", PI4 + "\0")
        self.file("/boot/firmware/config.txt", "dtparam=spi=on\ndtparam=i2c_arm=on\nenable_uart=1\ndtoverlay=w1-gpio\n")
        self.file("/boot/firmware/cmdline.txt", "console=tty1 root=PARTUUID=1 rootwait")
        self.file("/proc/cmdline", "console=tty1 root=PARTUUID=1 rootwait")
        self.file("/proc/mounts", "/dev/mmcblk0p2 / ext4 rw,noatime 0 0\n")
        self.file("/proc/321/comm", "systemd-timesyn\n")
        self.file("/etc/passwd", "root:x:0:0::/root:/bin/sh\npi:x:1000:1000::/home/pi:/bin/sh\n")
        self.file("/etc/group", "pi:x:1000:\n" + "".join(f"{name}:x:{gid}:pi\n" for name, gid in GROUPS.items()))
        for node in ("spidev0.0", "spidev0.1", "i2c-1", "ttyS0", "ttyAMA0", "gpiochip0", "tty1"):
            self.file(f"/dev/{node}")
        self.link("/dev/serial0", "/dev/ttyS0")
        self.link("/dev/serial1", "/dev/ttyAMA0")
        self.file("/sys/bus/w1/devices/w1_bus_master1/w1_master_slaves")
        self.file("/sys/devices/platform/soc/soc:firmware/get_throttled", "0\n")
        self.file("/sys/class/thermal/thermal_zone0/temp", "48312\n")
        self.file("/sys/class/rtc/rtc0/name")
        self.state = self.folder("/var/lib/sensorpost", 0o700)

    def folder(self, path: str, mode: int = 0o755) -> Path:
        """Make a folder."""
        place = self.machine.path(path)
        place.mkdir(parents=True, exist_ok=True)
        place.chmod(mode)
        return place

    def file(self, path: str, text: str = "", mode: int = 0o644) -> Path:
        """Make a file."""
        place = self.machine.path(path)
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_text(text)
        place.chmod(mode)
        return place

    def link(self, path: str, target: str) -> None:
        """Make a link to another path of the machine."""
        place = self.machine.path(path)
        place.parent.mkdir(parents=True, exist_ok=True)
        place.unlink(missing_ok=True)
        place.symlink_to(self.machine.path(target))

    def remove(self, path: str) -> None:
        """Take a file or a link away."""
        self.machine.path(path).unlink()

    def usb(self, port: str, serial: str = "", *, by_id: str = "", by_path: str = "") -> None:
        """Plug an adapter in."""
        device = f"/sys/devices/usb1/1-{port[-1]}"
        self.file(f"{device}/idVendor", "1a86\n")
        self.file(f"{device}/idProduct", "7523\n")
        if serial:
            self.file(f"{device}/serial", serial)
        self.folder(f"{device}/1-{port[-1]}:1.0/{port}")
        self.folder(f"/sys/class/tty/{port}")
        self.link(f"/sys/class/tty/{port}/device", f"{device}/1-{port[-1]}:1.0/{port}")
        self.file(f"/dev/{port}")
        for folder, name in (("by-id", by_id), ("by-path", by_path)):
            if name:
                self.link(f"/dev/serial/{folder}/{name}", f"/dev/{port}")

    def installed(self, **packages: str) -> None:
        """Which distributions there are; ``_`` stands for ``-``."""
        self.probes["packages"] = lambda: {name.replace("_", "-"): version for name, version in packages.items()}

    def patient(self, config: str = "", *, mode: int = 0o640) -> Patient:
        """The machine with that configuration, of the user ``pi``."""
        settings, document = None, None
        mistakes: tuple[Problem, ...] = ()
        if config:
            file = self.file("/etc/sensorpost/sensorpost.toml", config, mode)
            try:
                document = source.read(file, {}, file.parent)
                settings = load(file, environ={})
            except ConfigErrors as errors:
                mistakes = errors.problems
        given: dict[str, Any] = {
            "packages": dict,
            "has_module": lambda _: True,
            "unit_state": dict,
            "synchronised": lambda: True,
            "now": time.time,
            "disk": lambda _: (30 * GB, 10 * GB, 20 * GB),
            "try_broker": self._trial,
            "answers": lambda _: None,
            "python": Python("/opt/venv/bin/python", is_venv=True, is_managed=False),
        }
        unit = unit_of(self.machine)
        user = user_of(self.machine, {"User": "pi"} if unit is None else unit, os.environ)
        return Patient(
            machine=self.machine,
            user=replace(user, is_service=unit is not None),
            state_dir=Path("/var/lib/sensorpost"),
            settings=settings,
            mistakes=mistakes,
            document=document,
            unit=unit,
            sockets=(self.state / "control.sock",),
            probes=Probes(**{**given, **self.probes}),
        )

    def _trial(self, _mqtt: Any, endpoint: Any, *_: Any, **__: Any) -> Trial:
        return self.trials.pop(0) if self.trials else Trial(endpoint.url, publish_code=0)


def found(check: Callable[[Patient], Iterable[Finding]], patient: Patient) -> list[Finding]:
    """What one check finds."""
    return list(check(patient))


def only(check: Callable[[Patient], Iterable[Finding]], patient: Patient) -> tuple[State, str, str]:
    """The one thing that a check finds."""
    (finding,) = check(patient)
    return finding.state, finding.text, finding.fix
