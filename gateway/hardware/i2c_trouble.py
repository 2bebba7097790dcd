"""Turns what goes wrong on an I2C bus into a sentence and a hint that a person can act on."""

from __future__ import annotations

import errno
import os
import re
from pathlib import Path

from gateway.driver import DeviceUnavailable
from gateway.hardware.permission import permission_hint

DEV = Path("/dev")
DEVICES = Path("/sys/bus/i2c/devices")
"""Devices that the kernel knows, such as ``1-0076``."""

ENABLE = (
    "enable it: sudo raspi-config nonint do_i2c 0 (elsewhere: dtparam=i2c_arm=on in config.txt, and i2c-dev loaded)"
)
SILENT = frozenset({errno.EREMOTEIO, errno.ENXIO})
"""What "nobody acknowledges this address" is in the kernel's drivers: on a Raspberry Pi the first."""
GONE = frozenset({errno.ENODEV, errno.EBADF, errno.ENOTTY, errno.ESHUTDOWN})


def explain_open(number: int, error: OSError) -> DeviceUnavailable:
    """The reaction to a bus that cannot be opened."""
    path = f"{DEV}/i2c-{number}"
    if error.errno in (errno.ENOENT, errno.ENODEV, errno.ENXIO):
        return DeviceUnavailable(f"there is no I2C bus {number} ({path})", hint=_buses_here())
    if error.errno in (errno.EACCES, errno.EPERM):
        return DeviceUnavailable(f"no permission to use {path}", hint=permission_hint(path, "i2c"))
    if error.errno == errno.ENOTTY:
        return DeviceUnavailable(f"{path} is not an I2C bus", hint=_buses_here())
    return DeviceUnavailable(f"I2C bus {number} cannot be opened: {_reason(error)}")


def explain_use(number: int, address: int, error: OSError, *, is_mux: bool) -> DeviceUnavailable:
    """The reaction to a device, or to the multiplexer before it, with which one cannot talk."""
    where = f"{address:#04x} on I2C bus {number}"
    what = f"the multiplexer at {where}" if is_mux else where
    if error.errno in SILENT:
        hint = f"check address, wiring and power; i2cdetect -y {number} shows who answers"
        message = f"no multiplexer answers at {where}" if is_mux else f"nothing answers at {where}"
    elif error.errno == errno.ETIMEDOUT:
        message = f"{what}: the bus does not move"
        hint = "a device holds its lines low or stretches the clock: check wiring, switch the power off and on"
    elif error.errno == errno.EBUSY:
        message, hint = f"{what} is in use by the kernel", "use the kernel's driver of it, or remove its overlay"
    elif error.errno in GONE:
        message, hint = f"I2C bus {number} is gone", "was its adapter unplugged?"
    elif error.errno == errno.EOPNOTSUPP:
        message, hint = f"{what}: the bus cannot do this", "it is for SMBus commands only; use another bus"
    else:
        message, hint = f"{what}: {_reason(error)}", "check wiring and power; long wires need a slower bus"
    return DeviceUnavailable(message, hint=hint)


def kernel_driver(number: int, address: int) -> DeviceUnavailable | None:
    """The reaction to a device that a driver of the kernel talks to: two cannot."""
    try:
        name = Path(os.readlink(DEVICES / f"{number}-{address:04x}" / "driver")).name  # noqa: PTH115 (the link's text)
    except OSError:
        return None
    hint = "use the driver iio or the bus numbers that it makes, or remove its overlay from config.txt"
    return DeviceUnavailable(f"{address:#04x} on I2C bus {number} is in use by the kernel's {name}", hint=hint)


def _buses_here() -> str:
    found = sorted(int(path.name[4:]) for path in DEV.glob("i2c-*") if re.fullmatch(r"i2c-\d+", path.name))
    if not found:
        return ENABLE
    return f"I2C buses here: {', '.join(map(str, found))}; {ENABLE}"


def _reason(error: OSError) -> str:
    return os.strerror(error.errno) if error.errno else str(error)
