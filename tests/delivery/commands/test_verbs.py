"""What can be asked, and what is answered: with everybody else replaced by what he would say."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from support.clock import FakeClock

from gateway.config.load import loads
from gateway.delivery.commands.verbs import Verbs
from gateway.driver import Settable
from gateway.status.board import DeviceBoard, State
from gateway.status.control import ControlError, Request
from gateway.status.ledger import Ledger

HOUSE = """
[devices.office]
driver = "mock"
interval = "20s"
[devices.office.signals]
level = { shape = "constant", value = 20, min = 5, max = 30, writable = true }
relay = { shape = "constant", value = false, writable = true }
light = { }
[devices.office.channels.level]
key = "setpoint"
[devices.office.channels.relay]
enabled = false
[devices.door]
driver = "mock"
kind = "event"
"""


class House:
    """Verbs, and a record of what they asked for."""

    def __init__(self) -> None:
        self.asked: list[tuple[Any, ...]] = []
        self.mistakes: list[str] = []
        self.refusal = ""
        self.devices = loads(HOUSE).devices
        self.boards = {
            one.device: DeviceBoard(one.device, Ledger(), FakeClock(), lambda _: None) for one in self.devices
        }
        self.boards["office"].set(State.ONLINE)
        self.verbs = Verbs(
            devices=lambda: self.devices,
            boards=lambda: self.boards,
            control={"read": self._read, "reload": self._reload, "spool.resend": self._resend},
            orders=self,
            health=self._health,
        )

    def __call__(self, verb: str, **body: Any) -> Any:
        """The answer; the error's text where it is refused."""
        try:
            return self.verbs(verb, body)
        except ControlError as exc:
            return str(exc)

    def restart(self, device: str) -> None:
        """See ``Orders``."""
        self.asked.append(("restart", device))

    def switch(self, device: str, *, enabled: bool) -> None:
        """See ``Orders``."""
        self.asked.append(("switch", device, enabled))

    def write(self, device: str, channel: str, value: Settable) -> None:
        """See ``Orders``."""
        self.asked.append(("write", device, channel, value))

    def _read(self, request: Request) -> Iterator[dict[str, Any]]:
        self.asked.append(("read", request["device"], request["timeout"]))
        yield {"device": request["device"], "seq": 1}

    def _reload(self, _: Request) -> Iterator[dict[str, Any]]:
        yield from ({"mistake": mistake} for mistake in self.mistakes)
        if self.mistakes:
            raise ControlError("nothing was changed")
        yield {"added": [], "text": "no device changed"}

    def _resend(self, request: Request) -> Iterator[dict[str, Any]]:
        self.asked.append(("resend", request["since"]))
        yield {"device": "office", "readings": 3}

    def _health(self) -> dict[str, Any]:
        if self.refusal:
            raise TimeoutError(self.refusal)
        return {"alarms": []}


def test_read() -> None:
    """It waits for the next poll and what that may take; for what happens unplanned half a minute."""
    house = House()
    assert house("read", device="office") == {"reading": {"device": "office", "seq": 1}}
    house("read", device="door")
    assert house.asked == [("read", "office", 30.0), ("read", "door", 30.0)]


def test_what_is_asked_of_a_device() -> None:
    """It is passed on, and the device is in the answer."""
    house = House()
    assert [house(verb, device="office") for verb in ("restart", "enable", "disable")] == [{"device": "office"}] * 3
    assert house.asked == [("restart", "office"), ("switch", "office", True), ("switch", "office", False)]


def test_reload() -> None:
    """What has changed, or all mistakes in one line; of very many the first."""
    house = House()
    assert house("reload") == {"added": [], "text": "no device changed"}
    house.mistakes = ["a: wrong", "b: wrong"]
    assert house("reload") == "nothing was changed; a: wrong; b: wrong"
    house.mistakes = ["x"] * 25
    assert house("reload").endswith("; x (and 5 more)")


def test_health() -> None:
    """That of this moment."""
    house = House()
    assert house("health") == {"health": {"alarms": []}}
    house.refusal = "busy"
    assert house("health") == "the publisher did not come round; try again"


def test_resend() -> None:
    """A duration in words, or seconds."""
    house = House()
    assert house("resend", since="1h30m") == {"readings": {"office": 3}}
    house("resend", since=60)
    assert house.asked == [("resend", 5400.0), ("resend", 60)]


@pytest.mark.parametrize("since", ["yesterday", -1, True, None, 10**400, float("inf"), "999999d", [1]])
def test_resend_since_when(since: Any) -> None:
    """Nothing else is taken."""
    house = House()
    assert house("resend", since=since).startswith("since: a duration")
    assert house.asked == []


def test_set() -> None:
    """The channel by its published key; the driver knows it by its own name."""
    house = House()
    assert house("set", device="office", channel="setpoint", value=21) == {"device": "office", "channel": "setpoint"}
    house.verbs.set_plain("office", "setpoint", b"22.5")
    assert house.asked == [("write", "office", "level", 21.0), ("write", "office", "level", 22.5)]


@pytest.mark.parametrize(
    ("device", "channel", "value", "words"),
    [
        ("ofice", "setpoint", 21, 'there is no device "ofice"; did you mean office?'),
        (7, "setpoint", 21, "device: a name, in quotes"),
        ("office", "setpiont", 21, 'there is no channel that can be set "setpiont"; did you mean setpoint?'),
        ("office", "light", 1, 'there is no channel that can be set "light"; there are setpoint'),
        ("office", "relay", True, 'there is no channel that can be set "relay"; there are setpoint'),
        ("door", "tag", "x", "door has no channel that can be set"),
        ("office", "setpoint", 99, "setpoint cannot be 99; accepted: from 5 to 30"),
        ("office\x1b[2J\u202e", "x", 1, 'there is no device "office\\x1b[2J\\u202e"; did you mean office?'),
    ],
)
def test_set_what_cannot_be_set(device: Any, channel: Any, value: Any, words: str) -> None:
    """In one line that forges no other; the driver hears nothing of it."""
    house = House()
    assert house("set", device=device, channel=channel, value=value) == words
    assert house.asked == []


def test_set_on_a_device_that_does_not_work() -> None:
    """Its state and its error are the reason."""
    house = House()
    house.boards["office"].set(State.OFFLINE, "unplugged")
    assert house("set", device="office", channel="setpoint", value=21) == "office is offline: unplugged"
    assert house.asked == []


@pytest.mark.parametrize(
    ("verb", "body", "words"),
    [
        (
            "restrat",
            {},
            'there is no "restrat"; verbs are read, restart, enable, disable, reload, health, resend, set; ',
        ),
        ("exec", {"command": "reboot"}, 'there is no "exec"; verbs are read,'),
        ("restart", {}, 'the key "device" is missing; restart takes device'),
        ("restart", {"devise": "office"}, 'unknown key "devise"; restart takes device'),
        ("reload", {"path": "/etc/passwd"}, 'unknown key "path"; reload takes nothing but an id'),
        ("set", {"device": "office"}, 'the key "channel" is missing; set takes device, channel, value'),
    ],
)
def test_what_cannot_be_asked(verb: str, body: dict[str, Any], words: str) -> None:
    """There is no verb that runs a program, and no key with a path."""
    assert House()(verb, **body).startswith(words)
