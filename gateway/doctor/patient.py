"""Everything that the checks look at: the machine's files, the configuration, and probes for what is in no file."""

from __future__ import annotations

import os
import pwd
import re
import shutil
import socket
import subprocess
import sys
import sysconfig
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from gateway.config.errors import Problem
from gateway.config.settings import DeviceSettings, MqttSettings, Settings
from gateway.config.source import SYSTEM_FILE, Document
from gateway.delivery.trial import Trial, try_broker
from gateway.doctor.boot import BootFiles
from gateway.doctor.machine import Machine
from gateway.doctor.needs import Kind, Need, needs_of

UNIT = "sensorpost.service"
UNIT_FOLDERS = (
    "/etc/systemd/system",
    "/run/systemd/system",
    "/usr/local/lib/systemd/system",
    "/usr/lib/systemd/system",
)
"""Where systemd looks for a unit, the first one wins."""
LISTS = ("SupplementaryGroups", "LoadCredential")
"""Settings whose lines add up; an empty one begins anew."""


@dataclass(frozen=True, slots=True)
class Python:
    """The environment that this program runs in: the gateway's, unless it is started from another one."""

    executable: str = field(default_factory=lambda: sys.executable)
    is_venv: bool = field(default_factory=lambda: sys.prefix != sys.base_prefix)
    is_managed: bool = field(default_factory=lambda: Path(sysconfig.get_path("stdlib"), "EXTERNALLY-MANAGED").exists())
    """PEP 668: pip is refused outside of a virtual environment."""


def packages() -> dict[str, str]:
    """The installed distributions by their normalised names, and their versions."""
    from importlib.metadata import distributions  # noqa: PLC0415 (20 ms, and only here)

    found = ((one.metadata["Name"], one.version) for one in distributions())
    return {re.sub(r"[-_.]+", "-", name).lower(): version for name, version in found if name}


def has_module(name: str) -> bool:
    """Whether a top-level module can be imported. It is not."""
    from importlib.util import find_spec  # noqa: PLC0415

    return find_spec(name) is not None


def unit_state() -> Mapping[str, str]:
    """What systemd says of the unit; empty where there is no systemd to ask."""
    command = ["systemctl", "show", UNIT, "--property=LoadState,ActiveState,SubState,UnitFileState,NRestarts,Result"]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=3.0, check=False)  # noqa: S603 (constant)
    except (OSError, subprocess.SubprocessError):
        return {}
    return dict(line.split("=", 1) for line in done.stdout.splitlines() if "=" in line) if done.returncode == 0 else {}


def synchronised() -> bool:
    """The kernel's word, or timesyncd's."""
    from gateway.status.clock_trust import machine_is_synchronised  # noqa: PLC0415

    return machine_is_synchronised()


def installed_at() -> float:
    """When this program was written to the disk: the clock cannot be earlier. 0 where that is not known."""
    try:
        return Path(__file__).stat().st_mtime
    except OSError:  # within an archive
        return 0.0


def answers(path: Path) -> Mapping[str, Any] | None:
    """What the gateway behind a control socket says of itself; ``None`` when nothing answers."""
    from gateway.status.control import NotRunning, call  # noqa: PLC0415

    try:
        return next(iter(call(path, {"verb": "top"}, timeout=2.0)), None)
    except NotRunning:
        return None


@dataclass(frozen=True, kw_only=True)
class Probes:
    """What no file says. Each is a function that a test gives another one for."""

    packages: Callable[[], Mapping[str, str]] = packages
    has_module: Callable[[str], bool] = has_module
    unit_state: Callable[[], Mapping[str, str]] = unit_state
    synchronised: Callable[[], bool] = synchronised
    now: Callable[[], float] = time.time
    installed_at: Callable[[], float] = installed_at
    disk: Callable[[Path], tuple[int, int, int]] = shutil.disk_usage
    """Total, used and free bytes."""
    look_up: Callable[..., Sequence[Any]] = socket.getaddrinfo
    try_broker: Callable[..., Trial] = try_broker
    answers: Callable[[Path], Mapping[str, Any] | None] = answers
    """Raises ``ControlError`` when a gateway is there and does not let us in."""
    python: Python = field(default_factory=Python)


@dataclass(frozen=True, slots=True)
class User:
    """Who runs the gateway."""

    name: str
    uid: int
    gids: frozenset[int]
    is_service: bool = False
    """Whether the installed unit says so."""


