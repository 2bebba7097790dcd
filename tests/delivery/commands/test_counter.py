"""Requests as they come in: on a publisher without a broker, whose thread never waits."""

from __future__ import annotations

import json
import logging
import threading
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from support import wait_until
from support.publishing import TOPICS, LeapingClock

from gateway.delivery.commands import counter as module
from gateway.delivery.commands.counter import BUSY, MOST_AT_ONCE, MOST_READS, TOO_MANY, Counter
from gateway.delivery.mqtt import Received
from gateway.delivery.queue import Inbox
from gateway.delivery.task import Task
from gateway.status.control import ControlError


class Desk:
    """A counter, with verbs that do what a test wants; the test is the publisher's thread."""

    def __init__(self) -> None:
        self.clock = LeapingClock()
        self.inbox = Inbox()
        self.enabled = True
        self.verb: Callable[[str, Any], Any] = lambda verb, body: {"did": verb, **body}
        self.counter = Counter(TOPICS, self.clock, self.inbox, self, lambda: self.enabled)  # type: ignore[arg-type]  # what it uses of Verbs is below
        self.plain: list[tuple[str, str, bytes]] = []

    def __call__(self, verb: str, body: Any) -> Any:
        """See ``Verbs``."""
        return self.verb(verb, body)

    def set_plain(self, device: str, channel: str, payload: bytes) -> None:
        """See ``Verbs``."""
        self.plain.append((device, channel, payload))
        if payload == b"bad":
            raise ControlError("a bad value")

    def hear(self, topic: str, payload: object, *, retained: bool = False) -> None:
        """A message has come."""
        body = payload if isinstance(payload, bytes) else json.dumps(payload).encode()
        self.counter.heard(Received(1, topic, body, retained))

    def ask(self, verb: str, **body: Any) -> None:
        """A request, a second after the one before."""
        self.clock.skip(1.0)
        self.hear(f"B/gateway/request/{verb}", {"id": "1", **body})

    def answers(self, count: int = 1) -> list[tuple[str, Any]]:
        """Wait for them; the topic's last part and the answer."""
        found: list[tuple[str, Any]] = []

        def look() -> bool:
            while isinstance(item := self.inbox.get(0), Task):
                item.run()
            while (message := self.counter.answers.next_message()) is not None:
                assert not message.retain
                found.append((message.topic.removeprefix("B/gateway/response/"), json.loads(message.payload)))
                self.counter.answers.settled(message.topic)
            return len(found) >= count

        wait_until(look, what=f"{count} answers")
        return found


@pytest.fixture
def desk() -> Desk:
    """One where commands are on."""
    return Desk()


@pytest.fixture
def gate() -> Iterator[threading.Event]:
    """What verbs of a test wait for."""
    made = threading.Event()
    yield made
    made.set()


def test_an_answer_has_the_id(desk: Desk) -> None:
    """And what the verb has to say, or why not."""
    desk.ask("read", device="office")
    assert desk.answers() == [("read", {"id": "1", "ok": True, "did": "read", "device": "office"})]

    def refuse(_verb: str, _body: Any) -> Any:
        raise ControlError("not today")

    desk.verb = refuse
    desk.ask("read")
    assert desk.answers() == [("read", {"id": "1", "ok": False, "error": "not today"})]


def test_our_own_mistake(desk: Desk, caplog: pytest.LogCaptureFixture) -> None:
    """It is answered, and is in the log with its traceback; the next request is carried out."""
    desk.verb = lambda _verb, _body: 1 / 0
    desk.ask("health")
    ((_, answer),) = desk.answers()
    assert answer["error"].startswith("a mistake in sensorpost itself (ZeroDivisionError)")
    assert any(record.exc_info for record in caplog.records)
    desk.verb = lambda _verb, _body: {}
    desk.ask("health")
    assert desk.answers() == [("health", {"id": "1", "ok": True})]


def test_a_plain_payload_has_no_answer(desk: Desk, caplog: pytest.LogCaptureFixture) -> None:
    """There is no id that could come back; what is wrong is in the log."""
    desk.hear("B/office/set/relay", b"on")
    desk.hear("B/office/set/relay", b"bad")
    desk.ask("health")
    assert [topic for topic, _ in desk.answers()] == ["health"]

    def refused() -> bool:
        while isinstance(item := desk.inbox.get(0), Task):
            item.run()
        return "command office/set/relay refused: a bad value" in caplog.messages

    wait_until(refused)
    assert desk.plain == [("office", "relay", b"on"), ("office", "relay", b"bad")]
    assert desk.counter.answers.next_message() is None


