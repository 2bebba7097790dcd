"""Turns what goes wrong with a serial port into a sentence and a hint that a person can act on."""

from __future__ import annotations

import errno
import os
import re
from pathlib import Path

from gateway.driver import DeviceUnavailable
from gateway.hardware.permission import permission_hint

try:
    import termios

    ERRORS: tuple[type[Exception], ...] = (OSError, termios.error)
    """What a port that is gone raises: pyserial's own error is an OSError, that of termios is not."""
except ImportError:  # not a Unix
    ERRORS = (OSError,)

BY_ID = "/dev/serial/by-id"
_NUMBERED = re.compile(r"/dev/tty(USB|ACM)\d+")


def explain_open(port: str, error: Exception, settings: str) -> DeviceUnavailable:
    """The reaction to a port that cannot be opened."""
    number = _errno(error)
    if "://" in port:
        message, hint = f"{port} cannot be opened: {_reason(error)}", "is the other side up?"
    elif number == errno.ENOENT:
        message, hint = f"there is no port {port}", f"plug it in; {_ports_here()}"
    elif number in (errno.EACCES, errno.EPERM):
        message, hint = f"no permission to use {port}", permission_hint(port, "dialout")
    elif number in (errno.EBUSY, errno.EAGAIN):
        message, hint = f"{port} is in use{_by_whom(port)}", "a port serves one program and one device"
    elif number == errno.EINVAL:
        message = f"{port} refuses {settings}"
        hint = "check baudrate, bytesize, parity and stopbits (pseudo-terminals know only 8 bits without parity)"
    elif number in (errno.ENOTTY, errno.EISDIR):
        message, hint = f"{port} is not a serial port", _ports_here()
    else:
        message = f"{port} cannot be opened: {_reason(error)}"
        hint = f"unplug it and plug it in again; {_ports_here()}"
    return DeviceUnavailable(message, hint=hint)


def explain_use(port: str, error: Exception) -> DeviceUnavailable:
    """The reaction to a port that fails after it was opened."""
    text = str(error)
    if "Write timeout" in text:
        return DeviceUnavailable(f"{port} takes no data", hint="is something connected, and is flow control off?")
    if "device reports readiness" in text:
        return DeviceUnavailable(f"{port} is gone, or another program reads from it too", hint="check plug and cable")
    return DeviceUnavailable(f"{port} is gone: {_reason(error)}", hint="check plug and cable")


def unstable_name(port: str) -> str:
    """Advice for a port whose name changes when it is plugged in again; empty when all is well."""
    if not _NUMBERED.fullmatch(port):
        return ""
    for link in _links():
        if os.path.realpath(link) == port:
            return f'{port} can get another number when it is plugged in again; use port = "{link}"'
    return f"{port} can get another number when it is plugged in again; use its name in {BY_ID} or /dev/serial/by-path"


def _errno(error: Exception) -> int | None:
    """The number of the error, also where pyserial has only wrapped it into a text."""
    number = getattr(error, "errno", None)
    cause = error if number is not None else error.__context__ or error
    if number is None and cause.args and isinstance(cause.args[0], int):
        number = cause.args[0]
    return number


def _reason(error: Exception) -> str:
    """One short line of an error that may hold several nested ones."""
    number = _errno(error)
    return os.strerror(number) if number else str(error).splitlines()[0][:200]


def _links() -> list[Path]:
    try:
        return sorted(Path(BY_ID).iterdir())
    except OSError:
        return []


def _ports_here() -> str:
    found = [str(link) for link in _links()]
    if not found:
        dev = Path("/dev")
        found = sorted(str(path) for kind in ("ttyUSB*", "ttyACM*", "serial[0-9]") for path in dev.glob(kind))
    if not found:
        return "this machine has no serial port now"
    more = f" and {len(found) - 8} more" if len(found) > 8 else ""
    return f"ports here: {', '.join(found[:8])}{more}"


def _by_whom(port: str) -> str:
    """The program that has the port open, as far as this user may see it (Linux)."""
    target = os.path.realpath(port)
    for link in Path("/proc").glob("[0-9]*/fd/*"):
        try:
            if os.readlink(link) != target:  # noqa: PTH115 (a thousand links: no objects for them)
                continue
            process = link.parts[2]
            name = Path(f"/proc/{process}/comm").read_text().strip()
        except OSError:  # another user's, or it ended while we looked
            continue
        if int(process) == os.getpid():
            return " by another device of this gateway"
        return f" by {name} (process {process})"
    return ""
