"""What can be asked over MQTT. No verb runs a program, reads a path or changes the configuration file."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any, Protocol

from gateway.config.duration import DURATIONS, parse_duration
from gateway.config.report import nearest
from gateway.config.settings import ChannelSettings, DeviceSettings
from gateway.delivery.commands.values import from_plain, to_driver
from gateway.driver import Kind, Settable
from gateway.status.board import DeviceBoard
from gateway.status.control import ControlError
from gateway.status.control import Verb as ControlVerb
from gateway.status.text import plain

LONGEST_READ = 60.0
"""Seconds that a reading is waited for at most."""
UNPLANNED = 30.0
"""The same for a device that is silent until something happens."""
SLACK = 5.0
MOST_MISTAKES = 20
OLDEST = 10 * 366 * 86_400

Body = Mapping[str, Any]
Facts = dict[str, Any]
Verb = Callable[[Body], Facts]
"""Takes a request without its id, returns the answer without ``id`` and ``ok``. Raises ``ControlError`` to refuse."""


class Orders(Protocol):
    """What can be asked of a device; each raises ``ControlError``."""

    def restart(self, device: str) -> None:
        """Begin anew with it."""

    def switch(self, device: str, *, enabled: bool) -> None:
        """Enable or disable it."""

    def write(self, device: str, channel: str, value: Settable) -> None:
        """Set a channel."""


class Verbs:
    """For threads of their own: most of them wait for somebody. ``control`` are verbs of the control socket."""

    def __init__(
        self,
        *,
        devices: Callable[[], Iterable[DeviceSettings]],
        boards: Callable[[], Mapping[str, DeviceBoard]],
        control: Mapping[str, ControlVerb],
        orders: Orders,
        health: Callable[[], Facts],
    ) -> None:
        self._devices = devices
        self._boards = boards
        self._control = control
        self._orders = orders
        self._health = health
        self._verbs: dict[str, tuple[Verb, tuple[str, ...]]] = {
            "read": (self._read, ("device",)),
            "restart": (self._restart, ("device",)),
            "enable": (lambda body: self._switch(body, enabled=True), ("device",)),
            "disable": (lambda body: self._switch(body, enabled=False), ("device",)),
            "reload": (self._reload, ()),
            "health": (self._health_now, ()),
            "resend": (self._resend, ("since",)),
            "set": (self._set, ("device", "channel", "value")),
        }

    def __call__(self, verb: str, body: Body) -> Facts:
        """Carry out one request."""
        if verb not in self._verbs:
            near = nearest(verb, self._verbs)
            meant = f"; did you mean {near}?" if near else ""
            raise ControlError(f'there is no "{plain(verb, 60)}"; verbs are {", ".join(self._verbs)}{meant}')
        carry_out, keys = self._verbs[verb]
        for key in body:
            if key not in keys:
                accepted = f"{verb} takes {', '.join(keys)}" if keys else f"{verb} takes nothing but an id"
                raise ControlError(f'unknown key "{plain(key, 60)}"; {accepted}')
        for key in keys:
            if key not in body:
                raise ControlError(f'the key "{key}" is missing; {verb} takes {", ".join(keys)}')
        return carry_out(body)

    def set_plain(self, device: str, key: str, payload: bytes) -> None:
        """``B/<device>/set/<channel>``. Raises ``ControlError``."""
        channel = self._writable(self._device({"device": device}), key)
        self._write(device, channel, from_plain(channel, payload))

    def _read(self, body: Body) -> Facts:
        device = self._device(body)
        patience = UNPLANNED
        if device.kind is Kind.SAMPLED and device.interval is not None:
            patience = min(LONGEST_READ, device.interval + device.timeout + SLACK)
        (reading,) = self._control["read"]({"device": device.device, "count": 1, "timeout": patience})
        return {"reading": reading}

    def _restart(self, body: Body) -> Facts:
        device = self._device(body).device
        self._orders.restart(device)
        return {"device": device}

    def _switch(self, body: Body, *, enabled: bool) -> Facts:
        device = self._device(body).device
        self._orders.switch(device, enabled=enabled)
        return {"device": device}

    def _reload(self, _: Body) -> Facts:
        mistakes: list[str] = []
        try:
            for line in self._control["reload"]({}):
                if "mistake" not in line:
                    return dict(line)
                mistakes.append(str(line["mistake"]))
        except ControlError as exc:
            more = f" (and {len(mistakes) - MOST_MISTAKES} more)" if len(mistakes) > MOST_MISTAKES else ""
            raise ControlError("; ".join([str(exc), *mistakes[:MOST_MISTAKES]]) + more) from None
        return {}

    def _health_now(self, _: Body) -> Facts:
        try:
            return {"health": self._health()}
        except TimeoutError:
            raise ControlError("the publisher did not come round; try again") from None

    def _resend(self, body: Body) -> Facts:
        since = body["since"]
        if isinstance(since, str):
            try:
                since = parse_duration(since)
            except ValueError:
                raise ControlError(f'since: a duration, not "{plain(since, 60)}"; accepted: {DURATIONS}') from None
        if not (isinstance(since, int | float) and not isinstance(since, bool) and 0 <= since <= OLDEST):
            raise ControlError(f"since: a duration of up to 10 years; accepted: {DURATIONS}")
        lines = self._control["spool.resend"]({"since": since})
        return {"readings": {line["device"]: line["readings"] for line in lines}}

    def _set(self, body: Body) -> Facts:
        device = self._device(body)
        channel = self._writable(device, body["channel"])
        self._write(device.device, channel, body["value"])
        return {"device": device.device, "channel": channel.key}

    def _write(self, device: str, channel: ChannelSettings, value: Any) -> None:
        wanted = to_driver(channel, value)
        board = self._boards().get(device)
        status = board.snapshot() if board is not None else None
        if status is not None and not status.state.available:
            raise ControlError(f"{device} is {status.state}{f': {status.last_error}' if status.last_error else ''}")
        self._orders.write(device, channel.channel.name, wanted)

    def _device(self, body: Body) -> DeviceSettings:
        devices = {device.device: device for device in self._devices()}
        return devices[_known("device", body["device"], devices)]

    def _writable(self, device: DeviceSettings, key: Any) -> ChannelSettings:
        channels = {one.key: one for one in device.channels if one.enabled and one.channel.writable}
        if not channels:
            raise ControlError(f"{device.device} has no channel that can be set")
        return channels[_known("channel that can be set", key, channels)]


def _known(what: str, name: Any, names: Iterable[str]) -> str:
    """The name, if there is such a thing. Raises ``ControlError`` with the nearest."""
    names = list(names)
    if not isinstance(name, str):
        raise ControlError(f"{what}: a name, in quotes")
    if name not in names:
        near = nearest(name, names)
        meant = f"; did you mean {near}?" if near else f"; there are {', '.join(names)}" if len(names) <= 10 else ""
        raise ControlError(f'there is no {what} "{plain(name, 60)}"{meant}')
    return name
