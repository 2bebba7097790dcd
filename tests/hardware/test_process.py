"""gateway/hardware/process.py: programs that run for a device, and end with it."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import threading
import tracemalloc
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from support.leaks import descriptors
from support.waiting import wait_until

from gateway.driver import BadReading, DeviceUnavailable
from gateway.hardware import process
from gateway.hardware.process import LONGEST_SAID, RealChildProcess
from gateway.hardware.real import RealHardware

Start = Callable[..., RealChildProcess]


@pytest.fixture
def start() -> Iterator[Start]:
    """Starts a program in Python, by its text; all are closed at the end."""
    started: list[RealChildProcess] = []

    def one(text: str, **settings: object) -> RealChildProcess:
        started.append(RealHardware("radio").process([sys.executable, "-Suc", text], **settings))  # type: ignore[arg-type]
        return started[-1]

    yield one
    for it in started:
        it.close()


def lines(it: RealChildProcess, count: int) -> list[bytes | None]:
    """So many lines, waited for."""
    return [it.read_line(20) for _ in range(count)]


def is_there(pid: int) -> bool:
    """Whether a process runs. One that has ended and that nobody has seen off yet does not."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] not in "ZX"
    except OSError:
        return False


def test_reads_lines(start: Start) -> None:
    """Without their ends; the last one also where it has none."""
    it = start("import sys; sys.stdout.write('one\\ntwo\\r\\n\\nlast')")
    assert lines(it, 4) == [b"one", b"two", b"", b"last"]
    with pytest.raises(DeviceUnavailable, match=r"has ended with exit code 0$"):
        it.read_line(20)


def test_waits_no_longer_than_told(start: Start) -> None:
    """Also while it prints no whole line, or talks to the wrong side."""
    it = start("import sys, time\nwhile True: sys.stderr.write('noise\\n'); sys.stdout.write('x')")
    assert it.read_line(0.05) is None
    assert it.returncode is None
    with pytest.raises(ValueError, match="finite"):
        it.read_line(float("inf"))


def test_its_last_words(start: Start) -> None:
    """The exit code and the last line of its errors, now and later."""
    it = start("import sys; print('x'); sys.stderr.write('first\\nno receiver found\\n\\n'); sys.exit(3)")
    assert it.read_line(20) == b"x"
    for _ in range(2):
        with pytest.raises(DeviceUnavailable, match=r"has ended with exit code 3: no receiver found$"):
            it.read_line(20)
    assert it.returncode == 3


def test_ended_by_a_signal(start: Start) -> None:
    """By name."""
    it = start("import os; os.kill(os.getpid(), 11)")
    with pytest.raises(DeviceUnavailable, match="was ended by SIGSEGV"):
        it.read_line(20)
    assert it.returncode == -11


def test_closes_its_output_and_lives(start: Start) -> None:
    """Nothing will ever come of it."""
    it = start("import os, time; os.close(1); time.sleep(60)")
    with pytest.raises(DeviceUnavailable, match="has closed its output"):
        it.read_line(20)


def test_ends_while_another_has_its_output(start: Start) -> None:
    """What it has started keeps the pipe open: that it is gone is seen all the same, and that one is ended as well."""
    it = start("import subprocess, sys; print(subprocess.Popen(['sleep', '60']).pid)")
    pid = int(it.read_line(20) or b"0")
    wait_until(lambda: it.returncode == 0)
    with pytest.raises(DeviceUnavailable, match="has ended"):
        it.read_line(0.01)
    it.close()
    wait_until(lambda: not is_there(pid))


def test_lines_that_are_too_long(start: Start) -> None:
    """They are lost, said once, and cost no memory; what follows is read."""
    it = start("import sys; sys.stdout.write('x' * 1_000_000 + '\\nshort\\n' + 'y' * 11 + '\\nend')", line_limit=10)
    for expected in ("long", b"short", "long", b"end"):
        if expected == "long":
            with pytest.raises(BadReading, match="a line of more than 10 bytes"):
                it.read_line(20)
        else:
            assert it.read_line(20) == expected
    assert len(it._printed) == 0


@pytest.mark.parametrize("where", ["stdout", "stderr"])
def test_output_without_end_costs_no_memory(start: Start, where: str) -> None:
    """However much of one line has come, and whatever is said on the wrong side."""
    it = start(
        f"import sys; sys.{where}.write('x' * 8_000_000); sys.{where}.flush(); print(); print('short')", line_limit=10
    )
    tracemalloc.start()
    try:
        if where == "stdout":
            with pytest.raises(BadReading, match="a line of more than 10 bytes"):
                it.read_line(20)
        else:
            assert it.read_line(20) == b""
        assert it.read_line(20) == b"short"
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < 1_000_000


def test_long_last_words_are_cut(start: Start) -> None:
    """They stand in the log and in the status."""
    it = start("import sys; sys.stderr.write('x' * 3000); sys.exit(3)")
    with pytest.raises(DeviceUnavailable, match=f"exit code 3: {'x' * LONGEST_SAID}$"):
        it.read_line(20)


def test_writes(start: Start) -> None:
    """To its standard input, also more than a pipe holds."""
    it = start("import sys; print(len(sys.stdin.buffer.read(200_000)))", env={"A": "1"})
    it.write(b"x" * 200_000)
    assert it.read_line(20) == b"200000"


