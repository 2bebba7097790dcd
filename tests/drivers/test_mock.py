"""drivers/mock.py: every shape and every fault."""

from __future__ import annotations

import itertools
import math
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from drivers import mock
from gateway.driver import BadReading, DeviceUnavailable, Kind, Misconfigured
from gateway.testing import DriverHarness


def harness(*faults: dict[str, Any], **options: Any) -> DriverHarness:
    """A mock that is not open yet."""
    return DriverHarness(mock.Mock, faults=list(faults), **options)


def values(count: int, every: float = 1.0, seed: int = 1, **signal: Any) -> list[Any]:
    """The first values of one signal, ``every`` seconds apart."""
    got = []
    with harness(signals={"x": signal}, seed=seed) as it:
        for _ in range(count):
            result = it.read()
            assert isinstance(result, dict)
            got.append(result["x"])
            it.wait(every)
    return got


def test_works_without_any_option() -> None:
    """``driver = "mock"`` is enough, for every kind."""
    for kind in Kind:
        with harness(kind=str(kind)) as it:
            assert it.kind is kind
            result = it.read()
            assert isinstance(result, dict)
            assert set(result) == {channel.name for channel in it.channels}


@pytest.mark.parametrize(
    ("signal", "expected"),
    [
        ({"shape": "constant", "value": 7}, [7, 7, 7, 7]),
        ({"shape": "constant", "value": "on"}, ["on"] * 4),
        ({"shape": "constant", "value": True}, [True] * 4),
        ({"shape": "sine", "min": 10, "max": 20, "period": "4s"}, [15, 20, 15, 10]),
        ({"shape": "ramp", "min": 0, "max": 4, "period": "4s"}, [0, 1, 2, 3]),
        ({"shape": "square", "period": "2s"}, [True, False, True, False]),
        ({"shape": "square", "period": "2s", "min": 3, "max": 5}, [3, 5, 3, 5]),
        ({"shape": "counter"}, [0, 1, 2, 3]),
        ({"shape": "counter", "value": 10, "step": 0.5}, [10, 10.5, 11, 11.5]),
    ],
    ids=lambda value: value.get("shape") if isinstance(value, dict) else "",
)
def test_shapes(signal: dict[str, Any], expected: list[Any]) -> None:
    """The values of each shape at 0, 1, 2 and 3 s."""
    assert values(4, **signal) == pytest.approx(expected)


def test_walk_stays_within_its_limits_and_steps() -> None:
    """It moves, never by more than ``step``, never outside."""
    walk = values(300, shape="walk", min=0, max=5, step=2)
    assert all(0 <= value <= 5 for value in walk)
    assert all(abs(b - a) <= 2 for a, b in itertools.pairwise(walk))
    assert {0, 5} <= set(walk)


def test_choice_chooses() -> None:
    """All values come, nothing else does."""
    assert set(values(50, shape="choice", values=["a", "b", "c"])) == {"a", "b", "c"}


@pytest.mark.parametrize("shape", ["walk", "choice"])
def test_the_seed_decides(shape: str) -> None:
    """The same seed gives the same values whenever they are read, another seed others."""
    signal: dict[str, Any] = {"shape": shape, "values": [1, 2, 3], "min": 0, "max": 9}
    assert values(20, **signal) == values(20, every=0.1, **signal)
    assert values(20, **signal) != values(20, seed=2, **signal)


def test_a_constant_can_be_written() -> None:
    """Numbers within their limits, texts among their values; a new driver begins with what is configured."""
    on = {"shape": "constant", "writable": True}
    signals = {
        "level": {**on, "value": 20, "min": 5, "max": 30},
        "relay": {**on, "value": False},
        "mode": {**on, "value": "eco", "values": ["boost"]},
    }
    with harness(signals=signals) as it:
        assert [(one.min, one.max, one.choices) for one in it.channels] == [
            (5, 30, ()),
            (None, None, ()),
            (None, None, ("eco", "boost")),
        ]
        for name, value in (("level", 7.5), ("relay", True), ("mode", "boost")):
            it.write(name, value)
        assert it.read() == {"level": 7.5, "relay": True, "mode": "boost"}
        it.reopen()
        assert it.read() == {"level": 7.5, "relay": True, "mode": "boost"}
    with harness(signals=signals) as it:
        assert it.read() == {"level": 20, "relay": False, "mode": "eco"}


def test_csv_goes_round_and_round(tmp_path: Path) -> None:
    """The column with the signal's name; an empty cell is null; after the last row comes the first."""
    file = tmp_path / "tape.csv"
    file.write_text("time,x\n0,1.5\n1,\n2,3\n")
    assert values(4, shape="csv", file=str(file)) == [1.5, None, 3.0, 1.5]
    file.write_text("\ufeffanything\n4\n")
    assert values(2, shape="csv", file=str(file)) == [4.0, 4.0]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (None, "No such file"),
        ("", "no column 'x'"),
        ("a,b\n1,2\n", r"no column 'x', but \['a', 'b'\]"),
        ("x\nabc\n", "could not convert"),
    ],
)
def test_a_csv_that_does_not_serve(tmp_path: Path, text: str | None, message: str) -> None:
    """It is a mistake of the configuration, with the file's name."""
    file = tmp_path / "tape.csv"
    if text is not None:
        file.write_text(text)
    with pytest.raises(Misconfigured, match=message) as error:
        values(1, shape="csv", file=str(file))
    assert "signals.x.file" in str(error.value)


