"""drivers/serial_line.py: lines as devices send them, over real ptys and over fake ports."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support import PtyPair

from drivers.serial_line import HELPING, Field, Options, SerialLine, convert, parse, shown
from gateway.driver import BadReading, DeviceUnavailable, DriverError, Misconfigured
from gateway.hardware.real import RealHardware
from gateway.testing import DriverHarness, FakeHardware, FakeSerial

TWO = [{"name": "temperature", "unit": "°C", "device_class": "temperature"}, {"name": "humidity", "unit": "%"}]


class Bench:
    """A driver on a fake port, past its first line."""

    def __init__(self, **options: Any) -> None:
        self.port = FakeSerial()
        hardware = FakeHardware(ports={"/dev/x": self.port})
        self.it = DriverHarness(
            SerialLine, hardware=hardware, **({"port": "/dev/x", "fields": TWO, "skip_first": False} | options)
        )
        self.it.open()

    def say(self, data: bytes) -> Any:
        """The device sends something; what ``read`` makes of it: readings, None, or the error's text."""
        self.port.feed(data)
        try:
            return self.it.read()
        except BadReading as error:
            return str(error)


def one(line: bytes, **options: Any) -> Any:
    """What becomes of one line: the reading, or the error's text."""
    result = Bench(**options).say(line + b"\n")
    return result[0] if isinstance(result, list) else result


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        (b"21.5,40", {"temperature": 21.5, "humidity": 40}),
        (b" 21.5 , 40 \r", {"temperature": 21.5, "humidity": 40}),
        (b"-.5,+1e1", {"temperature": -0.5, "humidity": 10.0}),
        (b"nan,40", {"temperature": None, "humidity": 40}),
        (b",40", {"temperature": None, "humidity": 40}),
        (b"1e999,ovf", {"temperature": None, "humidity": None}),
        (b"21.5", "no csv line with 2 fields: b'21.5'"),
        (b"21.5,4021.6,41", "no csv line with 2 fields: b'21.5,4021.6,41'"),
        (b"21.5,abc", "humidity is no number in b'21.5,abc'"),
        (b"2_1,1", "temperature is no number in b'2_1,1'"),
        (b"21.5,\xff", r"not utf-8: b'21.5,\xff'"),
        (b"", None),
        (b"  \r", None),
    ],
)  # fmt: skip
def test_csv(line: bytes, expected: Any) -> None:
    """Columns in the order of the fields; anything else is a bad reading that shows the bytes."""
    assert one(line) == expected


def test_csv_with_another_delimiter_and_a_column_to_skip() -> None:
    """A space is any white space; a field without a name is a column that nobody wants."""
    fields = [{"name": "a"}, {"name": ""}, {"name": "b"}]
    assert one(b"1   x\t3", fields=fields, delimiter=" ") == {"a": 1, "b": 3}
    assert one(b"1;x;3", fields=fields, delimiter=";") == {"a": 1, "b": 3}


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        (b'{"temperature": 21.5, "humidity": 40, "more": [1]}', {"temperature": 21.5, "humidity": 40}),
        (b'{"temperature": "21.5"}', {"temperature": 21.5, "humidity": None}),
        (b'{"temperature": NaN, "humidity": null}', {"temperature": None, "humidity": None}),
        (b'{"temperature": true}', "temperature is no number in b'{\"temperature\": true}'"),
        (b'{"temperature": [1]}', "temperature is no number in b'{\"temperature\": [1]}'"),
        (b'{"other": 1}', "no json line with 2 fields: b'{\"other\": 1}'"),
        (b"[1, 2]", "no json line with 2 fields: b'[1, 2]'"),
        (b'{"temperature": 2', "no json line with 2 fields: b'{\"temperature\": 2'"),
        (b"[" * 4000, f"no json line with 2 fields: {b'[' * 60!r}... (4000 bytes)"),
    ],
)  # fmt: skip
def test_json(line: bytes, expected: Any) -> None:
    """A flat object; what is missing is null."""
    assert one(line, format="json") == expected


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        (b"t=21.5 h=40", {"temperature": 21.5, "humidity": 40}),
        (b"t: 21.5, h: 40;", {"temperature": 21.5, "humidity": 40}),
        (b"h=40", {"temperature": None, "humidity": 40}),
        (b"t=21.5 h=4t=22 h=40", "no"),
        (b"booting", "no"),
    ],
)  # fmt: skip
def test_keyvalue(line: bytes, expected: Any) -> None:
    """Pairs in any order; ``source`` is the key where the channel has another name."""
    fields = [{"name": "temperature", "source": "t"}, {"name": "humidity", "source": "h"}]
    result = one(line, format="keyvalue", fields=fields)
    if expected == "no":
        assert isinstance(result, str)
    else:
        assert result == expected


