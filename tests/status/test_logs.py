"""The log: its lines, where it goes, and what never gets into it."""

from __future__ import annotations

import json
import logging
import os
import re
import sys
import threading
import warnings
from collections.abc import Iterator
from pathlib import Path

import pytest

from gateway.status import logs

log = logging.getLogger("gateway.reading")


class Stderr:
    """What has been written to stderr so far."""

    def __init__(self, capsys: pytest.CaptureFixture[str]) -> None:
        self._capsys = capsys
        self._text = ""

    def getvalue(self) -> str:
        """All of it."""
        self._text += self._capsys.readouterr().err
        return self._text


@pytest.fixture
def stderr(capsys: pytest.CaptureFixture[str]) -> Iterator[Stderr]:
    """What is logged; afterwards logging and the hooks are as they were."""
    root = logging.getLogger()
    handlers, level = list(root.handlers), root.level
    raising, hook, unraisable = logging.raiseExceptions, threading.excepthook, sys.unraisablehook
    showing = warnings.showwarning
    yield Stderr(capsys)
    root.handlers[:] = handlers
    root.setLevel(level)
    logging.raiseExceptions, threading.excepthook, sys.unraisablehook = raising, hook, unraisable
    warnings.showwarning = showing


def fail() -> None:
    """Log an exception as code that survives one does."""
    try:
        int("two\nlines")
    except ValueError:
        log.exception("office: a mistake in the driver")


def test_text(stderr: Stderr) -> None:
    """Time in UTC, level, message."""
    logs.setup("info", "text", {})
    log.info("office: back after %s", "3 s")
    log.debug("not shown")
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z info    office: back after 3 s\n", stderr.getvalue())


def test_levels(stderr: Stderr) -> None:
    """Nothing below the level that was asked for."""
    logs.setup("error", "text", {})
    log.warning("no")
    log.error("yes")
    assert [line.split()[1] for line in stderr.getvalue().splitlines()] == ["error"]


def test_no_traceback_unless_debug(stderr: Stderr) -> None:
    """A traceback is for level debug, whoever logs it; then each of its lines is marked as part of the message."""
    logs.setup("info", "text", {})
    fail()
    assert "Traceback" not in stderr.getvalue()
    assert len(stderr.getvalue().splitlines()) == 1
    logs.setup("debug", "text", {})
    fail()
    lines = stderr.getvalue().splitlines()[1:]
    assert lines[1] == "  Traceback (most recent call last):"
    assert all(line.startswith("  ") for line in lines[1:])


def test_json(stderr: Stderr) -> None:
    """One object a line, the traceback in it at level debug only."""
    logs.setup("debug", "json", {})
    log.warning("°C \x1b[2J")
    fail()
    first, second = map(json.loads, stderr.getvalue().splitlines())
    assert first == {
        "time": first["time"],
        "level": "warning",
        "logger": "gateway.reading",
        "message": "°C \\x1b[2J",
    }
    assert second["traceback"][0] == "Traceback (most recent call last):"


def test_a_stack_that_was_asked_for(stderr: Stderr) -> None:
    """Below its line at any level, in JSON as a list; nothing in it can forge a line."""
    record = log.makeRecord(
        "gateway", logging.INFO, "", 0, "main (thread 1)", (), None, sinfo='File "a\x1b.py"\nFile "b"'
    )
    logs.setup("error", "text", {})
    log.handle(record)
    assert stderr.getvalue().splitlines()[0].endswith(" info    main (thread 1)")
    assert stderr.getvalue().splitlines()[1:] == ['  File "a\\x1b.py"', '  File "b"']
    logs.setup("error", "json", {})
    log.handle(record)
    assert json.loads(stderr.getvalue().splitlines()[-1])["stack"] == ['File "a\\x1b.py"', 'File "b"']


def test_one_line_cannot_become_two(stderr: Stderr) -> None:
    """What a device or a driver says cannot forge a line of the log."""
    logs.setup("info", "text", {})
    log.warning("%s", "office: x\n2026-01-01T00:00:00.000Z error forged")
    assert len(stderr.getvalue().splitlines()) == 1


def test_long_messages_are_kept(stderr: Stderr) -> None:
    """A line of ours may be long: a path, a hint and a reason together."""
    logs.setup("info", "text", {})
    log.warning("%s", "x" * 1000)
    assert "x" * 1000 in stderr.getvalue()


