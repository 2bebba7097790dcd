"""gateway/testing/checks.py and harness.py: what a driver does wrong is found, and said in words."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from gateway.driver import Channel, DeviceUnavailable, Kind
from gateway.testing import DriverHarness, FakeHardware, FakeSerial, check_driver, check_result, load_driver

GOOD = '''"""A thermometer on a serial port: its temperature.

Sample:

    [devices.cellar]
    driver = "thermometer"
    port = "/dev/x"
"""

from gateway.driver import BadReading, Channel, Driver, Misconfigured, option, options


@options
class Options:
    port: str = option(help="the port")


class Thermometer(Driver[Options]):
    options_type = Options
    channels = (Channel("temperature", "°C", "temperature"),)

    def open(self):
        self.port = self.serial(self.options.port)

    def read(self):
        line = self.port.read_until()
        if not line:
            raise BadReading("silence")
        return {"temperature": float(line)}
'''


REFUSE = "@classmethod\n    def channels_for(cls, options):\n        raise Misconfigured('no')\n\n"
INIT = "def __init__(self, *given):\n        super().__init__(*given)\n"


def load(tmp_path: Path, *changes: tuple[str, str], name: str = "thermometer") -> Any:
    """The good driver with something changed in its file."""
    text = GOOD
    for old, new in changes:
        assert old in text
        text = text.replace(old, new)
    file = tmp_path / f"{name}.py"
    file.write_text(text, encoding="utf-8")
    return load_driver(file)


def test_a_good_driver(tmp_path: Path) -> None:
    """Nothing to complain of, with the sample's options or others, without hardware or on some."""
    driver = load(tmp_path)
    check_driver(driver)
    port = FakeSerial()
    port.feed(b"21.5\n22.5\n")
    check_driver(driver, {"port": "/dev/y"}, hardware=FakeHardware(ports={"/dev/y": port}))


@pytest.mark.parametrize(
    ("old", "new", "complaint"),
    [
        ("its temperature.", "its temperature", "first line names the device"),
        ("from gateway.driver", "import gateway.clocks\nfrom gateway.driver", "imports gateway.clocks"),
        ("from gateway.driver", "import serial\nfrom gateway.driver", r"imports serial: use self.serial\(...\)"),
        ("from gateway.driver", "import drivers.mock\nfrom gateway.driver", "imports drivers.mock"),
        ('help="the port"', 'help=""', "option 'port' has no help"),
        ('option(help="the port")', "0", "option 'port' has no help"),
        ("self.port = self.serial(self.options.port)", "raise KeyError('x')", r"KeyError\('x'\) is none of"),
        ("def open(self):", "def reset(self):\n        raise KeyError\n\n    def open(self):", r"KeyError\(\) is none"),
        ("def open(self):", "def close(self):\n        self.port.close()\n\n    def open(self):", "release"),
        ("def open(self):", f"{INIT}        self.sysfs()\n\n    def open(self):", "__init__ touches hardware"),
        ("def open(self):", f"{INIT}        1 / 0\n\n    def open(self):", "__init__ raises Zero"),
        ('port = "/dev/x"', "prot = 1", r"the key .port. is missing|unknown"),
        ('port = "/dev/x"', "port = ", "the sample is not TOML"),
        ("[devices.cellar]", "[gateway]", "no .devices.NAME."),
        ("from gateway.driver", "if 0:\n    from . import x\nfrom gateway.driver", "with a dot"),
        ("def read(self):", f"{REFUSE}    def read(self):", "refused: no"),
        ('(Channel("temperature", "°C", "temperature"),)', "()", "at least one channel"),
    ],
)  # fmt: skip
def test_finds_what_is_wrong(tmp_path: Path, old: str, new: str, complaint: str) -> None:
    """Each rule, broken once."""
    driver = load(tmp_path, (old, new))
    with pytest.raises(AssertionError, match=complaint):
        check_driver(driver)


def test_finds_everything_at_once(tmp_path: Path) -> None:
    """Two mistakes are two lines."""
    driver = load(tmp_path, ("its temperature.", "x"), ('help="the port"', 'help=""'))
    with pytest.raises(AssertionError) as error:
        check_driver(driver)
    assert len(str(error.value).splitlines()) == 3


