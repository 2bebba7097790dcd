"""gateway/reading/isolated.py: in a process of its own a driver sees of the world what it always sees."""

from __future__ import annotations

import json
import logging
import os
import signal
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from support.lodging import Lodging, devices
from support.pty import PtyPair
from support.waiting import wait_until

from gateway.catalog import Catalog
from gateway.clocks import SystemClock
from gateway.config.load import loads
from gateway.reading.trouble import Reaction, Relayed, Trouble, sort_out

Lodge = Callable[..., Lodging]
Finally = Callable[[Callable[[], object]], None]


def trouble_of(call: Callable[[], object]) -> Trouble:
    """What the reader makes of a call that fails."""
    with pytest.raises(Relayed) as caught:
        call()
    return sort_out(caught.value)


# Values and errors ---------------------------------------------------------------------------------------------------


def test_readings_come_as_from_a_thread(lodge: Lodge) -> None:
    """One, several, none; values that cannot be are null with a note."""
    one = lodge(
        """
        self.n = getattr(self, "n", 0) + 1
        return [None, {"text": "ä\\n", "number": 0.1 + 0.2, "flag": True}, [{"number": 1}, {"number": 2}], [],
            {"number": float("nan")}][self.n - 1]
        """
    )
    assert one.driver is not None
    results = [one.remote.check(one.driver.read()) for _ in range(5)]
    assert [frozen.samples for frozen in results] == [
        (),
        ({"text": "ä\n", "number": 0.1 + 0.2, "flag": True},),
        ({"number": 1}, {"number": 2}),
        (),
        ({"number": None},),
    ]
    assert results[4].notes == ("number is NaN",)


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ('raise DeviceUnavailable("gone", hint="plug it in")', Trouble(Reaction.REOPEN, "gone", "plug it in")),
        ('raise BadReading("bad CRC", hint="cable?")', Trouble(Reaction.COUNT, "bad CRC", "cable?")),
        ('raise Misconfigured("no channel 9")', Trouble(Reaction.STOP, "no channel 9")),
        (
            'raise OSError(2, "No such file or directory", "/x")',
            Trouble(Reaction.REOPEN, "/x: No such file or directory"),
        ),
        (
            "1 / 0",
            Trouble(
                Reaction.BUG,
                "driver bug at tiny.py:17: ZeroDivisionError: division by zero",
                "the log has the traceback at level debug",
            ),
        ),
        ("return {'number': object()}", None),
        ("return {b'x'}", None),
        ("return {'number': 10**400}", {"number": None}),
        ("raise SystemExit(3)", Reaction.BUG),
        ("raise KeyboardInterrupt", Reaction.BUG),
        ("raise GeneratorExit", Reaction.BUG),
        ("return (1 / 0 for _ in 'x')", None),
        ("def f(): f()\nf()", Reaction.BUG),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_errors_come_as_from_a_thread(lodge: Lodge, body: str, expected: object) -> None:
    """The three errors with their hints, bugs with their place; and the process goes on."""
    one = lodge(body)
    for _ in range(2):
        if isinstance(expected, dict):
            assert one.read() == expected
            continue
        try:
            one.read()
        except BaseException as error:  # noqa: BLE001 (what it is, is checked)
            trouble = sort_out(error)
        if expected is None:
            assert (trouble.reaction, trouble.hint) == (Reaction.COUNT, "this is a bug in the driver")
        else:
            assert expected in (trouble, trouble.reaction)
    assert not one.child.has_ended


def test_a_bug_brings_its_traceback(lodge: Lodge) -> None:
    """For the log at level debug."""
    with pytest.raises(Relayed) as caught:
        lodge("1 / 0").read()
    (note,) = caught.value.__notes__
    assert "tiny.py" in note
    assert note.rstrip().endswith("ZeroDivisionError: division by zero")


