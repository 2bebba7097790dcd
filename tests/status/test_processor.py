"""Processor time of threads and processes."""

from __future__ import annotations

import os
import subprocess
import threading
import time

import pytest
from support import wait_until

from gateway import threads
from gateway.status import processor


def spin(seconds: float) -> None:
    """Use so much processor time."""
    until = time.thread_time() + seconds
    while time.thread_time() < until:
        pass


def test_of_a_thread() -> None:
    """What it has used and nobody else; nothing tells once it has ended."""
    spun, go_on = threading.Event(), threading.Event()

    def work() -> None:
        spin(0.1)
        spun.set()
        go_on.wait(5)

    thread = threads.start("dev:x", work)
    assert spun.wait(10)
    assert thread.native_id is not None
    assert processor.of_thread(thread.native_id) == pytest.approx(0.1, abs=0.01)
    go_on.set()
    thread.join(5)
    wait_until(lambda: processor.of_thread(thread.native_id or 0) is None)


def test_of_a_process() -> None:
    """All its threads together, of any process; ``None`` where there is none."""
    assert processor.of_process(os.getppid()) is not None
    used = processor.of_process(os.getpid())
    assert used == pytest.approx(time.process_time(), abs=0.1)
    with subprocess.Popen(["true"]) as gone:
        gone.wait()
    assert processor.of_process(gone.pid) is None
