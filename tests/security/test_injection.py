"""Log, terminal, topic and JSON injection: hostile text from a device, its driver, a broker or its clients."""

from __future__ import annotations

import ast
import io
import json
import logging
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from support.delivery import LinkDriver
from support.fake_broker import FakeBroker
from support.fake_script import Script
from support.faults import GatewayProcess, config
from support.mqtt_wire import CONNACK, DISCONNECT, encode, text
from support.waiting import wait_until

from gateway.cli.feed import Feed
from gateway.cli.lines import line
from gateway.cli.output import note, out, out_json
from gateway.config.load import loads
from gateway.delivery.subscriber import Message
from gateway.delivery.topics import Topics
from gateway.status.logs import LONGEST, JournalLines, JsonLines, TextLines
from gateway.status.text import LIMIT

ROOT = Path(__file__).resolve().parents[2]
HOSTILE = {
    "newline": "AB\n2026-01-01T00:00:00Z error forged",
    "return": "AB\r2026-01-01T00:00:00Z error forged",
    "ansi": "\x1b[2J\x1b]0;title\x07",
    "c1": "\x9b2J\x85\x90",
    "nul": "a\0b",
    "delete": "a\x7f\x08\x08b",
    "bidi": "\u202egpj.exe\u2066\u200f",
    "separators": "a\u2028b\u2029c",
    "surrogate": "a\ud800b",
    "tags": "a\U000e0041b\ufeff",
    "json": '"},{"forged":"',
    "huge": "x" * 10_000_000,
    "huge and hidden": "\x1b" * 1_000_000,
}
hostile = pytest.mark.parametrize("words", HOSTILE.values(), ids=HOSTILE)
MakeBroker = Callable[..., FakeBroker]


@hostile
@pytest.mark.parametrize("formatter", [TextLines(), JournalLines(), JsonLines()], ids=lambda one: type(one).__name__)
def test_the_log_has_one_line_for_one_message(formatter: logging.Formatter, words: str) -> None:
    """Printable, of bounded length, whoever made the text and whatever format was chosen."""
    record = logging.LogRecord("gateway", logging.WARNING, "", 0, "office: %s", (words,), None)
    shown = formatter.format(record)
    assert shown.isprintable()
    assert len(shown) < 2 * LONGEST + 200
    shown.encode()
    if isinstance(formatter, JsonLines):
        assert json.loads(shown)["message"].startswith("office: ")


