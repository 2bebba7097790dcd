"""Reading the configuration again: on a thread of its own, applied where it is asked for, once however often it is."""

from __future__ import annotations

import threading
from collections.abc import Callable

import pytest
from support import wait_until

from gateway.config.changes import Changes
from gateway.config.load import loads
from gateway.config.settings import Settings
from gateway.reload import Outcome, Reloader
from gateway.status.control import ControlError

ONE = "[devices.a]\ndriver = 'mock'\n"
TWO = ONE + "[devices.b]\ndriver = 'mock'\n"


class Desk:
    """Someone who uses a reloader as the gateway does."""

    def __init__(self, load: Callable[[], Settings] | None) -> None:
        self.settings = loads(ONE)
        self.applied: list[Changes] = []
        self.reloader = Reloader(load, self._apply)

    def _apply(self, changes: Changes) -> None:
        self.applied.append(changes)
        self.settings = changes.settings

    def outcome(self) -> Outcome:
        """Ask, and look after it until it is done."""
        answer = self.reloader.request()

        def done() -> bool:
            self.reloader.tick(self.settings)
            return not answer.empty()

        wait_until(done)
        return answer.get_nowait()


def test_what_changed_is_applied() -> None:
    """By whoever ticks, and told to whoever asked."""
    desk = Desk(lambda: loads(TWO))
    outcome = desk.outcome()
    assert outcome.changes is not None
    assert [device.device for device in outcome.changes.added] == ["b"]
    assert desk.applied == [outcome.changes]
    again = desk.outcome()
    assert again.changes is not None
    assert again.changes.text == "no device changed"


def test_a_configuration_with_mistakes_changes_nothing() -> None:
    """All of them are told, and so is whatever else goes wrong."""
    desk = Desk(lambda: loads("[devices.a]\ndriver = 'mock'\nintervall = '1s'\nseed = 'x'\n", name="s.toml"))
    outcome = desk.outcome()
    assert (outcome.changes, desk.applied) == (None, [])
    assert len(outcome.mistakes) == 2
    assert outcome.mistakes[0].startswith("s.toml:3: devices.a.intervall")

    def explode() -> Settings:
        raise SystemExit(3)

    assert Desk(explode).outcome().mistakes == ("SystemExit: 3",)
    assert Desk(None).outcome().mistakes == ("this gateway was not started from a file",)


def test_many_requests_are_few_readings() -> None:
    """Those that come while one is under way share the next."""
    read, go = [], threading.Event()

    def load() -> Settings:
        read.append(1)
        go.wait(30)
        return loads(TWO)

    desk = Desk(load)
    first = desk.reloader.request()
    desk.reloader.tick(desk.settings)
    rest = [desk.reloader.request() for _ in range(100)]
    desk.reloader.tick(desk.settings)
    assert first.empty()
    go.set()

    def done() -> bool:
        desk.reloader.tick(desk.settings)
        return not rest[-1].empty()

    wait_until(done)
    assert (len(read), first.empty(), all(not one.empty() for one in rest)) == (2, False, True)


def test_the_verb_tells_it_line_by_line() -> None:
    """What changed; or the mistakes, and then the refusal."""
    desk = Desk(lambda: loads(TWO))
    lines: list[dict[str, object]] = []
    asker = threading.Thread(target=lambda: lines.extend(desk.reloader.verb({})))
    asker.start()

    def done() -> bool:
        desk.reloader.tick(desk.settings)
        return not asker.is_alive()

    wait_until(done)
    assert lines == [{"added": ["b"], "changed": [], "removed": [], "restart": [], "text": "1 added (b)"}]
    wrong = Desk(lambda: loads("x = 1"))
    caught: list[str] = []

    def ask() -> None:
        with pytest.raises(ControlError, match="nothing was changed"):
            caught.extend(str(line["mistake"]) for line in wrong.reloader.verb({}))

    asker = threading.Thread(target=ask)
    asker.start()

    def refused() -> bool:
        wrong.reloader.tick(wrong.settings)
        return not asker.is_alive()

    wait_until(refused)
    assert any("x" in mistake for mistake in caught)