def test_open_and_close_are_called(lodge: Lodge, tmp_path: Path) -> None:
    """Again and again on the same object; another object when the reader wants one."""
    seen = tmp_path / "seen"
    one = lodge(
        "return {'number': id(self)}",
        open=f"Path({str(seen)!r}).open('a').write('open ')",
        close=f"Path({str(seen)!r}).open('a').write('close ')",
    )
    first = one.read()
    assert one.driver is not None
    one.driver.release()
    one.driver.open()
    assert one.read() == first
    one.driver.release()
    one.open()
    assert one.read() != first
    assert seen.read_text() == "open close open close open "


def test_what_fails_while_it_is_opened(lodge: Lodge) -> None:
    """Making, opening and closing answer like reading."""
    one = lodge("return None", open="raise DeviceUnavailable('no')", close="raise ValueError('never')", opened=False)
    driver = one.remote.new_driver()
    assert trouble_of(driver.open) == Trouble(Reaction.REOPEN, "no")
    assert "ValueError: never" in trouble_of(driver.release).text


def test_driver_that_cannot_be_made_any_more(lodge: Lodge, tmp_path: Path) -> None:
    """Its file was changed or taken away since the gateway has read it."""
    one = lodge("return None", opened=False)
    (tmp_path / "tiny.py").write_text("import nonsense\n")
    assert trouble_of(one.remote.new_driver).text == (
        "driver bug at tiny.py:1: ModuleNotFoundError: No module named 'nonsense'"
    )
    (tmp_path / "tiny.py").unlink()
    assert "No such file" in trouble_of(one.remote.new_driver).text


def test_reset_is_called(lodge: Lodge, tmp_path: Path) -> None:
    """As it is in a thread."""
    one = lodge(
        "return None", reset=f"Path({str(tmp_path / 'reset')!r}).touch(); raise OSError('no pin')", opened=False
    )
    assert trouble_of(one.remote.new_driver().reset) == Trouble(Reaction.REOPEN, "no pin")
    assert (tmp_path / "reset").exists()


def test_close_is_called_when_the_gateway_lets_go(lodge: Lodge, tmp_path: Path) -> None:
    """Also when nobody has asked for it."""
    one = lodge("return {}", close=f"Path({str(tmp_path / 'closed')!r}).touch()")
    one.leave()
    assert (tmp_path / "closed").exists()


# What it is given ----------------------------------------------------------------------------------------------------

OPTIONS = '''"""Shows its options."""

import dataclasses, json

from gateway.driver import *


@options
class Range:
    low: float = option(help="the lowest")
    high: float = option(10.0, help="the highest")


@options
class Options:
    word: str = option(help="a word")
    wait: Duration = option("2s", help="how long")
    size: Size = option(1000, help="how much")
    end: str = option("now", key="for", help="till when")
    pins: tuple[int, ...] = option((), help="which")
    ranges: dict[str, Range] = option(default_factory=dict, help="ranges")
    steps: tuple[Range, ...] = option((), help="steps")
    value: float | bool | str = option(0.0, help="anything")
    nothing: int | None = option(None, help="nothing")


class Shown(Driver[Options]):
    options_type = Options

    @classmethod
    def channels_for(cls, options):
        return (Channel(options.word, type=str),)

    def read(self):
        return {self.options.word: repr(self.options)}
'''


def test_options_are_the_same(tmp_path: Path, finally_do: Finally) -> None:
    """Of every type, nested, with defaults, from ``[devices]`` as written; channels follow from them."""
    (tmp_path / "shown.py").write_text(OPTIONS)
    (settings,) = devices(
        tmp_path,
        """
        [devices.office]
        driver = "shown"
        word = "wörd_x"
        wait = "1m30s"
        size = "64KiB"
        for = "ever\\n\\"'"
        pins = [4, 17]
        ranges = { a = { low = -1.5 }, b = { low = 0, high = 1e300 } }
        steps = [{ low = 1 }]
        value = true
        """.replace("wörd", "word"),
    )
    one = Lodging(settings)
    finally_do(one.leave)
    one.open()
    assert one.read() == {"word_x": repr(settings.options)}


