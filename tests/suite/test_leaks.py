"""The watch for leaks sees what it is there for, and sees nothing where nothing is."""

from __future__ import annotations

import os
import subprocess
import threading
from pathlib import Path

from support.leaks import Belongings, leaked_since


def test_a_running_thread_is_named() -> None:
    """A daemon thread that still runs is a leak, named; once it has ended it is none."""
    before = Belongings.now()
    stop = threading.Event()
    thread = threading.Thread(target=stop.wait, name="dev:left", daemon=True)
    thread.start()
    assert leaked_since(before, grace=0.0) == ["thread 'dev:left' (daemon) is still running"]
    stop.set()
    thread.join()
    assert leaked_since(before, grace=0.0) == []


def test_an_open_file_is_named(tmp_path: Path) -> None:
    """An open descriptor is a leak, with what it refers to."""
    before = Belongings.now()
    descriptor = os.open(tmp_path / "left", os.O_CREAT)
    left = leaked_since(before, grace=0.0)
    os.close(descriptor)
    assert left == [f"file descriptor {descriptor} ({tmp_path}/left) is still open"]


def test_a_child_that_nobody_waited_for_is_named() -> None:
    """A child process is a leak while it runs, and as a zombie."""
    before = Belongings.now()
    child = subprocess.Popen(["cat"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, bufsize=0)
    assert child.stdin is not None
    assert child.stdout is not None
    child.stdin.write(b"up\n")
    assert child.stdout.read(3) == b"up\n"  # it is cat by now, and no more a copy of us
    *pipes, running = leaked_since(before, grace=0.0)
    child.stdin.close()
    child.stdout.close()
    assert leaked_since(before, grace=0.0)[0].startswith(f"child process {child.pid} ")
    child.wait()
    assert all("pipe:" in pipe for pipe in pipes)
    assert running == f"child process {child.pid} (cat) was not ended and waited for"
    assert leaked_since(before, grace=0.0) == []


def test_a_late_end_is_waited_for() -> None:
    """What ends within the grace is no leak."""
    before = Belongings.now()
    stop = threading.Event()
    thread = threading.Thread(target=stop.wait)
    thread.start()
    timer = threading.Timer(0.05, stop.set)
    timer.start()
    assert leaked_since(before, grace=5.0) == []
    timer.join()
    thread.join()
