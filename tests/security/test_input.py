"""Oversized and malformed input from devices and the broker: bounded memory and time, one error, and on it goes."""

from __future__ import annotations

import json
import random
import time
import tracemalloc
from collections.abc import Callable
from pathlib import Path

import pytest
from support.clock import FakeClock
from support.fake_broker import FakeBroker
from support.faults import Fleet, GatewayProcess, config
from support.mqtt_wire import PUBLISH, encode, text

from gateway.audit.exports import BadExport, read_export
from gateway.cli.feed import as_object
from gateway.config.load import loads
from gateway.delivery.discovery import announcer
from gateway.delivery.discovery.announcer import JITTER, MOST_KNOWN, Announcer
from gateway.delivery.discovery.record import Record
from gateway.delivery.mqtt import LARGEST_INBOUND, Received
from gateway.delivery.topics import Topics
from gateway.driver import BadReading, Result
from gateway.testing import DriverHarness, FakeHardware, FakeProcess, FakeSerial, load_driver

MIB = 1024 * 1024
DRIVERS = Path(__file__).resolve().parents[2] / "drivers"
MakeBroker = Callable[..., FakeBroker]
LINES = {
    "deep arrays": b"[" * 60_000,
    "deep objects": b'{"t":' * 12_000,
    "digits": b'{"t":' + b"9" * 60_000 + b"}",
    "exponent": b'{"t":1e999999}',
    "long fraction": b'{"t":0.' + b"1" * 60_000 + b"}",
    "nan": b'{"t":NaN}',
    "infinity": b'{"t":-Infinity}',
    "surrogate": b'{"t":"\\ud800"}',
    "bytes": b'{"t":"\xff\xfe"}',
    "nul": b'{"t":"\\u0000"}',
    "list": b"[1,2,3]",
    "text": b'"t"',
    "nothing": b"",
    "twice": b'{"t":1}{"t":2}',
    "endless": b"x" * 65_000,
    "binary": random.Random(1).randbytes(60_000).replace(b"\n", b""),
}
"""What a device may send as a line that should be ``{"t": 21.5}``."""


def read(it: DriverHarness) -> Result:
    """What comes of it: readings, nothing, or nothing and an error that is short."""
    try:
        return it.read()
    except BadReading as error:
        if len(str(error)) > 600:
            raise AssertionError("an error as long as what was received") from error
        return None


@pytest.mark.parametrize("line", LINES.values(), ids=LINES)
def test_a_line_from_a_serial_device(line: bytes) -> None:
    """A number, null or one short error within a moment; the next good line is read."""
    port = FakeSerial()
    options = {"port": "/dev/x", "fields": [{"name": "t"}], "skip_first": False, "format": "json"}
    driver = load_driver(DRIVERS / "serial_line.py")
    with DriverHarness(driver, hardware=FakeHardware(ports={"/dev/x": port}), **options) as it:
        began = time.monotonic()
        for said in (line + b"\n", b'{"t":21.5}\n'):
            port.feed(said)
            results = [read(it) for _ in range(4)]
        assert time.monotonic() - began < 5
        assert results[0] == [{"t": 21.5}]


@pytest.mark.parametrize("line", LINES.values(), ids=LINES)
def test_a_line_from_a_program(line: bytes) -> None:
    """The same of what a program prints, and for every field type; what passes can be published."""
    module = load_driver(DRIVERS / "command.py")
    for kind in ("number", "text", "boolean"):
        hardware = FakeHardware(processes={"p": FakeProcess(line)})
        with DriverHarness(module, hardware=hardware, command=["p"], fields=[{"name": "t", "type": kind}]) as it:
            json.dumps(read(it), allow_nan=False)


def test_memory_for_hostile_json_is_bounded() -> None:
    """A line of 64 KiB that is nothing but brackets or digits does not take many times its size."""
    tracemalloc.start()
    for line in LINES.values():
        as_object(line)
        list_of = _export(line)
        assert len(list_of) <= 1
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 30 * MIB


def _export(line: bytes) -> list[object]:
    try:
        return list(read_export([line.decode("utf-8", "replace")], "x.jsonl", {}))
    except BadExport:
        return []


class _Discovery:
    """An announcer that listens, and what it does about what it hears."""

    def __init__(self, folder: Path) -> None:
        self.clock = FakeClock()
        self.record = Record(folder / "announced.json")
        settings = loads('[homeassistant]\ndiscovery = true\n[devices.a]\ndriver = "mock"\n', environ={}, strict=True)
        self.announcer = Announcer(settings, Topics("sensorpost/attic"), self.record, self.clock, random.Random(1))
        self.announcer.announce()
        (self.ours,) = {
            one.removesuffix("+/config") for one in self.announcer.subscriptions if one.endswith("+/config")
        }


def test_a_flood_of_births_is_answered_once(tmp_path: Path) -> None:
    """Home Assistant's birth message, or what claims to be it, ten thousand times a second."""
    it = _Discovery(tmp_path)
    told = 0
    for _ in range(10_000):
        it.announcer.heard(Received(1, "homeassistant/status", b"online", retained=False))
        it.clock.advance(0.001)
        told += bool(it.announcer.due(it.clock.boot_ns())[0])
    assert 1 <= told <= 10 * 10 / JITTER


def test_announcements_that_a_broker_invents_are_bounded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each is taken back and remembered until the broker has taken that; not more than so many."""
    monkeypatch.setattr(announcer, "MOST_KNOWN", 20)
    it = _Discovery(tmp_path)
    for number in range(100):
        it.announcer.heard(Received(1, f"{it.ours}n{number}/config", b"x" * LARGEST_INBOUND, retained=True))
    assert len(it.record.entities) == 20
    assert (tmp_path / "announced.json").stat().st_size < 10_000
    assert MOST_KNOWN >= 1000


@pytest.mark.slow
def test_a_broker_that_floods(fake: MakeBroker, tmp_path: Path) -> None:
    """Births, large announcements and rubbish on every topic that we hear: memory stays, readings go on, stop works."""
    broker = fake()
    more = "[homeassistant]\ndiscovery = true\n"
    gateway = GatewayProcess(tmp_path / "gateway", config(broker.port, Fleet(devices=1, rate=20), more=more))
    try:
        gateway.start()
        broker.wait_for(lambda: len(broker.on("sensorpost/fault/d0")) > 10, 20.0)
        before = gateway.rss()
        large = _publish("homeassistant/device/sensorpost_fault/strange/config", b"{" * 200_000, retain=True)
        rubbish = b"".join(
            _publish(topic, body)
            for topic in ("homeassistant/status", "sensorpost/fault/gateway/health")
            for body in (b"online", b"", b"[" * 5000, b"\xff" * 100, b'{"run":"\\ud800"}', b'{"run":"x","version":7}')
        )
        for _ in range(20):
            broker.send(large + rubbish * 50)
        heard = len(broker.on("sensorpost/fault/d0"))
        broker.wait_for(lambda: len(broker.on("sensorpost/fault/d0")) > heard + 40, 30.0)
        assert gateway.rss() - before < 16 * MIB
        announced = [one for one in broker.publishes if one.topic.endswith("/d0/config")]
        assert len(announced) < 10
        assert gateway.terminate()[0] == 0
        assert all(line.isprintable() for line in gateway.log().split("\n"))
    finally:
        gateway.kill()


def _publish(topic: str, payload: bytes, *, retain: bool = False) -> bytes:
    """A QoS 0 publish of MQTT 5."""
    return encode(PUBLISH, text(topic) + b"\0" + payload, int(retain))