def test_takes_no_data(start: Start, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody waits for ever, and what is over takes nothing."""
    monkeypatch.setattr(process, "WRITE", 0.05)
    it = start("import time; print('there'); time.sleep(60)")
    assert it.read_line(20) == b"there"
    with pytest.raises(DeviceUnavailable, match="takes no data"):
        it.write(b"x" * 1_000_000)
    over = start("")
    wait_until(lambda: over.returncode == 0)
    with pytest.raises(DeviceUnavailable, match="has ended with exit code 0"):
        over.write(b"x")


def test_the_environment_is_added_to(start: Start) -> None:
    """What the gateway has, and what the driver wants."""
    it = start("import os; print(os.environ['A'], os.environ['PATH'])", env={"A": "1"})
    assert it.read_line(20) == f"1 {os.environ['PATH']}".encode()


def test_there_is_no_shell(tmp_path: Path) -> None:
    """Words are words."""
    it = RealHardware("radio").process(["echo", f"; touch {tmp_path}/x", "$HOME", "*"])
    assert it.read_line(20) == f"; touch {tmp_path}/x $HOME *".encode()
    it.close()
    assert not (tmp_path / "x").exists()
    with pytest.raises(TypeError, match="list of words"):
        RealHardware("radio").process("echo hello")


def test_no_such_program() -> None:
    """Whoever installs it needs no restart."""
    with pytest.raises(DeviceUnavailable, match="there is no program rtl_433_x") as caught:
        RealHardware("radio").process(["rtl_433_x"])
    assert "install it" in caught.value.hint


def test_cannot_be_started(monkeypatch: pytest.MonkeyPatch) -> None:
    """The machine has no room."""

    def fail(*_: object, **__: object) -> None:
        raise BlockingIOError(11, "Resource temporarily unavailable")

    monkeypatch.setattr(subprocess, "Popen", fail)
    with pytest.raises(DeviceUnavailable, match="cannot be started"):
        RealHardware("radio").process(["true"])


def test_a_wait_can_be_ended(start: Start) -> None:
    """By another thread, at once."""
    it = start("import time; time.sleep(60)")
    got: list[bytes | None] = [b"?"]
    thread = threading.Thread(target=lambda: got.append(it.read_line(30)))
    thread.start()
    wait_until(lambda: (it.cancel_wait(), thread.join(0.01), not thread.is_alive())[2])
    assert got[-1] is None
    assert not it.waiting


@pytest.mark.parametrize(
    "text", ["import time; print(1); time.sleep(60)", "", "import sys; sys.stdout.write('x' * 10**6)"]
)
def test_nothing_is_left(start: Start, text: str) -> None:
    """No process, no zombie, no descriptor, whatever it did; and closing twice is fine."""
    before = descriptors()
    it = start(text)
    it.close()
    it.close()
    assert descriptors() == before
    assert not Path(f"/proc/{it._process.pid}").exists()
    with pytest.raises(DeviceUnavailable, match="closed"):
        it.read_line(1)


def test_deaf_to_sigterm(start: Start, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is killed after a moment, with what it has started."""
    monkeypatch.setattr(process, "GRACE", 0.1)
    it = start(
        "import signal, subprocess, time\nsignal.signal(15, signal.SIG_IGN)\n"
        "print(subprocess.Popen(['sleep', '60']).pid)\ntime.sleep(60)"
    )
    pid = int(it.read_line(20) or b"0")
    it.close()
    assert it.returncode == -signal.SIGKILL
    wait_until(lambda: not is_there(pid))


def test_taken_from_a_thread(start: Start) -> None:
    """The program ends at once; the descriptors are closed by their owner."""
    it = start("import time; time.sleep(60)")
    it.take_away()
    assert it.returncode == -signal.SIGKILL
    with pytest.raises(DeviceUnavailable, match="closed"):
        it.read_line(1)
    it.close()


def test_dies_with_a_gateway_that_is_killed() -> None:
    """A kill -9 leaves no program behind."""
    gateway = subprocess.Popen(
        [
            sys.executable,
            "-c",
            (
                "import time; from gateway.hardware.process import start\n"
                "it = start(['sleep', '60'], None, 100); print(it._process.pid, flush=True); time.sleep(60)"
            ),
        ],
        stdout=subprocess.PIPE,
    )
    assert gateway.stdout is not None
    pid = int(gateway.stdout.readline())
    assert is_there(pid)
    gateway.kill()
    gateway.wait()
    gateway.stdout.close()
    wait_until(lambda: not is_there(pid))


def test_does_not_begin_for_a_gateway_that_is_gone(tmp_path: Path) -> None:
    """Killed before the tie held: what would be left behind is not started; words come through as they are."""
    touch = shutil.which("touch")
    assert touch is not None
    for parent, begins in ((os.getpid(), True), (os.getpid() + 1, False)):
        file = tmp_path / f"$(begun) by {parent}"
        done = subprocess.run([*process.TIE, str(parent), touch, str(file)], capture_output=True, check=False)
        assert (done.stderr, file.exists()) == (b"" if begins else b"the gateway is gone\n", begins)
