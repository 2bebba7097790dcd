"""The live table, drawn to a console of a fixed size."""

from __future__ import annotations

import io
from typing import Any

import pytest
from rich.console import Console

from gateway.cli.feed import Feed, View
from gateway.cli.quantity import Quantity
from gateway.cli.table import Frame, Table
from gateway.delivery.topics import Topics

FRAME = Frame("sensorpost demo", about=("a broker",), foot="q leaves")


@pytest.fixture
def feed() -> Feed:
    """Two devices, 12 s after the start."""
    feed = Feed(Topics.of("sensorpost", "attic"), (), 0.0)
    feed.views["greenhouse"] = View(
        "greenhouse",
        quantities={
            "temperature": Quantity("temperature", "°C", "temperature", 1),
            "humidity": Quantity("humidity", "%"),
        },
        interval=1.0,
        state="online",
        values={"temperature": 21.53, "humidity": None},
        seq=12,
        seen=11.6,
    )
    feed.views["greenhouse"].arrivals.extend(float(at) for at in range(12))
    feed.views["greenhouse"].trails["temperature"] = feed.views["greenhouse"].arrivals
    feed.views["door"] = View("door", quantities={"open": Quantity("open", "", "door")})
    return feed


def drawn(table: Table, width: int, height: int, frame: Frame = FRAME, *, colour: bool = False) -> list[str]:
    """The screen as lines of text."""
    file = io.StringIO()
    console = Console(
        file=file, width=width, height=height, force_terminal=colour, color_system="truecolor" if colour else None
    )
    console.print(table.draw(frame, width, height, 12.0))
    return file.getvalue().rstrip("\n").split("\n")


def test_narrow(feed: Feed) -> None:
    """Eighty columns: device, values with their units in columns, age, number, rate."""
    assert [line.rstrip() for line in drawn(Table(feed), 80, 24)] == [
        "sensorpost demo                                                       1.0/s  12s",
        "a broker",
        "",
        "  DEVICE      VALUES                                           AGE    SEQ   RATE",
        "● greenhouse  temperature 21.5 °C   humidity       –          0.4s     12  1.0/s",  # noqa: RUF001 (shown so)
        "● door        nothing yet",
        "",
        "q leaves",
    ]


def test_wide_has_curves(feed: Feed) -> None:
    """From a hundred columns on, each line of numbers has its curve."""
    lines = drawn(Table(feed), 120, 24)
    assert "TREND" in lines[3]
    assert "▁▂▂▃▄▄▅▅▆▇▇█" in lines[4]


@pytest.mark.parametrize(("width", "height"), [(80, 24), (120, 40), (40, 10), (20, 5), (200, 3)])
def test_it_always_fits(feed: Feed, width: int, height: int) -> None:
    """No line is wider and the whole is no higher than the terminal, however small that is."""
    feed.views["door"].values = {"open": "x" * 500}
    feed.views["door"].state, feed.views["door"].error = "degraded", "no answer " * 100
    frame = Frame("t" * 300, about=("a" * 300,), foot="f" * 300, note="n" * 300)
    lines = drawn(Table(feed), width, height, frame)
    assert len(lines) <= height
    assert max(len(line) for line in lines) <= width


def test_what_does_not_fit_is_counted(feed: Feed) -> None:
    """More devices than lines: as many as go, and how many are left."""
    for number in range(50):
        feed.views[f"extra{number}"] = View(f"extra{number}")
    lines = drawn(Table(feed), 80, 24)
    assert len(lines) == 24
    assert lines[-3].strip() == "and 35 more devices: make the window taller"


def test_nothing_jumps(feed: Feed) -> None:
    """A value that becomes shorter leaves the columns where they are."""
    table = Table(feed)
    view = feed.views["greenhouse"]
    view.values = {"temperature": -1021.5, "humidity": 3}
    before = drawn(table, 80, 24)[4].index("°C")
    view.values = {"temperature": 1.5, "humidity": 3}
    assert drawn(table, 80, 24)[4].index("°C") == before


@pytest.mark.parametrize("state", ["offline", "failed", "hung"])
def test_a_device_that_is_away_says_why(feed: Feed, state: str) -> None:
    """The reason stands where the values were, which are no longer true."""
    feed.views["greenhouse"].state = state
    feed.views["greenhouse"].error = "cannot open /dev/ttyUSB0: no such file; plug it in"
    lines = drawn(Table(feed), 120, 24)
    assert f"{state}: cannot open /dev/ttyUSB0: no such file" in lines[4]
    assert not any("21.5" in line for line in lines)


def test_a_degraded_device_keeps_its_values(feed: Feed) -> None:
    """Its last read failed, but what it said before is shown beside the reason."""
    feed.views["greenhouse"].state = "degraded"
    feed.views["greenhouse"].error = "bad checksum"
    lines = drawn(Table(feed), 80, 24)
    assert "degraded: bad checksum" in lines[4]
    assert "21.5 °C" in lines[5]


def test_trouble_replaces_the_lines_below_the_title(feed: Feed) -> None:
    """Without a connection that is what matters."""
    frame = Frame("t", about=("a broker",), trouble="not connected to mqtt://x: refused; trying again")
    assert drawn(Table(feed), 80, 24, frame)[1] == "not connected to mqtt://x: refused; trying again"


def test_a_gateway_that_is_offline(feed: Feed) -> None:
    """Its last will has come: the values are old."""
    feed.gateway_up = False
    assert drawn(Table(feed), 80, 24)[1] == "the gateway is offline: what follows is old"


def test_a_note_takes_the_place_of_the_foot(feed: Feed) -> None:
    """The newest warning of the log, for a while."""
    frame = Frame("t", foot="q leaves", note="rain-tank: unplugged")
    assert drawn(Table(feed), 80, 24, frame)[-1] == "! rain-tank: unplugged"


def test_devices_matter_more_than_what_is_said_about_them(feed: Feed) -> None:
    """Where lines are scarce, those below the title go first."""
    frame = Frame("t", about=("one", "two", "three"), foot="q leaves")
    text = "\n".join(drawn(Table(feed), 80, 9, frame))
    assert "greenhouse" in text
    assert "door" in text
    assert "one" in text
    assert "three" not in text


def test_colours_are_for_the_state(feed: Feed) -> None:
    """Green is online, red is away, yellow is late."""
    green, red, yellow = "\x1b[32m", "\x1b[31m", "\x1b[33m"
    feed.views["door"].state = "offline"
    feed.views["greenhouse"].seen = 1.0
    lines = drawn(Table(feed), 80, 24, colour=True)
    assert any(green in line and "greenhouse" in line and yellow in line for line in lines)
    assert any(red in line and "door" in line for line in lines)


def test_values_that_nobody_declared_are_shown(feed: Feed) -> None:
    """An event has keys of its own."""
    values: dict[str, Any] = {"open": True, "event": "arrived", "tag": "04a23b5c6d7e80"}
    feed.views["door"].values = values
    feed.views["door"].state = "online"
    text = "\n".join(drawn(Table(feed), 80, 24))
    assert "open        open" in text
    assert "tag         04a23b5c6d7e80" in text