def test_regex() -> None:
    """Named groups; a group that took no part is null; a line that does not match is bad."""
    options: dict[str, Any] = {
        "format": "regex",
        "pattern": r"T=(?P<temperature>\S+)C(?: H=(?P<humidity>\d+))?",
        "fields": TWO,
    }
    assert one(b"# T=21.5C H=40%", **options) == {"temperature": 21.5, "humidity": 40}
    assert one(b"T=21.5C", **options) == {"temperature": 21.5, "humidity": None}
    assert one(b"hello", **options) == "no regex line with 2 fields: b'hello'"


@pytest.mark.parametrize(
    ("kind", "raw", "expected"),
    [
        ("text", "open", "open"), ("text", "", ""), ("text", 5, "5"), ("text", [1], ValueError),
        ("boolean", "ON", True), ("boolean", 0, False), ("boolean", True, True), ("boolean", "", None),
        ("boolean", "maybe", ValueError), ("number", "123456789012345", 123456789012345),
        ("number", "1234567890123456789", 1234567890123456789.0), ("number", "\u0663", ValueError),
    ],
)  # fmt: skip
def test_types(kind: Any, raw: Any, expected: Any) -> None:
    """Numbers, texts and booleans from what lines hold."""
    field = Field(name="x", type=kind)
    if expected is ValueError:
        with pytest.raises(ValueError, match=f"x is no {kind}"):
            convert(raw, field)
    else:
        assert convert(raw, field) == expected


def test_lines_to_ignore() -> None:
    """Comments are no readings and no errors."""
    bench = Bench(ignore="^#")
    assert bench.say(b"# sensor ready\n") is None
    assert bench.say(b"1,2\n# comment\n3,4\n") == [
        {"temperature": 1, "humidity": 2},
        {"temperature": 3, "humidity": 4},
    ]


def test_other_encodings_and_terminators() -> None:
    """The end of a line may be any text and may come in halves."""
    bench = Bench(encoding="latin-1", terminator="\r\r", fields=[{"name": "word", "type": "text"}])
    assert bench.say(b"gr\xfcn\r") is None
    assert bench.say(b"\r") == [{"word": "grün"}]


def test_the_first_line_is_dropped() -> None:
    """It may have begun before the port was open; after that every line counts."""
    bench = Bench(skip_first=True)
    assert bench.say(b"1.5,40\n") is None
    assert bench.say(b"21.5,40\n") == [{"temperature": 21.5, "humidity": 40}]


def test_good_lines_first_then_the_bad_ones() -> None:
    """No good line is lost to a bad one beside it; the bad ones are one error with their number."""
    bench = Bench()
    assert bench.say(b"1,1\nbad\n2,2\nworse\n") == [
        {"temperature": 1, "humidity": 1},
        {"temperature": 2, "humidity": 2},
    ]
    assert bench.say(b"3,3\n") == "no csv line with 2 fields: b'worse' (the last of 2 bad lines)"
    assert bench.say(b"") == [{"temperature": 3, "humidity": 3}]