@pytest.mark.parametrize(
    ("signal", "message"),
    [
        ({"shape": "choice"}, "needs values"),
        ({"shape": "choice", "values": [1, "a"]}, "all numbers"),
        ({"shape": "csv"}, "needs file"),
        ({"shape": "counter", "value": "a"}, "begins at a number"),
        ({"min": 5, "max": 1}, "min is 5, above max, 1"),
        ({"writable": True}, "only a constant is writable"),
        ({"unit": "°C", "device_class": "humidity"}, "humidity"),
    ],
)
def test_signals_that_make_no_sense(signal: dict[str, Any], message: str) -> None:
    """They are refused while the configuration is checked."""
    with pytest.raises(Misconfigured, match=message):
        harness(signals={"x": signal})


@pytest.mark.parametrize(
    ("fault", "message"),
    [
        ({"kind": "nan", "in": "open"}, "in read only"),
        ({"kind": "raise", "error": "Nonsense"}, "Nonsense"),
        ({"kind": "raise", "error": "print"}, "print"),
        ({"kind": "raise", "error": "UnicodeDecodeError"}, "UnicodeDecodeError"),
    ],
)
def test_faults_that_make_no_sense(fault: dict[str, Any], message: str) -> None:
    """The same."""
    with pytest.raises(Misconfigured, match=message):
        harness(fault)


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("unavailable", DeviceUnavailable),
        ("bad_reading", BadReading),
        ("misconfigured", Misconfigured),
        *((kind.__name__, kind) for kind in (
            Exception, BaseException, OSError, SystemExit, KeyboardInterrupt, MemoryError, RecursionError,
            GeneratorExit, StopIteration,
        )),
    ],
)  # fmt: skip
@pytest.mark.parametrize("where", ["open", "read", "close"])
def test_raises_anything_anywhere(name: str, kind: type[BaseException], where: str) -> None:
    """Every exception, in the call that was asked for."""
    it = harness({"kind": "raise", "error": name, "in": where})
    call = {"open": it.driver.open, "read": it.driver.read, "close": it.driver.close}[where]
    with pytest.raises(kind) as caught:
        call()
    assert type(caught.value) is kind


def test_a_fault_has_its_time() -> None:
    """It begins at ``at`` and is over after ``for``."""
    happened = []
    with harness({"kind": "raise", "at": "2s", "for": "2s"}) as it:
        for _ in range(6):
            try:
                it.read()
                happened.append(False)
            except DeviceUnavailable:
                happened.append(True)
            it.wait(1)
    assert happened == [False, False, True, True, False, False]


def test_unplugged_is_unplugged() -> None:
    """While it lasts, neither reading nor opening works; then it can be opened again."""
    it = harness({"kind": "unplug", "at": "1s", "for": "5s"})
    it.open()
    it.wait(2)
    for call in (it.read, it.reopen, it.open):
        with pytest.raises(DeviceUnavailable, match="unplugged"):
            call()
    it.wait(5)
    it.reopen()
    assert it.read()


def test_values_that_are_no_values() -> None:
    """nan, huge and none are what they say; booleans stay."""
    signals = {"x": {}, "word": {"shape": "constant", "value": "a"}, "on": {"shape": "square"}}
    nan: Any = harness({"kind": "nan"}, signals=signals).driver.read()
    assert math.isnan(nan["x"])
    assert (nan["word"], nan["on"]) == ("a", True)
    huge: Any = harness({"kind": "huge"}, signals=signals).driver.read()
    assert huge["x"] == 10**400
    assert (len(huge["word"]), huge["on"]) == (1_000_000, True)
    assert harness({"kind": "none"}).driver.read() is None


def test_bad_types_are_many() -> None:
    """Another one each time, and the kit refuses every one of them; then they begin again."""
    it = harness({"kind": "bad_type"})
    kinds = []
    for _ in range(28):
        try:
            it.read()
            kinds.append("accepted")
        except AssertionError as error:
            kinds.append(str(error)[:40])
    assert "accepted" not in kinds
    assert kinds[:14] == kinds[14:]


def test_a_flood_has_its_rate() -> None:
    """As many readings as the rate and the time since the last call say."""
    with harness({"kind": "flood", "rate": 10_000}) as it:
        first = it.read()
        it.wait(0.5)
        second = it.read()
        it.wait(1000)
        third = it.read()
    assert [len(result or ()) for result in (first, second, third)] == [1000, 5000, 100_000]


@pytest.mark.parametrize(
    "fault",
    [{"kind": "hang", "for": "50ms"}, {"kind": "slow", "delay": "50ms"}, {"kind": "busy", "delay": "50ms"}],
    ids=lambda fault: fault["kind"],
)
def test_blocks_for_its_time(fault: dict[str, Any]) -> None:
    """hang, slow and busy really take the time; a reading comes afterwards."""
    with harness(fault) as it:
        start = time.monotonic()
        assert it.read()
        assert 0.045 < time.monotonic() - start < 1


@pytest.mark.parametrize(("kind", "code"), [("exit", 1), ("segfault", -11)])
def test_ends_the_process(kind: str, code: int) -> None:
    """In a process of its own, of course."""
    script = (
        "import resource; resource.setrlimit(resource.RLIMIT_CORE, (0, 0));"
        "from drivers.mock import Mock; from gateway.testing import DriverHarness;"
        f"DriverHarness(Mock, faults=[{{'kind': '{kind}'}}]).driver.read()"
    )
    root = Path(mock.__file__).parent.parent
    done = subprocess.run([sys.executable, "-c", script], cwd=root, check=False, capture_output=True)
    assert done.returncode == code
