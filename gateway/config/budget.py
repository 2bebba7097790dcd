"""The threads and file descriptors that a configuration needs, held against what this process may have."""

from __future__ import annotations

from dataclasses import dataclass

from gateway import limits
from gateway.config.collisions import places_of
from gateway.config.errors import ConfigErrors, Problem
from gateway.config.settings import DeviceSettings, Settings
from gateway.limits import Limit

OWN_THREADS = 8
"""main, signals, publisher, paho and control, and a few for a moment: a command, a reload, a new connection."""
COMMANDS = 8
"""Requests over MQTT that are carried out at the same time, where they are allowed."""
OWN_DESCRIPTORS = 32
"""15 for good: standard streams, signals, spool, broker, control; the rest for a moment, as above."""
PORT = 5
"""A serial port: the device, and two pipes of pyserial."""
HANDLE = 1
"""A bus, a file or a connection."""
PIN = 3
"""A pin: its line, and the pipe that ends a wait for it."""
PROGRAM = 5
"""A program: its three streams, and the pipe that ends a wait for it."""
APART = 3
"""A driver in a process of its own: a socket and two pipes."""
THREADS_APART = 2
"""Of that process."""
HUNG = 32
"""Readers that may be left behind; each keeps what it has open."""


@dataclass(frozen=True, slots=True)
class Needs:
    """What a configuration needs at most. A process counts as its threads, as the system counts."""

    devices: int
    threads: int
    descriptors: int
    processes: int
    ports: int
    """Serial ports that are open in the gateway's own process."""


def needs_of(settings: Settings) -> Needs:
    """Of the devices that are enabled and whole, and of the gateway itself."""
    devices = [device for device in settings.devices if device.enabled and device.driver_type is not None]
    processes = sum(device.isolation == "process" for device in devices)
    open_here = sorted((_descriptors(device) for device in devices if device.isolation != "process"), reverse=True)
    return Needs(
        len(devices),
        OWN_THREADS + COMMANDS * settings.commands.enabled + len(devices) + THREADS_APART * processes,
        OWN_DESCRIPTORS + sum(open_here) + sum(open_here[:HUNG]) + APART * processes,
        processes,
        ports=open_here.count(PORT),
    )


def within(settings: Settings) -> Settings:
    """The settings, if this process may have what they need. Raises ``ConfigErrors`` with reason and way out."""
    needs = needs_of(settings)
    messages = [
        _exceeded("threads", needs.threads, needs, limits.threads()),
        _exceeded("file descriptors", needs.descriptors, needs, limits.descriptors()),
    ]
    if any(messages):
        file = str(settings.files[0]) if settings.files else "<built-in>"
        raise ConfigErrors([Problem(file, None, "devices", *message) for message in messages if message])
    return settings


def _exceeded(what: str, needed: int, needs: Needs, held_against: list[Limit]) -> tuple[str, str] | None:
    """What is too much and what can be done, for the smallest limit that does not suffice."""
    if not held_against or needed <= held_against[0].most:
        return None
    limit = held_against[0]
    ways = []
    if limit.remedy and all(needed <= other.most for other in held_against if not other.remedy):
        ways.append(f"allow more ({limit.remedy})")
    ways.append("configure fewer devices")
    if what != "threads" and needs.ports:
        ways.append(f'set isolation = "process" for those with a port ({APART} descriptors in place of {PORT})')
    ways.append("or give some of them to a second gateway with an id and a [spool] path of its own")
    message = f"{needs.devices} devices need {needed} {what}, and there can be {limit.most} ({limit.why})"
    return message, ", ".join(ways)


def _descriptors(device: DeviceSettings) -> int:
    """What a device has open in the gateway's own process, told by its options: they have the same names everywhere."""
    port = getattr(device.options, "port", None)
    if isinstance(port, str) and port:
        return HANDLE if "://" in port else PORT
    if hasattr(device.options, "command"):
        return PROGRAM
    pins = sum(place.key != "port" and place.what[0] == "pin" for place in places_of(device.options))
    return PIN * pins or (HANDLE if any(hasattr(device.options, name) for name in ("bus", "path")) else 0)