def test_bundled_and_package_drivers(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, finally_do: Finally) -> None:
    """As well as those of a folder; one of a package finds the rest of its package."""
    package = tmp_path / "acme_sensors"
    package.mkdir()
    (package / "__init__.py").write_text("")
    (package / "values.py").write_text("VALUE = 7\n")
    (package / "thing.py").write_text(
        '"""A thing."""\nfrom gateway.driver import Channel, Driver\nfrom .values import VALUE\n'
        'class Thing(Driver):\n    channels = (Channel("number"),)\n'
        '    def read(self):\n        return {"number": VALUE}\n'
    )
    info = tmp_path / "acme_sensors-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: acme-sensors\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text("[sensorpost.drivers]\nacme = acme_sensors.thing:Thing\n")
    monkeypatch.syspath_prepend(tmp_path)
    text = '[devices.a]\ndriver = "acme"\n[devices.b]\ndriver = "mock"\n[devices.c]\ndriver = "system"\n'
    results = []
    for settings in loads(text, catalog=Catalog(), strict=True).devices:
        one = Lodging(settings)
        finally_do(one.leave)
        one.open()
        results.append(one.read())
    assert results[0] == {"number": 7}
    assert set(results[1]) == {"temperature", "humidity"}
    assert results[2]["uptime"]
    for name in [name for name in sys.modules if name.startswith("acme_sensors")]:
        del sys.modules[name]


def test_time_and_name(lodge: Lodge) -> None:
    """``elapsed`` counts from the device's first start in this run, not from that of the process."""
    one = lodge("return {'text': self.device, 'number': self.elapsed()}", opened=False)
    one.memory.started_ns = SystemClock().boot_ns() - 3600 * 10**9
    one.open()
    reading = one.read()
    assert reading["text"] == "office"
    assert isinstance(reading["number"], float)
    assert 3600 < reading["number"] < 3660


def test_waiting_ends_when_the_device_is_to_stop(lodge: Lodge) -> None:
    """``self.wait`` and only that; a plain sleep goes on."""
    one = lodge("self.wait(30); return {'number': 1}")
    reading = one.reading()
    one.remote.wake()
    one.stop.set()
    time.sleep(0.1)
    assert not reading.returned
    one.remote.wake()
    assert reading.wait() < 1.0
    assert reading.result["samples"] == [{"number": 1}]


def test_serial_port_is_woken(lodge: Lodge, pty_pair: PtyPair) -> None:
    """A read that waits for a silent port ends at once, as it does in a thread; bytes come through."""
    one = lodge(
        "return {'text': self.port.read(4).decode()}",
        open=f"self.port = self.serial({pty_pair.path!r}, timeout=30)",
    )
    pty_pair.feed(b"1234")
    assert one.read() == {"text": "1234"}
    reading = one.reading()
    time.sleep(0.1)
    assert not reading.returned
    one.remote.wake()
    assert reading.wait() < 1.0
    assert reading.result["samples"] == [{"text": ""}]


def hardware_of_this_test(device: str) -> object:
    """What a simulation would give to a driver."""

    class Made:
        def sysfs(self) -> object:
            return self

        def read(self, path: str) -> str:
            return f"{device} reads {path}"

    return Made()


def test_other_hardware_than_the_machines(lodge: Lodge, monkeypatch: pytest.MonkeyPatch) -> None:
    """By the name of the function that makes it."""
    monkeypatch.syspath_prepend(Path(__file__).parent)
    one = lodge("return {'text': self.sysfs().read('/x')}", hardware=f"{Path(__file__).stem}:hardware_of_this_test")
    assert one.read() == {"text": "office reads /x"}


# The process ---------------------------------------------------------------------------------------------------------


def test_what_it_prints_goes_to_the_log(lodge: Lodge, caplog: pytest.LogCaptureFixture) -> None:
    """From Python and from below, from programs that it starts, from its log; it never disturbs the readings."""
    caplog.set_level(logging.INFO)
    one = lodge(
        """
        print("one")
        print("two", file=sys.stderr)
        os.write(1, b"three\\n{}\\n")
        subprocess.run(["echo", "four"])
        import logging
        logging.getLogger("x").warning("five")
        logging.getLogger("x").debug("never")
        sys.stdout.write("no end")
        return {"number": 1}
        """
    )
    assert one.read() == {"number": 1}
    one.leave()
    lines = [(record.levelname, record.message) for record in caplog.records]
    says = "office: its driver prints: "
    assert lines == [
        *(("INFO", f"{says}{word}") for word in ("one", "two", "three", "{}", "four")),
        ("WARNING", f"{says}x: five"),
        ("INFO", f"{says}no end"),
    ]