@hostile
def test_a_traceback_cannot_forge_a_line(words: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each of its lines is indented or prefixed; the exception's text may have any number of them."""
    monkeypatch.setattr(logging.getLogger(), "level", logging.DEBUG)
    logging.getLogger().manager._clear_cache()  # type: ignore[attr-defined]
    error = ValueError(words)
    record = logging.LogRecord("gateway", logging.ERROR, "", 0, "bug", (), (ValueError, error, None))
    first, *rest = TextLines().format(record).split("\n")
    assert first.endswith(" bug")
    assert rest
    assert all(one.startswith("  ") and one.isprintable() and len(one) <= LONGEST + 2 for one in rest)
    assert all(one.startswith("<3>") for one in JournalLines().format(record).split("\n"))
    logging.getLogger().manager._clear_cache()  # type: ignore[attr-defined]


@hostile
def test_nothing_that_a_command_prints_commands_the_terminal(words: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Results, messages and JSON, whatever was forgotten before they came here; the JSON still says the same."""
    stdout, stderr = (io.TextIOWrapper(io.BytesIO(), "utf-8", "backslashreplace", newline="") for _ in range(2))
    monkeypatch.setattr(sys, "stdout", stdout)
    monkeypatch.setattr(sys, "stderr", stderr)
    out(words)
    note(words)
    printed = [stream.buffer.getvalue().decode() for stream in (stdout, stderr)]  # type: ignore[attr-defined]
    for shown in printed:
        assert shown.replace("\n", "").isprintable()
    stdout.buffer.truncate(0)
    out_json({"tag": words})
    shown = stdout.buffer.getvalue().decode().lstrip("\0")  # type: ignore[attr-defined]
    assert shown.removesuffix("\n").isprintable()
    assert json.loads(shown)["tag"] == words


@hostile
def test_a_reading_from_the_broker_is_one_line(words: str) -> None:
    """``listen`` shows what any client of the broker may have published."""
    shown = line("office", {"time": words, "tag": words, words: 1, "clock": words}, {})
    assert shown.isprintable()
    assert len(shown) < 2000


@hostile
def test_a_status_from_the_broker_is_shown_harmless(words: str) -> None:
    """State, error and hint in the live table; quantities, too."""
    devices = loads('[devices.office]\ndriver = "mock"\n').devices
    feed = Feed(Topics("sensorpost/attic"), devices, 0.0)
    for topic, body in (
        ("sensorpost/attic/office/status", {"state": words, "last_error": words, "hint": words}),
        (
            "sensorpost/attic/gateway/devices",
            {words: {}, "office": {"channels": [{"key": "t", "unit": words, "device_class": words}]}},
        ),
        (f"sensorpost/attic/{words}", {words: words}),
    ):
        feed.take(Message(topic, json.dumps(body).encode(), retained=False), 1.0)
    (view,) = feed.views.values()
    quantity = view.quantities["t"]
    for shown in (view.state, view.error, quantity.unit, quantity.device_class):
        assert shown
        assert shown.isprintable()
        assert len(shown) <= LIMIT


@pytest.mark.parametrize("kind", ["refused", "thrown out"])
def test_what_a_broker_gives_as_its_reason_is_not_repeated(fake: MakeBroker, kind: str) -> None:
    """MQTT 5 lets it say anything (ReasonString); only the code is believed, in our words."""
    words = text(HOSTILE["newline"] + "\x1b[2J")
    properties = b"\x1f" + words
    length = bytes([len(properties)])
    if kind == "refused":
        broker = fake(Script(connack=encode(CONNACK, b"\0\x87" + length + properties)))
        driver = LinkDriver(broker.url, protocol="5")
        (reason,) = driver.fail()
    else:
        broker = fake()
        driver = LinkDriver(broker.url, protocol="5")
        driver.connect()
        broker.send(encode(DISCONNECT, b"\x8b" + length + properties))
        (reason,) = driver.fail()
    driver.end()
    assert "forged" not in reason
    assert reason.isprintable()


DRIVER = '''"""Says what it was taught."""
from gateway.driver import BadReading, Channel, Driver, Kind

WORDS = {words!r}


class Hostile(Driver):
    kind = Kind.EVENT
    channels = (Channel("label", type=str),)
    _turn = 0

    def read(self):
        turn, self._turn = self._turn, self._turn + 1
        word = WORDS[turn // 2 % len(WORDS)]
        if turn % 2:
            if {prints}:
                print(word[:500].encode("utf-8", "replace").decode())
            raise BadReading(word, hint=word)
        return {{"event": "arrived", "tag": word[:300], "label": word[:300]}}
'''


@pytest.mark.parametrize(("format_", "isolation"), [("text", "thread"), ("json", "process")])
def test_hostile_tags_through_the_whole_gateway(
    fake: MakeBroker, make_gateway: Callable[[str], GatewayProcess], format_: str, isolation: str
) -> None:
    """Tags, errors, and from a process prints: topics are the configuration's, all is JSON, no log line is forged."""
    broker = fake()
    more = f'[homeassistant]\ndiscovery = true\n[log]\nformat = "{format_}"\n'
    names = 'name = "Door \\u202e\\" \\u009b"\narea = "\\u2028"\n'
    stanza = f'[devices.door]\ndriver = "hostile"\ninterval = "20ms"\nisolation = "{isolation}"\n{names}'
    gateway = make_gateway(
        config(broker.port, stanza, more=more).replace("[mqtt]", 'drivers_dir = "drivers"\n[mqtt]', 1)
    )
    folder = gateway.folder / "drivers"
    folder.mkdir(mode=0o755)
    (folder / "hostile.py").write_text(DRIVER.format(words=list(HOSTILE.values())[:-2], prints=isolation == "process"))
    gateway.start()
    broker.wait_for(lambda: len(broker.on("sensorpost/fault/door")) >= 2 * len(HOSTILE), 30.0)
    if isolation == "process":
        wait_until(lambda: "its driver prints" in gateway.log(), 20.0)
    assert gateway.terminate()[0] == 0
    base = "sensorpost/fault"
    expected = {
        *(f"{base}/door{leaf}" for leaf in ("", "/availability", "/status", "/history")),
        *(f"{base}/gateway/{leaf}" for leaf in ("state", "health", "runs", "devices")),
    }
    sent = list(broker.publishes)
    ours = {publish.topic for publish in sent}
    assert {topic for topic in ours if not topic.startswith("homeassistant/")} <= expected
    assert {topic.count("/") for topic in ours if topic.startswith("homeassistant/")} == {4}
    for publish in sent:
        if publish.payload not in (b"online", b"offline", b""):
            json.loads(publish.payload.decode())
    tags = {json.loads(publish.payload)["tag"] for publish in broker.on(f"{base}/door")}
    assert HOSTILE["newline"] in tags
    lines = gateway.log(whole=True).split("\n")
    assert all(one.isprintable() for one in lines)
    assert not [one for one in lines if one.startswith("2026-01-01")]
    if format_ == "json":
        assert all(isinstance(json.loads(one), dict) for one in lines if one)


def _prints(tree: ast.AST) -> list[int]:
    """Lines that write to stdout or stderr."""
    return [
        node.lineno
        for node in ast.walk(tree)
        if isinstance(node, ast.Call)
        and (
            (isinstance(node.func, ast.Name) and node.func.id == "print")
            or ast.unparse(node.func) in ("sys.stdout.write", "sys.stderr.write", "click.echo", "click.secho")
        )
    ]


def test_one_file_prints() -> None:
    """So nothing passes by the fence in it; the kit for driver authors is no command."""
    found: dict[str, Any] = {}
    for path in (ROOT / "gateway").rglob("*.py"):
        name = str(path.relative_to(ROOT / "gateway"))
        if lines := _prints(ast.parse(path.read_bytes())):
            found[name] = lines
    assert set(found) - {"cli/output.py", "testing/__main__.py", "testing/pages.py", "config/schema.py"} == set()