@dataclass(frozen=True, kw_only=True)
class Patient:
    """One machine with one configuration."""

    machine: Machine
    user: User
    state_dir: Path
    settings: Settings | None = None
    mistakes: tuple[Problem, ...] = ()
    """Why there are no settings."""
    document: Document | None = None
    """The files as written, also when they do not mean anything."""
    unit: Mapping[str, str] | None = None
    """The settings of the installed unit; ``None`` without one."""
    sockets: tuple[Path, ...] = ()
    """Where a running gateway would answer."""
    probes: Probes = field(default_factory=Probes)

    @property
    def boot(self) -> BootFiles:
        """What config.txt and cmdline.txt say."""
        return BootFiles(self.machine)

    @property
    def devices(self) -> tuple[DeviceSettings, ...]:
        """The configured devices that are enabled."""
        return tuple(device for device in self.settings.devices if device.enabled) if self.settings else ()

    @property
    def mqtt(self) -> MqttSettings | None:
        """The brokers."""
        return self.settings.mqtt if self.settings else None

    @property
    def spool_file(self) -> Path | None:
        """Where readings wait: in the state directory, unless ``[spool] path`` names another place."""
        return self.state_dir / self.settings.spool.path if self.settings else None

    @property
    def spool_dir(self) -> Path:
        """The folder of that; the state directory without a configuration."""
        return self.spool_file.parent if self.spool_file else self.state_dir

    def needs(self, kind: Kind) -> list[Need]:
        """Who needs that."""
        return [need for need in needs_of(self.devices) if need.kind == kind]

    def group(self, gid: int) -> str:
        """A group's name on that machine; its number where it has none."""
        return next((name for name, number in _groups(self.machine).items() if number == gid), str(gid))


def unit_of(machine: Machine) -> dict[str, str] | None:
    """The settings of the installed unit with its drop-ins; of lists, all words; ``None`` without one."""
    folder = next((one for one in UNIT_FOLDERS if machine.exists(f"{one}/{UNIT}")), None)
    if folder is None:
        return None
    files = [f"{folder}/{UNIT}"]
    files += [f"{one}/{UNIT}.d/{name}" for one in UNIT_FOLDERS for name in machine.names(f"{one}/{UNIT}.d", "*.conf")]
    found: dict[str, str] = {}
    for file in files:
        for line in machine.read(file).splitlines():
            key, separator, value = line.partition("=")
            if separator and not line.lstrip().startswith(("#", ";", "[")):
                before = found.get(key.strip(), "") if key.strip() in LISTS and value.strip() else ""
                found[key.strip()] = f"{before} {value.strip()}".strip()
    return found


def is_run_by(unit: Mapping[str, str], config: Path | None) -> bool:
    """Whether it is this configuration that the unit runs; without any, the unit is all there is."""
    return config is None or str(config.resolve()) in unit.get("ExecStart", str(SYSTEM_FILE)).split()


def user_of(machine: Machine, unit: Mapping[str, str] | None, environ: Mapping[str, str]) -> User:
    """The unit's user where it is installed; else who has started us, before sudo."""
    if unit is not None:
        return _of_machine(machine, unit.get("User") or "root", unit.get("SupplementaryGroups", "").split())
    uid = os.geteuid()
    try:
        name = environ.get("SUDO_USER") or pwd.getpwuid(uid).pw_name
    except KeyError:
        name = str(uid)
    if uid == 0 and environ.get("SUDO_USER"):
        return _of_machine(machine, name, [], is_service=False)
    return User(name, uid, frozenset({os.getegid(), *os.getgroups()}))


def _of_machine(machine: Machine, name: str, more: Sequence[str], *, is_service: bool = True) -> User:
    """By /etc/passwd and /etc/group. One that is not there (DynamicUser=, a directory service) has no groups."""
    uid, groups = 0 if name == "root" else -1, _groups(machine)
    gids = {groups[group] for group in more if group in groups}
    for line in machine.read("/etc/passwd").splitlines():
        parts = line.split(":")
        if parts[0] == name and len(parts) > 3:
            uid = int(parts[2])
            gids.add(int(parts[3]))
    for line in machine.read("/etc/group").splitlines():
        parts = line.split(":")
        if len(parts) > 3 and name in parts[3].split(","):
            gids.add(int(parts[2]))
    return User(name, uid, frozenset(gids), is_service)


def _groups(machine: Machine) -> dict[str, int]:
    lines = (line.split(":") for line in machine.read("/etc/group").splitlines())
    return {parts[0]: int(parts[2]) for parts in lines if len(parts) > 2 and parts[2].isdigit()}
