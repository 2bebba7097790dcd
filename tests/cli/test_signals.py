"""Ctrl-C, SIGTERM and SIGHUP: one event, and a second Ctrl-C that always ends it."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading

import pytest

from gateway.cli.signals import stop_on_signals


@pytest.mark.parametrize(("number", "code"), [(signal.SIGTERM, 0), (signal.SIGHUP, 0), (signal.SIGINT, 130)], ids=str)
def test_a_signal_sets_the_event(number: signal.Signals, code: int) -> None:
    """Each signal asks for a clean stop; only Ctrl-C makes the exit code 130, and a failure stays a failure."""
    before = signal.getsignal(number)
    with stop_on_signals() as stop:
        os.kill(os.getpid(), number)
        assert stop.event.wait(5)
        assert stop.exit_code(0) == code
        assert stop.exit_code(1) == 1
    assert signal.getsignal(number) is before


def test_without_signal_nothing_happens() -> None:
    """The block ends, the thread too, and the exit code is the command's own."""
    with stop_on_signals() as stop:
        assert not stop.event.is_set()
    assert stop.exit_code(0) == 0
    assert not any(thread.name == "signals" for thread in threading.enumerate())


def test_a_second_ctrl_c_ends_at_once(environ: dict[str, str]) -> None:
    """Even while the main thread is deaf."""
    code = (
        "import os, signal, threading; from gateway.cli.signals import stop_on_signals\n"
        "with stop_on_signals() as stop:\n"
        "    print('ready', flush=True); stop.event.wait(); print('first', flush=True)\n"
        "    threading.Lock().acquire(); lock = threading.Lock(); lock.acquire(); lock.acquire()\n"
    )
    with subprocess.Popen([sys.executable, "-c", code], env=environ, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
        process.send_signal(signal.SIGINT)
        assert process.stdout.readline() == "first\n"
        process.send_signal(signal.SIGINT)
        assert process.wait(5) == 130