def test_an_endless_line_is_one_error() -> None:
    """10 MB without an end: bounded memory, one error, and the line after it is found."""
    bench = Bench(max_line=100)
    bench.port.feed(b"x" * 10_000_000 + b"\n5,6\n")
    results: list[Any] = []
    while not results or not isinstance(results[-1], list):
        results.append(bench.say(b""))
        assert len(bench.it.driver._buffer) <= 100
    errors = [result for result in results if isinstance(result, str)]
    assert errors == [f"no end of line in 200 bytes: {b'x' * 60!r}... (200 bytes)"]
    assert results[-1] == [{"temperature": 5, "humidity": 6}]


def test_one_read_takes_no_more_than_a_helping() -> None:
    """A device that sends faster than anybody reads: the driver comes back, however long that line is."""
    bench = Bench(max_line=100)
    bench.say(b"x" * 1000)
    bench.port.feed(b"x" * 10 * HELPING)
    bench.say(b"")
    assert bench.port.in_waiting > 8 * HELPING


def test_a_line_that_is_a_little_too_long() -> None:
    """A whole line above the limit is refused as well."""
    bench = Bench(max_line=10)
    assert bench.say(b"1.00000000,2\n7,8\n") == [{"temperature": 7, "humidity": 8}]
    assert bench.say(b"") == "no csv line with 2 fields: b'1.00000000,2'"


def test_a_line_that_takes_too_long() -> None:
    """Half a line, a long pause, the next line: the two are never glued together."""
    bench = Bench()
    assert bench.say(b"21.5,4") is None
    bench.it.wait(60)
    assert bench.say(b"21.6,40\n") == "no end of line after 5 s: b'21.5,4'"
    assert bench.say(b"21.7,41\n") == [{"temperature": 21.7, "humidity": 41}]


def test_a_drip_feed_is_an_error_now_and_then() -> None:
    """A byte a second without an end of line is reported every 5 s, not swallowed for ever."""
    bench = Bench(skip_first=True)
    results = []
    for _ in range(30):
        results.append(bench.say(b"."))
        bench.it.wait(0.2)
    assert [result is None for result in results].count(False) in (4, 5)


def test_silence() -> None:
    """A device that says nothing for ``silence`` is unavailable; without the option it may be silent."""
    patient, strict = Bench(), Bench(silence="10s")
    for _ in range(8):
        assert patient.say(b"") is None
        assert strict.say(b"") is None
    patient.it.wait(60)
    assert patient.say(b"") is None
    strict.it.wait(3)
    with pytest.raises(DeviceUnavailable, match=r"nothing came for 1\d s"):
        strict.say(b"")


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"encoding": "klingon"}, "klingon"),
        ({"encoding": "ascii", "terminator": "§"}, "encoding"),
        ({"terminator": ""}, "at least one character"),
        ({"delimiter": ""}, "at least one character"),
        ({"ignore": "("}, "ignore is no regular expression"),
        ({"format": "regex", "pattern": "(?P<temperature>.)"}, r"no group \(\?P<humidity>"),
        ({"format": "json", "fields": [{"name": ""}]}, "only a csv column"),
        ({"fields": []}, "at least one"),
        ({"fields": [{"name": ""}]}, "at least one"),
        ({"fields": [{"name": "a"}, {"name": "a"}]}, "no two"),
        ({"fields": [{"name": "Not good"}]}, "Not good"),
    ],
)  # fmt: skip
def test_options_that_could_never_work(options: dict[str, Any], message: str) -> None:
    """They are refused while the configuration is checked."""
    with pytest.raises(Misconfigured, match=message):
        Bench(**options)


def test_what_is_shown_is_short_and_printable() -> None:
    """Control characters cannot reach a log, and neither can megabytes."""
    assert shown(b"a\x1b[2J\n") == r"b'a\x1b[2J\n'"
    assert len(shown(b"\x00" * 100_000)) < 300


