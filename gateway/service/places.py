"""Where the service lives. All paths are those of the running system; ``Machine`` puts a root before them."""

from __future__ import annotations

SERVICE = "sensorpost.service"
USER = "sensorpost"
GROUPS = ("dialout", "spi", "i2c", "gpio", "input")
"""Those of the devices, as in the unit."""

HOME = "/opt/sensorpost"
CURRENT = f"{HOME}/venv"
"""A link to one of the two."""
SLOTS = (f"{HOME}/venv-a", f"{HOME}/venv-b")
STAMP = "sensorpost-service.stamp"
COMMAND = "/usr/local/bin/sensorpost"

CONFIG_DIR = "/etc/sensorpost"
NOTES = f"{CONFIG_DIR}/.installed.json"
"""The groups that were made, for ``uninstall --purge``."""
CONFIG = f"{CONFIG_DIR}/sensorpost.toml"
FOLDERS = ((CONFIG_DIR, 0o750), (f"{CONFIG_DIR}/sensorpost.d", 0o750), (f"{CONFIG_DIR}/drivers", 0o750))
"""Root's, readable for the service."""
STATE = "/var/lib/sensorpost"

UNIT = f"/etc/systemd/system/{SERVICE}"
DROP_INS = f"{UNIT}.d"
CLOCK = f"{DROP_INS}/clock.conf"
WANTED = f"/etc/systemd/system/multi-user.target.wants/{SERVICE}"
PACKAGED = f"/usr/lib/systemd/system/{SERVICE}"
"""Where the Debian package has it."""
FILES = {
    "sensorpost.service": UNIT,
    "sysusers.conf": "/etc/sysusers.d/sensorpost.conf",
    "tmpfiles.conf": "/etc/tmpfiles.d/sensorpost.conf",
    "modules-load.conf": "/etc/modules-load.d/sensorpost.conf",
    "60-sensorpost.rules": "/etc/udev/rules.d/60-sensorpost.rules",
}
"""From the folder ``systemd`` of the sources to the machine."""
TIMEKEEPERS = ("/usr/sbin/chronyd", "/usr/sbin/ntpd")
"""Where one of these is, only the kernel knows whether the time is right: the unit needs ``clock.conf``."""
