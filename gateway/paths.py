"""Where the gateway keeps what must survive it (contract section 1)."""

from __future__ import annotations

import os
import secrets
from collections.abc import Mapping
from pathlib import Path

SERVICE_STATE = Path("/var/lib/sensorpost")
SERVICE_RUNTIME = Path("/run/sensorpost")
"""Made by systemd when the service starts, and gone when it stops."""


def state_directory(config: Path | None, environ: Mapping[str, str], *, root: bool | None = None) -> Path:
    """The state directory for a configuration file. Nothing is created.

    systemd's ``$STATE_DIRECTORY``; else /var/lib/sensorpost for the configuration in /etc or when running as root; else
    a folder of the user's.
    """
    if given := environ.get("STATE_DIRECTORY"):
        return Path(given.split(":")[0])
    if root is None:
        root = hasattr(os, "geteuid") and os.geteuid() == 0
    if root or (config is not None and config.resolve().is_relative_to("/etc")):
        return SERVICE_STATE
    home = environ.get("XDG_STATE_HOME") or str(_home(environ) / ".local" / "state")
    return Path(home) / "sensorpost"


def _home(environ: Mapping[str, str]) -> Path:
    """``$HOME``, else what the system knows; for a user without an entry there, a name of its own in /tmp."""
    if home := environ.get("HOME"):
        return Path(home)
    try:
        return Path.home()
    except RuntimeError:  # a user without an entry
        return Path(f"/tmp/sensorpost-{os.geteuid()}")  # noqa: S108 (`run` looks whose it is, and says so)


def boot_id(path: Path = Path("/proc/sys/kernel/random/boot_id")) -> str:
    """A name for this boot of the machine. Empty where there is none: then no boot is taken for another's."""
    try:
        return path.read_text().strip()
    except OSError:
        return ""


def new_run() -> str:
    """A name for this start of the gateway that is never used again: 40 random bits."""
    return "".join(secrets.choice("abcdefghijklmnopqrstuvwxyz234567") for _ in range(8))


def control_socket(state_dir: Path, environ: Mapping[str, str], service: Path = SERVICE_RUNTIME) -> Path:
    """Where commands reach the running gateway: systemd's ``$RUNTIME_DIRECTORY``, else the state directory.

    A command that a person types has no such variable; the service's socket is found by its folder.
    """
    folder = environ.get("RUNTIME_DIRECTORY")
    if folder:
        return Path(folder.split(":")[0]) / "control.sock"
    return (service if state_dir == SERVICE_STATE and service.is_dir() else state_dir) / "control.sock"
