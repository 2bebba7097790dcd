"""drivers/command.py: lines of programs, and of rtl_433."""

from __future__ import annotations

import json
import sys
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support.vectors import Vector, check_vector, vectors

from drivers.command import Command, Field, Options, convert, parse
from gateway.driver import BadReading, DeviceUnavailable, Kind, Misconfigured
from gateway.hardware.real import RealHardware
from gateway.testing import DriverHarness, FakeHardware, FakeProcess, check_result

FIELDS = [
    {"name": "flow", "source": "sensors.flow.t", "unit": "°C", "device_class": "temperature"},
    {"name": "mode", "type": "text"},
    {"name": "on", "type": "boolean"},
]
LINE = b'{"sensors": {"flow": {"t": 41.5}}, "mode": "heat", "on": 1}'
NEXUS = b'{"model": "Nexus-TH", "id": 184, "channel": 2, "battery_ok": 1, "temperature_C": 21.7, "humidity": 55}'
TOWER = b'{"model": "Acurite-Tower", "id": 7997, "channel": "A", "temperature_C": 12.6, "battery_ok": 0}'


def driver(program: FakeProcess, **options: Any) -> DriverHarness:
    """The driver with this program, by either name."""
    return DriverHarness(Command, hardware=FakeHardware(processes={"heating": program, "rtl_433": program}), **options)


def heating(program: FakeProcess, **options: Any) -> DriverHarness:
    """The driver with a program of one's own."""
    return driver(program, command=["heating", "--json"], fields=FIELDS, **options)


@pytest.mark.parametrize("vector", vectors("rtl_433"))
def test_vectors(vector: Vector) -> None:
    """Every case, as a line of the program."""
    with driver(FakeProcess(vector["input"]["text"].encode().rstrip(b"\n")), profile="rtl_433") as it:
        check_vector(vector, it.read, it.channels)


def test_a_program_of_ones_own() -> None:
    """Started as it was written; every line is a reading, null for what it does not have."""
    program = FakeProcess(LINE, b"", b'{"mode": "off"}')
    with heating(program, env={"LANG": "C"}) as it:
        assert it.kind is Kind.SAMPLED
        assert (program.command, program.env) == (["heating", "--json"], {"LANG": "C"})
        assert it.read() == [
            {"flow": 41.5, "mode": "heat", "on": True},
            {"flow": None, "mode": "off", "on": None},
        ]
        assert it.read() is None
        assert it.time.now == 0.9


@pytest.mark.parametrize(
    "line",
    [
        b"starting ...",
        b"[1]",
        b"{",
        b'{"on": "maybe"}',
        b'{"sensors.flow.t": 1' + b"0" * 400 + b"}",
        b'{"sensors.flow.t": "warm"}',
        b"[" * 100_000,
    ],
)
def test_bad_lines(line: bytes) -> None:
    """Good lines first, then one bad reading that shows the bad one."""
    with heating(FakeProcess(line, LINE)) as it:
        assert it.read() == [{"flow": 41.5, "mode": "heat", "on": True}]
        with pytest.raises(BadReading):
            it.read()
        assert it.read() is None


def test_a_program_that_ends() -> None:
    """Its last lines count; then it is gone, with what it said, and is started again."""
    program = FakeProcess(LINE)
    program.end(1, "usb_claim_interface error -6")
    with heating(program) as it:
        assert it.read()
        with pytest.raises(DeviceUnavailable, match="usb_claim_interface"):
            it.read()
        it.reopen()
        assert program.starts == 2
        program.feed(LINE)
        assert it.read()


def test_a_program_that_hangs() -> None:
    """One that says nothing for too long is started again."""
    with heating(FakeProcess(), silence="5s") as it:
        results = [it.read() for _ in range(5)]
        assert results == [None] * 5
        with pytest.raises(DeviceUnavailable, match="nothing for"):
            it.read()


def test_all_wireless_sensors_as_events() -> None:
    """Without match every message of any sensor is an event, with what it has."""
    program = FakeProcess(NEXUS, TOWER)
    with driver(program, profile="rtl_433") as it:
        assert it.kind is Kind.EVENT
        assert program.command == ["rtl_433", "-F", "json", "-M", "level"]
        assert it.read() == [
            {"event": "received", "device_key": "Nexus-TH/2/184", "temperature": 21.7, "humidity": 55,
             "battery_low": False},
            {"event": "received", "device_key": "Acurite-Tower/A/7997", "temperature": 12.6, "battery_low": True},
        ]  # fmt: skip


def test_one_wireless_sensor() -> None:
    """With match the others are passed over, and a message is a reading with null for what it does not have."""
    with driver(FakeProcess(TOWER, NEXUS), profile="rtl_433", match={"model": "Nexus-TH", "channel": "2"}) as it:
        assert it.kind is Kind.SAMPLED
        result = it.read()
    assert isinstance(result, list)
    assert len(result) == 1
    assert result[0]["temperature"] == 21.7
    assert result[0]["rain"] is None
    assert list(result[0]) == [channel.name for channel in it.channels]


