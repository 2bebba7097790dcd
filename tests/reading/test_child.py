"""gateway/reading/child.py, remote.py and children.py: a process that is started, asked, woken, killed and seen off."""

from __future__ import annotations

import logging
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from support.leaks import Belongings
from support.lodging import Lodging, alive, devices, tiny
from support.waiting import wait_until

from gateway.reading import wire
from gateway.reading.child import GRACE
from gateway.reading.children import Children
from gateway.reading.trouble import Reaction, Relayed, Trouble, sort_out

Lodge = Callable[..., Lodging]
ONE = "return {'number': 1}"
HANG = "time.sleep(1000)"
NATIVE = "ctypes.PyDLL(None).poll(None, 0, 1_000_000)"
"""Native code that keeps the interpreter's lock: no other thread of the process can do anything."""
DEAF = f"signal.pthread_sigmask(signal.SIG_BLOCK, range(1, 65)); {NATIVE}"
HELPER = "self.helper = subprocess.Popen(['sleep', '1000']); return {'number': self.helper.pid}"
LEAVES_A_THREAD = "threading.Thread(target=time.sleep, args=(1000,)).start(); return {'number': 1}"
CRASHED = "the driver or a library of it has crashed"


@pytest.mark.parametrize(
    ("body", "text", "hint"),
    [
        ("ctypes.string_at(0)", "its process was ended by SIGSEGV", CRASHED),
        ("os.abort()", "its process was ended by SIGABRT", CRASHED),
        ("os._exit(3)", "its process has ended with exit code 3", "the driver or a library ended it"),
        (
            "os.kill(os.getpid(), signal.SIGKILL)",
            "its process was ended by SIGKILL",
            "killed from outside, or because the memory ran out (dmesg says so)",
        ),
        ("os.closerange(3, 100); time.sleep(1000)", "its process has closed the connection", ""),
    ],
    ids=["segfault", "abort", "exit", "kill", "close"],
)
def test_process_that_ends_in_a_call(lodge: Lodge, body: str, text: str, hint: str) -> None:
    """The call fails with the reason; so does every one that follows. The reader is to be replaced."""
    one = lodge(f"import resource; resource.setrlimit(resource.RLIMIT_CORE, (0, 0)); {body}")
    for call in (one.read, one.open):
        with pytest.raises(Relayed) as caught:
            call()
        assert sort_out(caught.value) == Trouble(Reaction.REPLACE, text, hint)
    assert one.driver is not None
    with pytest.raises(Relayed):
        one.driver.release()


@pytest.mark.parametrize("data", [b"nonsense\n", b"[1]\n", b'{"trouble": 7}\n', b"{" + b" " * 2000 + b"}\n"])
def test_process_that_has_lost_its_mind(lodge: Lodge, monkeypatch: pytest.MonkeyPatch, data: bytes) -> None:
    """What is no answer ends it, however long it is."""
    monkeypatch.setattr("gateway.reading.child.LONGEST", 1000)
    sockets = "[fd for fd in range(3, 50) if os.path.exists(f'/proc/self/fd/{fd}') and "
    sockets += "os.readlink(f'/proc/self/fd/{fd}').startswith('socket')]"
    one = lodge(f"os.write({sockets}[0], {data!r}); {HANG}")
    with pytest.raises(Relayed) as caught:
        one.read()
    assert sort_out(caught.value) == Trouble(Reaction.REPLACE, "its process does not say what it should")