def test_its_thread_ends_with_one_line(lodge: Lodge, caplog: pytest.LogCaptureFixture) -> None:
    """A thread that a driver should not have started, and what becomes of it: no traceback for people."""
    one = lodge("t = threading.Thread(target=lambda: 1 / 0, name='mine'); t.start(); t.join(); return {}")
    assert one.driver is not None
    one.driver.read()
    one.leave()
    (record,) = caplog.records
    assert record.message == "office: its driver prints: thread mine ended: ZeroDivisionError: division by zero"


def test_standard_input_is_empty(lodge: Lodge) -> None:
    """And nothing of ours is open for the driver's programs."""
    one = lodge(
        """
        mine = subprocess.run(["ls", "-l", "/proc/self/fd"], capture_output=True, text=True).stdout
        return {"text": repr(sys.stdin.read()), "number": mine.count("socket:") + mine.count("pipe:")}
        """
    )
    assert one.read() == {"text": "''", "number": 2}  # those of capture_output


def test_environment_and_signals(lodge: Lodge, monkeypatch: pytest.MonkeyPatch) -> None:
    """The driver runs in a thread as ever, its programs see the gateway's environment and have their usual signals."""
    monkeypatch.setenv("PYTHONPATH", "/gateways/own")
    one = lodge(
        """
        try:
            signal.signal(signal.SIGUSR1, signal.SIG_DFL)
        except ValueError:
            kind = "thread"
        status = subprocess.run(["grep", "SigIgn", "/proc/self/status"], capture_output=True, text=True).stdout
        ignored = int(status.split()[1], 16)
        wanted = [s.name for s in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP) if ignored >> (s - 1) & 1]
        return {"text": f"{kind} {os.environ['PYTHONPATH']} {wanted} {threading.current_thread().name}"}
        """
    )
    assert one.read() == {"text": "thread /gateways/own [] dev:office"}


def test_signals_to_all_processes_of_a_service_do_not_end_it(lodge: Lodge) -> None:
    """When to end is the gateway's affair."""
    one = lodge("return {'number': 1}")
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        os.kill(one.child.pid, number)
    assert one.read() == {"number": 1}


def test_it_is_ended_first_when_memory_runs_out(lodge: Lodge) -> None:
    """And can be told from the others in a list of processes."""
    one = lodge("return {'number': 1}")
    assert Path(f"/proc/{one.child.pid}/oom_score_adj").read_text().strip() == "500"
    command = Path(f"/proc/{one.child.pid}/cmdline").read_bytes().split(b"\0")
    assert command[-5:-3] == [b"-m", b"gateway.reading.isolated"]
    assert command[-2] == b"office"


def test_it_loads_only_what_a_driver_needs(lodge: Lodge) -> None:
    """No MQTT, no database, no command line, no delivery."""
    one = lodge("return {'text': ' '.join(sorted(sys.modules))[:4000]}")
    one.leave()
    one = lodge(
        """
        rooms = ("paho", "sqlite3", "click", "rich", "ssl", "serial", "drivers", "asyncio", "importlib.metadata")
        inside = [name for name in sys.modules if name.startswith(("gateway.delivery", "gateway.cli", "gateway.app"))]
        return {"text": " ".join([name for name in rooms if name in sys.modules] + inside)}
        """
    )
    assert one.read() == {"text": ""}


def test_not_a_word_on_the_command_line(lodge: Lodge) -> None:
    """Options may be secret: everybody can see the command line."""
    one = lodge("return {'number': 1}")
    assert b"number" not in Path(f"/proc/{one.child.pid}/cmdline").read_bytes()
    assert b"tiny" not in Path(f"/proc/{one.child.pid}/cmdline").read_bytes()
    wait_until(lambda: json.dumps(one.read()) == '{"number": 1}')
