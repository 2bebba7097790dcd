"""gateway/reading/prints.py: what a driver's process prints, in the log."""

from __future__ import annotations

import logging

import pytest

from gateway.reading import prints
from gateway.reading.prints import LONGEST, MOST_LINES, Prints

Logged = list[tuple[int, str]]


@pytest.fixture
def office(caplog: pytest.LogCaptureFixture) -> Prints:
    """What the device ``office`` prints."""
    caplog.set_level(logging.DEBUG)
    return Prints("office")


def logged(caplog: pytest.LogCaptureFixture) -> Logged:
    """Levels and texts so far, without what all texts begin with."""
    return [(record.levelno, record.message.removeprefix("office: its driver prints: ")) for record in caplog.records]


def test_line_by_line(office: Prints, caplog: pytest.LogCaptureFixture) -> None:
    """As they are completed; at the end also the last one, which has no end. Empty lines are none."""
    office.take(b"one\ntw")
    assert logged(caplog) == [(logging.INFO, "one")]
    office.take(b"")
    office.take(b"o\n\n  \r\nthree")
    assert logged(caplog) == [(logging.INFO, "one"), (logging.INFO, "two")]
    office.end()
    assert logged(caplog)[2:] == [(logging.INFO, "three")]


def test_lines_of_its_log_keep_their_level(office: Prints, caplog: pytest.LogCaptureFixture) -> None:
    """And do not say twice which device it is. What looks like a level and is none stays in the text."""
    office.take(b"<7>a\n<6>office: b\n<4>c\n<3>d\n<2>e\n<5>f\n <4>g\n")
    levels = [logging.DEBUG, logging.INFO, logging.WARNING, logging.ERROR, logging.CRITICAL, logging.INFO, logging.INFO]
    assert logged(caplog) == list(zip(levels, ["a", "b", "c", "d", "e", "<5>f", " <4>g"], strict=True))


def test_nothing_can_be_forged(office: Prints, caplog: pytest.LogCaptureFixture) -> None:
    """Control characters are shown, bytes that are no text are marked, and the device is always named."""
    office.take(b"<4>other: lost\x1b[2J\xe2\x80\xa8\xff\n")
    assert caplog.records[0].message == "office: its driver prints: other: lost\\x1b[2J\\u2028\N{REPLACEMENT CHARACTER}"


def test_a_line_without_end_is_cut(office: Prints, caplog: pytest.LogCaptureFixture) -> None:
    """Nothing piles up."""
    office.take(b"x" * 100_000)
    ((_, text),) = logged(caplog)
    assert len(text) == LONGEST
    office.take(b"y\n")
    assert logged(caplog)[1:] == [(logging.INFO, "y")]


def test_no_more_than_a_person_would_read(
    office: Prints, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The rest is counted; a minute later lines are logged again."""
    office.take(b"same\n" * 1000)
    assert len(caplog.records) == MOST_LINES
    monkeypatch.setattr(prints, "EACH", 0.0)
    office.take(b"new\n")
    assert [record.message for record in caplog.records[MOST_LINES:]] == [
        f"office: its driver has printed {1000 - MOST_LINES} more line(s)",
        "office: its driver prints: new",
    ]
    office.end()
    assert len(caplog.records) == MOST_LINES + 2
