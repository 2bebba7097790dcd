"""gateway/reading/wire.py: what goes in comes out, and nothing else does."""

from __future__ import annotations

from typing import Any

import pytest
from support.readers import DOOR, LABEL, TEMPERATURE

from gateway.driver import BadReading, Kind
from gateway.reading.freeze import Frozen, freeze
from gateway.reading.trouble import Reaction, Trouble, sort_out
from gateway.reading.wire import Garbled, decode, encode, from_frozen, from_trouble, to_frozen, to_trouble
from gateway.status.text import LIMIT

CHANNELS = {channel.name: channel for channel in (TEMPERATURE, DOOR, LABEL)}


def over(message: dict[str, Any]) -> dict[str, Any]:
    """Through the wire."""
    line = encode(message)
    assert line.endswith(b"\n")
    assert line.count(b"\n") == 1
    return decode(line)


def test_values_arrive_as_they_were() -> None:
    """Floats to the last bit, whole numbers of 64 bits, texts with line ends in them, null; and the notes."""
    sample = {"temperature": 0.1 + 0.2, "door": True, "label": "a\nb \u2028 ä \U0001f600"}
    frozen = freeze(
        [sample, {"temperature": 2**63 - 1, "label": ""}, {"temperature": float("nan")}], CHANNELS, Kind.SAMPLED
    )
    arrived = to_frozen(over(from_frozen(frozen)), CHANNELS, Kind.SAMPLED)
    assert arrived == frozen
    assert [type(value) for value in arrived.samples[1].values()] == [int, str]
    assert arrived.notes == ("temperature is NaN",)


def test_notes_are_made_harmless_on_arrival() -> None:
    """They go to the log and to the status; what is no text among them is left out."""
    arrived = to_frozen({"notes": ["bad\nline", "\x1b[2J", 7, "x" * 1000]}, CHANNELS, Kind.SAMPLED)
    assert arrived.notes == ("bad\\x0aline", "\\x1b[2J", "x" * (LIMIT - 1) + "…")


def test_nothing_arrives_as_nothing() -> None:
    """Also an answer without samples."""
    assert to_frozen(over(from_frozen(Frozen(()))), CHANNELS, Kind.SAMPLED) == Frozen(())
    assert to_frozen({}, CHANNELS, Kind.SAMPLED) == Frozen(())


@pytest.mark.parametrize("samples", [[{"no": 1}], "text", [[]], [{"door": "x"}], {"temperature": []}])
def test_values_are_checked_on_arrival(samples: object) -> None:
    """A process that has lost its memory is a driver with a bug."""
    with pytest.raises(BadReading):
        to_frozen({"samples": samples}, CHANNELS, Kind.SAMPLED)


@pytest.mark.parametrize("reaction", Reaction)
def test_trouble_keeps_its_meaning(reaction: Reaction) -> None:
    """Text and hint, made harmless once more; the traceback is a note of the exception."""
    relayed = to_trouble(over(from_trouble(Trouble(reaction, "bad\nline", "see\x1b there"), "Traceback: ...")))
    assert relayed is not None
    assert sort_out(relayed) == Trouble(reaction, "bad\\x0aline", "see\\x1b there")
    assert relayed.__notes__ == ["Traceback: ..."]


def test_no_trouble() -> None:
    """A plain answer."""
    assert to_trouble({}) is None
    assert to_trouble({"samples": []}) is None


@pytest.mark.parametrize("line", [b"", b"\xff\n", b"{", b"[]", b"7", b"[" * 100_000, b'{"a": 1} x'])
def test_lines_that_are_no_message(line: bytes) -> None:
    """Whatever it is."""
    with pytest.raises(Garbled):
        decode(line)


@pytest.mark.parametrize("trouble", [None, "x", [], ["BUG", "a"], ["NO", "a", "b"], ["BUG", 1, "b"], ["BUG", "a", "b"]])
def test_trouble_that_is_none(trouble: object) -> None:
    """Or has no traceback, not even an empty one."""
    with pytest.raises(Garbled):
        to_trouble({"trouble": trouble})