def test_journal(stderr: Stderr, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Under systemd each line, also of a traceback, begins with its priority, and has no time of its own."""
    path = tmp_path / "journal"
    with path.open("w") as stream:
        monkeypatch.setattr(sys, "stderr", stream)
        stat = os.fstat(stream.fileno())
        logs.setup("debug", "text", {"JOURNAL_STREAM": f"{stat.st_dev}:{stat.st_ino}"})
        log.info("started")
        log.warning("office: offline")
        fail()
        stream.flush()
        lines = path.read_text().splitlines()
        assert lines[:2] == ["<6>started", "<4>office: offline"]
        assert all(line.startswith("<3>") for line in lines[2:])
        assert len(lines) > 3


def test_json_in_the_journal(stderr: Stderr, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """JSON lines have their priority there, too; what follows it is the object."""
    path = tmp_path / "journal"
    with path.open("w") as stream:
        monkeypatch.setattr(sys, "stderr", stream)
        stat = os.fstat(stream.fileno())
        logs.setup("info", "json", {"JOURNAL_STREAM": f"{stat.st_dev}:{stat.st_ino}"})
        log.warning("office: lost")
        stream.flush()
    text = path.read_text()
    assert text.startswith("<4>{")
    assert json.loads(text.removeprefix("<4>"))["message"] == "office: lost"


@pytest.mark.parametrize("value", ["", "1:2", "x:y", "1", "9:9:9"])
def test_another_stream_is_not_the_journal(value: str, tmp_path: Path) -> None:
    """A service whose stderr was sent to a file has JOURNAL_STREAM, too."""
    with (tmp_path / "file").open("w") as stream:
        assert not logs.to_journal({"JOURNAL_STREAM": value}, stream.fileno())
    assert not logs.to_journal({"JOURNAL_STREAM": "1:2"}, None)
    assert not logs.to_journal({"JOURNAL_STREAM": "1:2"}, 999_999)


def test_a_second_set_up_replaces_the_first(stderr: Stderr) -> None:
    """No line comes twice."""
    logs.setup("info", "text", {})
    logs.setup("info", "json", {})
    log.info("once")
    assert len(stderr.getvalue().splitlines()) == 1


def test_a_thread_that_ends_unexpectedly_is_a_line(stderr: Stderr) -> None:
    """Not a traceback on the terminal."""
    logs.setup("info", "text", {})
    thread = threading.Thread(target=lambda: 1 / 0, name="dev:office")
    thread.start()
    thread.join()
    assert stderr.getvalue().endswith("error   thread dev:office ended: ZeroDivisionError: division by zero\n")


def test_an_error_that_cannot_be_raised_is_a_line(stderr: Stderr) -> None:
    """Such as one in a destructor."""

    class Bad:
        def __del__(self) -> None:
            raise RuntimeError("late")

    logs.setup("info", "text", {})
    Bad()
    assert stderr.getvalue().endswith("RuntimeError: late\n")
    assert len(stderr.getvalue().splitlines()) == 1


@pytest.mark.parametrize(
    ("level", "expected"), [("debug", "debug"), ("info", "warning"), ("warning", "warning"), ("error", "error")]
)
def test_at_least(level: str, expected: str) -> None:
    """A command that shows a table logs warnings, unless more silence or everything was asked for."""
    assert logs.at_least(level, "warning") == expected
    assert logs.at_least(level, logs.NOTHING) == ("debug" if level == "debug" else logs.NOTHING)


def test_nothing(stderr: Stderr) -> None:
    """A command that says itself what is wrong logs nothing, and shows no traceback of a thread either."""
    logs.setup(logs.NOTHING, "text", {})
    log.critical("no")
    thread = threading.Thread(target=lambda: 1 / 0)
    thread.start()
    thread.join()
    assert stderr.getvalue() == ""


def test_stamp() -> None:
    """RFC 3339, UTC, milliseconds."""
    assert logs.stamp(1795330800.1234) == "2026-11-22T07:00:00.123Z"


def test_a_library_on_a_devices_thread_is_told_with_both_names(stderr: Stderr) -> None:
    """Else nobody knows which of ten sensors has a bad checksum. What the gateway says names the device already."""
    logs.setup()

    def run() -> None:
        logging.getLogger("smbus2.x").warning("bad checksum")
        log.warning("office: lost")

    thread = threading.Thread(target=run, name="dev:office")
    thread.start()
    thread.join()
    assert re.findall(r"Z (.*)", stderr.getvalue()) == [
        "warning office: smbus2.x: bad checksum",
        "warning office: lost",
    ]


def test_a_warning_of_python_is_a_line(stderr: Stderr) -> None:
    """With a level, and where it comes from; Python itself writes two lines without one."""
    logs.setup()
    with warnings.catch_warnings(action="always"):
        warnings.showwarning = logs._warned
        warnings.warn("old\nthing", DeprecationWarning, stacklevel=1)
    (line,) = stderr.getvalue().splitlines()
    assert re.search(r"Z warning DeprecationWarning: old\\x0athing \(.*test_logs\.py:\d+\)$", line)
