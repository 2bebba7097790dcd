"""Ctrl-C, SIGTERM and SIGHUP: one event, and a second Ctrl-C that always ends it."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading

import pytest
from support import wait_until

from gateway.cli.signals import stop_on_signals


@pytest.mark.parametrize(("number", "code"), [(signal.SIGTERM, 0), (signal.SIGHUP, 0), (signal.SIGINT, 130)], ids=str)
def test_a_signal_sets_the_event(number: signal.Signals, code: int) -> None:
    """Each signal asks for a clean stop; only Ctrl-C makes the exit code 130, and a failure stays a failure."""
    before = signal.getsignal(number)
    with stop_on_signals() as stop:
        os.kill(os.getpid(), number)
        assert stop.event.wait(30)
        assert stop.exit_code(0) == code
        assert stop.exit_code(1) == 1
    assert signal.getsignal(number) is before


def test_sigusr1_shows_every_stack_and_stops_nothing(caplog: pytest.LogCaptureFixture) -> None:
    """By the watcher, whose own stack is among them; with what is known of the thread."""
    with stop_on_signals() as stop:
        stop.about = lambda thread: "the one that asks" if thread is threading.main_thread() else ""
        os.kill(os.getpid(), signal.SIGUSR1)
        wait_until(lambda: any(record.message.startswith("signals (thread ") for record in caplog.records))
        assert not stop.event.is_set()
        assert stop.exit_code(0) == 0
    assert caplog.records[1].message == f"main (thread {threading.main_thread().native_id}): the one that asks"
    assert signal.getsignal(signal.SIGUSR1) is signal.SIG_DFL


def test_a_storm_of_sigusr1_hides_no_other_signal(caplog: pytest.LogCaptureFixture) -> None:
    """The stop comes through."""
    with stop_on_signals() as stop:
        for _ in range(1000):
            os.kill(os.getpid(), signal.SIGUSR1)
        os.kill(os.getpid(), signal.SIGTERM)
        assert stop.event.wait(30)
    assert sum(record.message.startswith("stacks of ") for record in caplog.records) == 1


def test_without_signal_nothing_happens() -> None:
    """The block ends, the thread too, and the exit code is the command's own."""
    with stop_on_signals() as stop:
        assert not stop.event.is_set()
    assert stop.exit_code(0) == 0
    assert not any(thread.name == "signals" for thread in threading.enumerate())


def test_sigusr1_while_the_main_thread_hangs(environ: dict[str, str]) -> None:
    """The log shows where."""
    code = (
        "import sys, threading; from gateway.cli.signals import stop_on_signals; from gateway.status import logs\n"
        "def forgotten(lock):\n"
        "    lock.acquire(); print('ready', flush=True); lock.acquire()\n"
        "with stop_on_signals() as stop:\n"
        "    logs.setup('error'); forgotten(threading.Lock())\n"
    )
    command = [sys.executable, "-c", code]
    pipe = subprocess.PIPE
    with subprocess.Popen(command, env=environ, stdout=pipe, stderr=pipe, text=True) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        assert process.stdout.readline() == "ready\n"
        process.send_signal(signal.SIGUSR1)
        lines = [process.stderr.readline() for _ in range(4)]
        assert f" main (thread {process.pid})" in lines[1]
        assert lines[2:] == [
            f'  File "<string>", line {line}, in {name}\n' for line, name in ((5, "<module>"), (3, "forgotten"))
        ]
        process.kill()


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
        assert process.wait(30) == 130