@given(st.binary(max_size=200))
def test_no_bytes_raise_anything_else(line: bytes) -> None:
    """Whatever a line holds: a reading, nothing, or BadReading; in every format."""
    fields = (Field(name="a"), Field(name="b", type="text"))
    for form in ("csv", "json", "keyvalue", "regex"):
        options = Options(port="/dev/x", fields=fields, format=form, pattern="(?P<a>.*)(?P<b>)")  # type: ignore[arg-type]
        try:
            reading = parse(line, options)
        except BadReading:
            continue
        assert reading is None or set(reading) == {"a", "b"}


# On real ptys ---------------------------------------------------------------------------------------------------------


class Live(DriverHarness):
    """A driver on a real port, with real time."""

    def elapsed(self) -> float:
        """The machine's time."""
        return time.monotonic()

    def next(self, attempts: int = 10) -> Any:
        """The next readings, or the next error."""
        for _ in range(attempts):
            try:
                result = self.read()
            except DriverError as error:
                return error
            if result is not None:
                return result
        raise AssertionError("nothing came")


@pytest.fixture
def live(pty_pair: PtyPair) -> Iterator[Live]:
    """The driver, opened, on a pty."""
    with Live(SerialLine, hardware=RealHardware("test"), port=pty_pair.path, fields=TWO) as it:
        yield it


GOOD = [{"temperature": 21.5, "humidity": 40}]


def test_over_a_pty(pty_pair: PtyPair, live: Live) -> None:
    """Half frames, glued frames, CR LF, garbage and zero bytes: good lines come through, nothing else does."""
    pty_pair.feed(b"5,40\r\n21.5,40\r\n")
    assert live.next() == GOOD
    pty_pair.feed(b"\x00\xff\xfe\x80garbage\n21.5,40\n")
    results = [live.next(), live.next()]
    assert [result for result in results if isinstance(result, list)] == [GOOD]
    assert [type(result) for result in results if not isinstance(result, list)] == [BadReading]
    for piece in (b"21", b".5,", b"40", b"\n"):
        pty_pair.feed(piece)
    assert live.next() == GOOD


@pytest.mark.alone
def test_a_silent_pty_takes_less_than_a_second(live: Live) -> None:
    """``read`` is back in time although nothing came."""
    start = time.monotonic()
    assert live.read() is None
    assert time.monotonic() - start < 1.0


def test_a_big_frame_over_a_pty(pty_pair: PtyPair, live: Live) -> None:
    """1 MB of one line through the kernel: one error, then good readings again."""
    feeder = threading.Thread(target=pty_pair.feed, args=(b"\n" + b"x" * 1_000_000 + b"\n21.5,40\n",))
    feeder.start()
    results = [live.next(1000), live.next(1000)]
    feeder.join()
    assert isinstance(results[0], BadReading)
    assert "no end of line" in str(results[0])
    assert results[1] == GOOD


def test_unplug_and_replug(pty_pair: PtyPair, live: Live) -> None:
    """Pulled: unavailable, also to open. Back on another node under the same name: readings again, nothing leaked."""
    nodes = set()
    for _ in range(20):
        nodes.add(Path(pty_pair.path).resolve())
        pty_pair.feed(b"\n21.5,40\n")
        assert live.next() == GOOD
        pty_pair.unplug()
        assert isinstance(live.next(), DeviceUnavailable)
        with pytest.raises(DeviceUnavailable, match="there is no port"):
            live.reopen()
        pty_pair.plug_in()
        live.reopen()


def test_absent_at_start(pty_pair: PtyPair) -> None:
    """A port that comes later is opened then."""
    pty_pair.unplug()
    it = Live(SerialLine, hardware=RealHardware("test"), port=pty_pair.path, fields=TWO)
    with pytest.raises(DeviceUnavailable):
        it.open()
    pty_pair.plug_in()
    it.open()
    pty_pair.feed(b"\n21.5,40\n")
    assert it.next() == GOOD
    it.close()
