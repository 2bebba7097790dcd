"""A log that nobody reads: real pipes, full ones."""

from __future__ import annotations

import logging
import os
import threading
import time
from collections.abc import Iterator
from typing import TextIO

import pytest

from gateway.status.log_limit import MOST
from gateway.status.log_stream import LogStream

SMALL = 16_384
F_SETPIPE_SZ = 1031


@pytest.fixture
def pipe() -> Iterator[tuple[int, TextIO]]:
    """The reading end of a pipe that holds four pages, and the stream that writes to it."""
    fcntl = pytest.importorskip("fcntl")
    reading, writing = os.pipe()
    fcntl.fcntl(writing, F_SETPIPE_SZ, SMALL)
    with os.fdopen(writing, "w") as stream:
        yield reading, stream
    os.close(reading)


def record(text: str) -> logging.LogRecord:
    """A line of the log."""
    return logging.makeLogRecord({"msg": text, "name": "gateway", "levelno": logging.INFO})


def test_a_log_that_nobody_reads_stops_nobody(pipe: tuple[int, TextIO]) -> None:
    """Two threads log on; when somebody reads again, the log says how many lines it lacks, once."""
    reading, stream = pipe
    handler = LogStream(stream)
    handler.handle(record("first"))
    # longer than a page, as a traceback or 4000 letters of three bytes: what poll() says is good for one page
    threads = [threading.Thread(target=lambda: [handler.handle(record("温" * 6000)) for _ in range(50)]) for _ in "ab"]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(10)
    assert not any(thread.is_alive() for thread in threads)
    written = os.read(reading, 100_000).decode(errors="ignore").splitlines()
    assert written[0] == "first"
    assert written[1][:100] == "温" * 100
    handler.handle(record("again"))
    handler.handle(record("and again"))
    assert os.read(reading, 100_000).decode().splitlines() == [
        "",  # the end of the line that was cut
        "100 line(s) are missing here: nobody read the log",
        "again",
        "and again",
    ]


def test_what_was_left_out_is_told_by_and_by(pipe: tuple[int, TextIO], monkeypatch: pytest.MonkeyPatch) -> None:
    """Also when nobody has anything else to say: the main loop sweeps."""
    reading, stream = pipe
    handler = LogStream(stream)
    now = time.time()
    for number in range(MOST + 2):
        entry = record(f"line {number}")
        entry.threadName = "dev:office"
        handler.handle(entry)
    handler.sweep()
    assert os.read(reading, 100_000).decode().splitlines()[-1] == f"line {MOST - 1}"
    monkeypatch.setattr(time, "time", lambda: now + 61.0)
    handler.sweep()
    assert os.read(reading, 100_000).decode() == (
        f"office: 2 line(s) were left out of the log in a minute; the last: line {MOST + 1}\n"
    )