def test_only_some_channels() -> None:
    """What a sensor never sends can be left out, of readings and of events."""
    only = ["temperature", "battery_low"]
    with driver(FakeProcess(NEXUS), profile="rtl_433", match={"model": "Nexus-TH"}, only=only) as it:
        assert it.read() == [{"temperature": 21.7, "battery_low": False}]
    with driver(FakeProcess(NEXUS), profile="rtl_433", only=only) as it:
        assert it.read() == [{"event": "received", "temperature": 21.7, "battery_low": False}]


@pytest.mark.parametrize(
    ("message", "expected"),
    [
        ('"temperature_F": 14', {"temperature": -10.0}),
        ('"pressure_kPa": 101.3', {"pressure": 1013.0}),
        ('"wind_avg_km_h": 36, "wind_max_mi_h": 10, "wind_dir_deg": 90',
         {"wind_speed": 10.0, "wind_gust": 4.4704, "wind_direction": 90}),
        ('"pressure_PSI": 32', {"pressure": 2206.322336}),
        ('"rain_in": 2', {"rain": 50.8}),
        ('"battery_ok": 0.75, "rssi": -3.5', {"battery_low": False, "rssi": -3.5}),
        ('"humidity": null', {}),
    ],
)  # fmt: skip
def test_units(message: str, expected: dict[str, Any]) -> None:
    """Everything in the units that the channels have."""
    line = f'{{"model": "X", {message}}}'.encode()
    assert parse(line, Options(profile="rtl_433")) == pytest.approx({"device_key": "X"} | expected)


@pytest.mark.parametrize("bad", ['{"id": 5}', '{"model": "X", "humidity": "wet"}', '{"model": "X", "channel": []}'])
def test_no_message(bad: str) -> None:
    """A message says which model it is of, and numbers are numbers."""
    with pytest.raises(BadReading):
        parse(bad.encode(), Options(profile="rtl_433"))


@settings(deadline=None)
@given(st.recursive(st.one_of(st.none(), st.booleans(), st.floats(), st.integers(), st.text(max_size=5)),
                    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(
                        st.sampled_from(["model", "channel", "id", "humidity", "battery_ok", "rain_in", "mode", "on"]),
                        inner, max_size=5)))  # fmt: skip
def test_any_json(value: Any) -> None:
    """Whatever a program prints is a reading that can be published, nothing, or a bad reading."""
    line = json.dumps(value).encode()
    for options in (Options(profile="rtl_433"), Options(command=("x",), fields=tuple(Field(**f) for f in FIELDS))):
        try:
            reading = parse(line, options)
        except BadReading:
            continue
        check_result(reading, Command.channels_for(options), Kind.EVENT)


def test_values() -> None:
    """A number may be written as text, since many programs do; a nested value can be text."""
    assert convert("21.5", "number") == 21.5
    assert convert({"a": 1}, "text") == '{"a": 1}'
    assert convert(0, "boolean") is False
    for value, kind in ((True, "number"), ("nan", "number"), (2, "boolean"), ([], "number")):
        with pytest.raises(ValueError, match=r"\w"):
            convert(value, kind)


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"profile": "rtl_433", "fields": FIELDS},
        {"fields": FIELDS},
        {"profile": "rtl_433", "only": ["temprature"]},
        {"command": ["x"], "fields": FIELDS, "only": ["mode"]},
        {"command": ["x"], "fields": [FIELDS[1], FIELDS[1]]},
        {"command": ["x"], "fields": [{"name": "a", "unit": "V", "device_class": "current"}]},
    ],
)
def test_refused(options: dict[str, Any]) -> None:
    """A profile, or a command with fields that can be channels."""
    with pytest.raises(Misconfigured):
        driver(FakeProcess(), **options)


def test_kind_by_option() -> None:
    """What a line is can be said."""
    with heating(FakeProcess(LINE), kind="event") as it:
        assert it.kind is Kind.EVENT
        assert it.read() == [{"flow": 41.5, "mode": "heat", "on": True}]


def test_a_real_program() -> None:
    """Its lines, what it had to say when it ended, and that it runs again after that."""
    code = "import sys; print(sys.argv[1], flush=True); sys.exit('no stick')"
    options = {"command": [sys.executable, "-c", code, '{"mode": "heat"}'], "fields": [FIELDS[1]]}
    with DriverHarness(Command, hardware=RealHardware("test"), **options) as it:
        for _ in range(2):
            readings: list[Any] = []
            while not readings:
                readings += it.read() or []
            assert readings == [{"mode": "heat"}]
            with pytest.raises(DeviceUnavailable, match="no stick"):
                it.read()  # which waits for the end of a program that is at it
            it.reopen()