def test_a_channel_that_nobody_can_set(tmp_path: Path) -> None:
    """It is declared writable, and there is no write; the harness refuses to set one that is not declared so."""
    relay = 'Channel("relay", type=bool, writable=True), Channel("temperature"'
    driver = load(tmp_path, ('Channel("temperature"', relay))
    with pytest.raises(AssertionError, match="relay: declared writable, but there is no write method"):
        check_driver(driver)
    with pytest.raises(AssertionError, match="temperature is not writable"):
        DriverHarness(driver, port="/dev/x").write("temperature", 1)


def test_a_wrong_result_on_the_given_hardware(tmp_path: Path) -> None:
    """The channels that come are the channels that were declared."""
    driver = load(tmp_path, ('{"temperature": f', '{"heat": f'))
    port = FakeSerial()
    port.feed(b"21.5\n")
    with pytest.raises(AssertionError, match="on the given hardware: read returned 'heat'"):
        check_driver(driver, hardware=FakeHardware(ports={"/dev/x": port}))


@pytest.mark.parametrize("text", ["x = 1", "import nothing_of_that_name", "def"])
def test_a_file_without_a_driver(tmp_path: Path, text: str) -> None:
    """It is said why; so it is for a file that is not there."""
    (tmp_path / "broken.py").write_text(text)
    with pytest.raises(AssertionError, match="broken"):
        load_driver(tmp_path / "broken.py")
    with pytest.raises(AssertionError, match="there is no driver"):
        load_driver(tmp_path / "missing.py")


def test_the_harness_refuses_options_as_the_configuration_does() -> None:
    """All mistakes at once, with the path of each."""
    mock = load_driver(Path(__file__).resolve().parents[2] / "drivers" / "mock.py")
    with pytest.raises(ValueError, match="seed") as error:
        DriverHarness(mock, seed="1", faults=[{"kind": "hagn"}])
    assert "faults[0].kind" in str(error.value)


def test_the_harness_releases_after_a_failed_open(tmp_path: Path) -> None:
    """As the runtime does; and reopening closes first."""
    driver = load(tmp_path)
    port = FakeSerial()
    it = DriverHarness(driver, hardware=FakeHardware(ports={"/dev/x": port}), port="/dev/x")
    port.unplug()
    with pytest.raises(DeviceUnavailable):
        it.open()
    port.plug_in()
    it.open()
    it.reopen()
    assert port.is_open
    it.close()
    assert not port.is_open


def test_the_harness_resets_with_nothing_left_open(tmp_path: Path) -> None:
    """As the runtime does before it opens; a driver without a reset does nothing."""
    reset = "def reset(self):\n        self.serial(self.options.port).write(b'reset')\n\n    def open(self):"
    port = FakeSerial()
    for driver in (load(tmp_path), load(tmp_path, ("def open(self):", reset))):
        it = DriverHarness(driver, hardware=FakeHardware(ports={"/dev/x": port}), port="/dev/x")
        it.reset()
        assert not port.is_open
    assert port.sent == b"reset"


CHANNELS = (Channel("x"), Channel("on", type=bool), Channel("word", type=str))


@pytest.mark.parametrize(
    "result",
    [None, {}, [], {"x": 1}, {"x": 1.5, "on": True, "word": "a"}, {"x": None, "on": None}, [{"x": 1}, {"x": 2}], ({},)],
)
def test_results_that_are_fine(result: object) -> None:
    """One, several, none; null anywhere."""
    check_result(result, CHANNELS)


@pytest.mark.parametrize(
    "result",
    [
        "text", b"x", 5, object(), {1, 2}, iter([]), [None], [[]], {"y": 1}, {1: 1}, {"event": "x"}, {"x": True},
        {"x": "1"}, {"x": float("nan")}, {"x": float("inf")}, {"x": 10**400}, {"x": b"1"}, {"on": 1}, {"word": 1},
        {"word": b"a"},
    ],
    ids=lambda result: repr(result).partition(" at 0x")[0],  # the same in every process
)  # fmt: skip
def test_results_that_are_not(result: object) -> None:
    """Anything else is refused."""
    with pytest.raises(AssertionError):
        check_result(result, CHANNELS)


def test_events_have_their_own_keys() -> None:
    """``event``, ``tag`` and ``dwell_s`` are allowed beside the channels of an event device."""
    check_result({"event": "left", "tag": "0a", "dwell_s": 1.5}, CHANNELS, Kind.EVENT)