def test_what_is_not_for_us(desk: Desk, caplog: pytest.LogCaptureFixture) -> None:
    """Other topics, other gateways, and everything while commands are off: none of it takes another's place."""
    caplog.set_level("INFO")
    for topic in (
        "homeassistant/status",
        "B/gateway/health",
        "B/gateway/set/x",
        "C/gateway/request/read",
        "B/a/b/set/c",
    ):
        desk.hear(topic, {"id": "1"})
    desk.enabled = False
    assert desk.counter.subscriptions == []
    desk.ask("read")
    desk.enabled = True
    desk.ask("health")
    assert desk.counter.subscriptions == ["B/gateway/request/+", "B/+/set/+"]
    assert [topic for topic, _ in desk.answers()] == ["health"]
    assert [text.partition(":")[0] for text in caplog.messages] == ["command health"]


def test_retained_requests_are_ignored(desk: Desk, caplog: pytest.LogCaptureFixture) -> None:
    """With a line in the log; very many of them are one line more."""
    for _ in range(50):
        desk.hear("B/gateway/request/restart", {"id": "1", "device": "office"}, retained=True)
        desk.hear("B/office/set/relay", b"on", retained=True)
    desk.counter.tick(desk.clock.boot_ns())
    assert sum("ignored, because it is retained" in text for text in caplog.messages) == 10
    assert caplog.messages[-1] == "commands: 90 more request(s) ignored: retained"
    desk.ask("health")
    assert [topic for topic, _ in desk.answers()] == ["health"]
    assert desk.plain == []


def test_five_a_second(desk: Desk, caplog: pytest.LogCaptureFixture) -> None:
    """Five more are told so, and the rest is one line."""
    caplog.set_level(logging.INFO)
    for _ in range(100):
        desk.hear("B/gateway/request/health", {"id": "1"})
    answers = [answer for _, answer in desk.answers(10)]
    assert sum(answer["ok"] for answer in answers) == 5
    assert [answer["error"] for answer in answers if not answer["ok"]] == [TOO_MANY] * 5
    desk.counter.tick(desk.clock.boot_ns())
    assert caplog.messages[-1] == "commands: 90 more request(s) ignored: more than 5 in a second"
    assert len(caplog.messages) == 10 + 5 + 1


def test_not_too_many_at_once(desk: Desk, gate: threading.Event) -> None:
    """Reads that wait leave room for the others; when they are done there is room again."""
    desk.verb = lambda _verb, _body: {"came": gate.wait(10)}
    for _ in range(MOST_READS + 1):
        desk.ask("read")
    assert desk.answers() == [("read", {"id": "1", "ok": False, "error": BUSY})]
    for _ in range(MOST_AT_ONCE - MOST_READS + 1):
        desk.ask("restart")
    assert desk.answers() == [("restart", {"id": "1", "ok": False, "error": BUSY})]
    gate.set()
    assert all(answer["ok"] for _, answer in desk.answers(MOST_AT_ONCE))
    desk.ask("restart")
    assert desk.answers() == [("restart", {"id": "1", "ok": True, "came": True})]


def test_a_machine_without_threads(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is said; the publisher goes on."""

    def start(*_: object) -> None:
        raise RuntimeError("can't start new thread")

    with monkeypatch.context() as patched:
        patched.setattr(module.threads, "start", start)
        desk.ask("health")
    assert desk.answers()[0][1]["error"] == "this machine or this service allows no more threads"
    desk.ask("health")
    assert desk.answers()[0][1]["ok"]


@pytest.mark.parametrize(
    ("topic", "payload", "shown"),
    [
        (
            "B/gateway/request/read",
            b'{"id":"1","x":"a\n2026-11-26T00:00:00Z info forged"}'.replace(b"\\n", b"\n"),
            r"a\x0a2026-11-26T00:00:00Z info forged",
        ),
        ("B/gateway/request/read", b"\x1b[2J", r"\x1b[2J"),
        ("B/gateway/request/read", b"\xff\xfe", r"\xff\xfe"),
        ("B/gateway/request/re\u202ead\x1b[2J", b"{}", r"command re\u202ead\x1b[2J: {}"),
        ("B/off\nice/set/re\x1blay", b"on", r"command off\x0aice/set/re\x1blay: on"),
    ],
)
def test_hostile_text_in_the_log(
    desk: Desk, caplog: pytest.LogCaptureFixture, topic: str, payload: bytes, shown: str
) -> None:
    """What cannot be seen is escaped, long texts are cut: no line is forged, no terminal is moved."""
    caplog.set_level(logging.INFO)
    desk.hear(topic, payload + b" " * 60_000)
    assert shown in caplog.messages[0]
    assert all(text.isprintable() and len(text) < 1200 for text in caplog.messages)


def test_a_verb_that_is_no_word_is_no_topic(desk: Desk, caplog: pytest.LogCaptureFixture) -> None:
    """What came as a topic goes out as one only when it is harmless."""
    desk.hear("B/gateway/request/" + "x" * 60_000, {"id": "1"})
    desk.hear("B/gateway/request/$SYS", b"nonsense")
    assert any("command $SYS refused" in text for text in caplog.messages)
    desk.ask("restrat")
    assert [topic for topic, _ in desk.answers()] == ["restrat"]
