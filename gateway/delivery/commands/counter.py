"""Where requests from MQTT come in: few at a time, each logged, carried out on a thread of its own, and answered."""

from __future__ import annotations

import logging
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from gateway import threads
from gateway.clocks import Clock
from gateway.delivery.commands.answers import Answers
from gateway.delivery.commands.gate import Gate, Verdict
from gateway.delivery.commands.request import Request, parse
from gateway.delivery.commands.verbs import Facts, Verbs
from gateway.delivery.message import Message
from gateway.delivery.mqtt import Received
from gateway.delivery.payload import encode_json
from gateway.delivery.queue import Inbox
from gateway.delivery.task import Task
from gateway.delivery.topics import Topics
from gateway.status.control import ControlError
from gateway.status.text import plain

log = logging.getLogger(__name__)

MOST_AT_ONCE = 8
"""Requests that are carried out at the same time, each on a thread."""
MOST_READS = 4
"""Those among them that wait for a reading: there is always room for the others."""
WORD = re.compile(r"[A-Za-z0-9_-]{1,60}")
"""Whatever else was asked for on a topic gets no answer on one: it is only logged."""
TOO_MANY = "too many requests: at most 5 are carried out in a second"
BUSY = "too many requests are being carried out; try again when one of them is answered"


class Counter:
    """Used by the publisher's thread, which never waits here."""

    def __init__(self, topics: Topics, clock: Clock, inbox: Inbox, verbs: Verbs, enabled: Callable[[], bool]) -> None:
        self.answers = Answers()
        self._topics = topics
        self._clock = clock
        self._inbox = inbox
        self._verbs = verbs
        self._enabled = enabled
        self._gate = Gate()
        self._retained = Gate()
        self._at_work: list[str] = []
        """The verbs that are being carried out."""

    @property
    def subscriptions(self) -> Sequence[str]:
        """Topics to listen to."""
        return [self._topics.gateway("request/+"), f"{self._topics.base}/+/set/+"] if self._enabled() else []

    def heard(self, message: Received) -> None:
        """A message of a subscription has come."""
        if not (self._enabled() and message.topic.startswith(f"{self._topics.base}/")):
            return
        match message.topic.removeprefix(f"{self._topics.base}/").split("/"):
            case ["gateway", "request", verb]:
                reply_to = self._topics.gateway(f"response/{verb}") if WORD.fullmatch(verb) else ""
                self._knock(
                    message,
                    _Job(plain(verb, 60), lambda: parse(verb, message.payload), self._carry_out, reply_to),
                )
            case [device, "set", channel] if device != "gateway":
                self._knock(
                    message,
                    _Job(
                        plain(f"{device}/set/{channel}", 60),
                        lambda: Request("set"),
                        lambda _: self._verbs.set_plain(device, channel, message.payload),
                    ),
                )
            case _:
                pass

    def tick(self, now_ns: int) -> None:
        """Say how many requests were ignored."""
        for gate, why in ((self._gate, "more than 5 in a second"), (self._retained, "retained")):
            if count := gate.ignored(now_ns):
                log.warning("commands: %d more request(s) ignored: %s", count, why)

    def _knock(self, message: Received, job: _Job) -> None:
        now_ns = self._clock.boot_ns()
        shown = plain(message.payload[:400].decode(errors="backslashreplace"))
        if message.retained:
            if self._retained.knock(now_ns) is not Verdict.IGNORED:
                log.warning("command %s ignored, because it is retained: %s", job.what, shown)
            return
        verdict = self._gate.knock(now_ns)
        if verdict is Verdict.IGNORED:
            return
        log.info("command %s: %s", job.what, shown)
        request = job.read()
        reads = self._at_work.count("read")
        if request.error or verdict is Verdict.REFUSED:
            self._answer(job, request, request.error or TOO_MANY)
        elif len(self._at_work) >= MOST_AT_ONCE or (request.verb == "read" and reads >= MOST_READS):
            self._answer(job, request, BUSY)
        else:
            self._start(job, request)

    def _start(self, job: _Job, request: Request) -> None:
        try:
            threads.start("command", self._work, job, request)
        except (RuntimeError, MemoryError):
            self._answer(job, request, "this machine or this service allows no more threads")
        else:
            self._at_work.append(request.verb)

    def _work(self, job: _Job, request: Request) -> None:
        """On a thread of its own."""
        facts: Facts | None = None
        error = ""
        try:
            facts = job.carry_out(request)
        except ControlError as exc:
            error = str(exc) or "it cannot be done"
        except Exception as exc:  # whatever a request does, the gateway goes on
            log.exception("command %s failed", job.what)
            error = f"a mistake in sensorpost itself ({type(exc).__name__}); please report it with the log"
        self._inbox.post(Task(lambda: self._done(job, request, error, facts)))

    def _done(self, job: _Job, request: Request, error: str, facts: Facts | None) -> None:
        self._at_work.remove(request.verb)
        self._answer(job, request, error, facts)

    def _answer(self, job: _Job, request: Request, error: str, facts: Facts | None = None) -> None:
        """Where there is somebody to tell it; what is wrong is in the log as well."""
        if error:
            log.warning("command %s refused: %s", job.what, plain(error, 1000))
        if job.reply_to:
            said = {"ok": False, "error": error} if error else {"ok": True, **(facts or {})}
            self.answers.add(Message(job.reply_to, encode_json({"id": request.id, **said}), retain=False))

    def _carry_out(self, request: Request) -> Facts:
        return self._verbs(request.verb, request.body)


@dataclass(frozen=True, slots=True)
class _Job:
    """One request on its way."""

    what: str
    """For the log."""
    read: Callable[[], Request]
    carry_out: Callable[[Request], Facts | None]
    reply_to: str = ""
    """The topic of the answer; empty for a plain payload, which has no id."""