def test_nothing_is_imported_from_the_folder_it_is_started_in(
    lodge: Lodge, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Anybody may have put something there that is called as a module of Python is."""
    trap = tmp_path / "trap"
    trap.mkdir()
    for name in ("json", "socket", "logging", "faulthandler"):
        (trap / f"{name}.py").write_text("raise SystemExit('it was run')")
    monkeypatch.chdir(trap)
    assert lodge(ONE).read() == {"number": 1}


@pytest.mark.parametrize("body", [HANG, "while True: pass", NATIVE, DEAF], ids=["sleep", "busy", "native", "deaf"])
def test_kill_ends_any_call(lodge: Lodge, body: str, tmp_path: Path) -> None:
    """At once, for the thread that waits too, whatever the driver does."""
    begun = tmp_path / "begun"
    one = lodge(f"Path({str(begun)!r}).touch()\n{body}")
    reading = one.reading()
    wait_until(begun.exists)
    one.remote.wake()
    assert not reading.returned
    one.child.kill()
    assert reading.wait() < 1.0
    assert isinstance(reading.error, Relayed)
    assert one.seen_off() < 1.0


def test_kill_reaches_the_programs_that_the_driver_has_started(lodge: Lodge) -> None:
    """They are in the same group; and so does letting go, for those that the driver has forgotten."""
    for end in ("kill", "let_go"):
        one = lodge(HELPER)
        helper = one.read()["number"]
        assert isinstance(helper, int)
        assert alive(helper)
        getattr(one.child, end)()
        one.seen_off()
        wait_until(lambda helper=helper: not alive(helper))  # type: ignore[misc]  # mypy cannot tell the default's type


@pytest.mark.slow
def test_process_that_does_not_end_by_itself_is_killed(lodge: Lodge, tmp_path: Path) -> None:
    """After a grace; one that can, ends sooner."""
    assert lodge(ONE).leave() is None
    for body in (HANG, DEAF):
        begun = tmp_path / f"begun-{len(body)}"
        one = lodge(f"Path({str(begun)!r}).touch(); {body}")
        reading = one.reading()
        wait_until(begun.exists)
        began = time.monotonic()
        one.leave()
        assert 0.5 < time.monotonic() - began < GRACE + 1.0
        reading.wait()
    one = lodge(LEAVES_A_THREAD)
    one.read()
    one.leave()


@pytest.mark.parametrize("body", [HANG, NATIVE], ids=["sleep", "native"])
def test_sigusr1_shows_where_the_driver_is(
    lodge: Lodge, body: str, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """In our log, also while it keeps the interpreter to itself; it goes on undisturbed."""
    caplog.set_level(logging.INFO)
    begun = tmp_path / "begun"
    one = lodge(f"Path({str(begun)!r}).touch(); {body}")
    one.reading()
    wait_until(begun.exists)
    os.kill(one.child.pid, signal.SIGUSR1)
    wait_until(lambda: one.child.tick() and "tiny.py" in caplog.text and " in read" in caplog.text)
    assert not one.child.has_ended
    one.child.kill()
    one.seen_off()


def test_nothing_stays_open(lodge: Lodge) -> None:
    """Descriptors and threads are as before, however it ended."""
    before = Belongings.now()
    for end in ("leave", "kill", "dies"):
        one = lodge(ONE)
        one.read()
        if end == "kill":
            one.child.kill()
        elif end == "dies":
            os.kill(one.child.pid, signal.SIGKILL)
            wait_until(lambda one=one: one.child.has_ended)  # type: ignore[misc]  # mypy cannot tell the default's type
        one.leave()
        assert not one.child.tick()
        one.child.kill()
        one.child.let_go()
    assert Belongings.now().left_since(before) == []


def test_no_process_can_be_started(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing stays open then either."""
    before = Belongings.now()
    monkeypatch.setattr(sys, "executable", "/no/python")
    with pytest.raises(OSError, match="No such file"):
        Children("real").start("office")
    assert Belongings.now().left_since(before) == []


def test_prints_of_a_process_that_crashes(lodge: Lodge, caplog: pytest.LogCaptureFixture) -> None:
    """Its last words are not lost; a flood neither blocks it nor fills the log."""
    caplog.set_level("INFO")
    one = lodge("sys.stdout.write('x' * 50 + '\\n'); sys.stdout.write('y\\n' * 10_000); os._exit(1)")
    reading = one.reading()
    wait_until(lambda: not one.child.tick() or reading.returned)
    one.leave()
    assert caplog.records[0].message.endswith("x" * 50)
    assert caplog.records[-1].message == "office: its driver has printed 9981 more line(s)"


@pytest.mark.slow
def test_children_are_counted_and_all_end_at_a_stop(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """In one go: those that can by themselves, the others killed."""
    children = Children("real")
    started = [children.start(name) for name in ("a", "a", "b")]
    assert [children.of(name) for name in "abc"] == [2, 1, 0]
    started[2].let_go()
    wait_until(lambda: (children.tick(), children.of("b") == 0)[1])
    assert children.of("a") == 2
    os.kill(started[0].pid, signal.SIGSTOP)
    began = time.monotonic()
    children.stop()
    assert time.monotonic() - began < 2.5
    assert children.of("a") == 0
    assert not any(alive(child.pid) for child in started)
    assert caplog.records == []


PARENT = """
import sys, time
from pathlib import Path
from support.lodging import Lodging, devices
one = Lodging(devices(Path(sys.argv[1]), '[devices.office]\\ndriver = "tiny"')[0])
one.open()
if sys.argv[2] == "hang":
    one.reading()
    time.sleep(0.2)
print(one.child.pid, flush=True)
time.sleep(1000)
"""


@pytest.mark.parametrize(
    ("body", "state"),
    [(ONE, "idle"), (HANG, "hang"), (NATIVE, "hang"), (DEAF, "hang")],
    ids=["idle", "sleep", "native", "deaf"],
)
def test_it_dies_with_a_gateway_that_is_killed(tmp_path: Path, body: str, state: str) -> None:
    """With SIGKILL, whatever the driver does at that moment."""
    parent = subprocess.Popen(
        [sys.executable, "-c", PARENT, str(tiny(tmp_path, body)), state],
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
        stdout=subprocess.PIPE,
        text=True,
    )
    assert parent.stdout is not None
    pid = int(parent.stdout.readline())
    assert alive(pid)
    parent.kill()
    parent.communicate()
    wait_until(lambda: not alive(pid), 2.0)


def test_it_lives_as_long_as_the_main_thread(tmp_path: Path) -> None:
    """Other threads come and go; one call at a time comes from any of them."""
    (settings,) = devices(tiny(tmp_path, ONE), '[devices.office]\ndriver = "tiny"')
    one = Lodging(settings)
    results = []

    def use() -> None:
        one.open()
        results.append(one.read())

    for _ in range(3):
        thread = threading.Thread(target=use)
        thread.start()
        thread.join()
    assert results == [{"number": 1}] * 3
    one.leave()


def test_a_large_answer(lodge: Lodge) -> None:
    """More than a socket holds, in one piece."""
    one = lodge("return [{'text': 'ä' * 2000, 'number': n} for n in range(1000)]")
    assert one.driver is not None
    samples = one.remote.check(one.driver.read()).samples
    assert [sample["number"] for sample in samples] == list(range(1000))
    assert len(wire.encode(wire.from_frozen(one.remote.check(one.driver.read())))) > 10_000_000
