"""gateway/reading/printed.py: what drivers print in threads of the gateway."""

from __future__ import annotations

import io
import logging
import sys
import threading
from collections.abc import Callable
from contextlib import redirect_stderr, redirect_stdout

import pytest

from gateway.reading.printed import Printed
from gateway.reading.prints import MOST_LINES

say = print
"""As a driver says it."""


@pytest.fixture
def printed(caplog: pytest.LogCaptureFixture) -> Printed:
    """In the place of stdout."""
    caplog.set_level(logging.DEBUG)
    return Printed()


def on(name: str, what: Callable[[], object]) -> None:
    """Do something on a thread of that name."""
    thread = threading.Thread(target=what, name=name)
    thread.start()
    thread.join()


def test_a_print_is_a_line_of_its_device(printed: Printed, caplog: pytest.LogCaptureFixture) -> None:
    """Escaped, with the device's name and no level of its own; also of a thread of the driver."""
    with redirect_stdout(printed):
        on("dev:office", lambda: say("a", 1, "\x1b[2J", sep="|"))
        on("dev:attic", lambda: say("whole\nhalf", end=""))
        on("Thread-7", lambda: say("<3>who?"))
    printed.end()
    assert [(record.levelname, record.message) for record in caplog.records] == [
        ("INFO", "office: its driver prints: a|1|\\x1b[2J"),
        ("INFO", "attic: its driver prints: whole"),
        ("INFO", "a thread of a driver: its driver prints: <3>who?"),
        ("INFO", "attic: its driver prints: half"),
    ]


def test_lines_of_two_devices_do_not_mix(printed: Printed, caplog: pytest.LogCaptureFixture) -> None:
    """Nor does one that prints all the time fill the log, or take another's share."""
    with redirect_stdout(printed):
        on("dev:a", lambda: [say("x", end="") or say("y") for _ in range(1000)])
        on("dev:b", lambda: say("z"))
    printed.end()
    assert [record.message for record in caplog.records] == [
        *["a: its driver prints: xy"] * MOST_LINES,
        "b: its driver prints: z",
        f"a: its driver has printed {1000 - MOST_LINES} more line(s)",
    ]


def test_stderr_stays_what_it_is_for_all_others(caplog: pytest.LogCaptureFixture) -> None:
    """A traceback that a driver prints is lines of its device; what the command says goes where it went."""
    caplog.set_level(logging.DEBUG)
    beside = io.StringIO()
    printed = Printed(beside)
    with redirect_stderr(printed):
        on("dev:office", lambda: sys.stderr.write("Traceback\n  mine\n"))
        on("MainThread", lambda: say("usage", file=sys.stderr, flush=True))
    assert [record.message for record in caplog.records] == [
        "office: its driver prints: Traceback",
        "office: its driver prints:   mine",
    ]
    assert beside.getvalue() == "usage\n"
