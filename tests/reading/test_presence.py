"""gateway/reading/presence.py: what lies on a reader becomes arrivals and departures, each once; in virtual time."""

from __future__ import annotations

import dataclasses
import hashlib
import hmac
import logging
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support.clock import FakeClock
from support.readers import Bench, driver

from gateway.channel import LIST_CHANNELS, TAG_CHANNELS
from gateway.config.settings import PresenceSettings, Secret
from gateway.driver import BadReading, Channel, DeviceUnavailable, Kind
from gateway.status.board import State

A, B, C = "04a23b5c6d7e80", "deadbeef", "62e3086ced"
POLL = 0.2
EXTRA = Channel("number", type=str)


class Table(Bench):
    """A reader of tags; what lies on it is ``tags``, and ``trouble`` is what its next reads raise."""

    def __init__(self, clock: FakeClock | None = None, interval: float | None = POLL, **presence: Any) -> None:
        self.tags: list[str] = []
        self.extras: dict[str, str] = {}
        self.trouble: BaseException | None = None
        self.shut: BaseException | None = None
        clock = clock or FakeClock()

        def read(_: Any) -> Any:
            if interval is None:
                clock.advance(POLL)
            if self.trouble is not None:
                raise self.trouble
            return [{"tag": tag, **self.extras} for tag in self.tags] or None

        def open_(_: Any) -> None:
            if self.shut is not None:
                raise self.shut

        channels = (*TAG_CHANNELS, *LIST_CHANNELS, EXTRA)
        super().__init__(
            driver(read, open=open_, channels=channels, kind=Kind.EVENT),
            clock=clock,
            interval=interval,
            presence=PresenceSettings(**presence),
        )

    def put(self, *tags: str, seconds: float = 2.0) -> list[dict[str, Any]]:
        """Let these lie there for so long; the events of that time."""
        self.tags = list(tags)
        self.run_for(seconds)
        return self.values()

    def began(self, *tags: str) -> Table:
        """It has run for a while, and these lie there."""
        self.put()
        self.put(*tags)
        return self

    def replace_reader(self) -> None:
        """As the supervisor does with one that hangs, or whose process has gone."""
        self.reader.report.silence()
        self.reader.stop.set()
        self.old = self.reader
        self.reader = self.new_reader()
        self.due = self.reader.step()


def arrived(tag: str, **more: Any) -> dict[str, Any]:
    """The event."""
    return {"event": "arrived", "tag": tag, **more}


def left(tag: str, dwell: float) -> dict[str, Any]:
    """The event, whose time on the reader is right within one poll."""
    return {"event": "left", "tag": tag, "dwell_s": pytest.approx(dwell, abs=1.01 * POLL)}


# Coming and going ----------------------------------------------------------------------------------------------------


def test_a_card_comes_and_goes() -> None:
    """One event each, however long it lies there; the dwell is from the first sight to the last."""
    table = Table()
    assert table.put() == []
    assert table.put(A, seconds=10.0) == [arrived(A)]
    assert table.put() == [left(A, 10.0)]
    assert table.put(A, seconds=3.0) == [arrived(A)]


def test_events_are_written_as_the_contract_says() -> None:
    """The keys and their order, nothing else."""
    table = Table()
    table.put()
    (event,) = table.put(A)
    assert list(event) == ["event", "tag"]
    (event,) = table.put()
    assert list(event) == ["event", "tag", "dwell_s"]


@pytest.mark.parametrize("pattern", ["10", "01", "110", "1011"])
def test_one_miss_is_none(pattern: str) -> None:
    """A chip that sees a held card only every other time makes it arrive once and not leave."""
    table = Table(gone_after=0.05)
    table.put()
    events = []
    for index in range(60):
        events += table.put(*([A] if pattern[index % len(pattern)] == "1" else []), seconds=POLL)
    assert events == [arrived(A)]


def test_gone_takes_time_as_well_as_misses() -> None:
    """At a fast interval two misses are nothing: the time has to pass, too."""
    table = Table(interval=0.02, gone_after=0.5)
    table.put()
    table.put(A)
    assert table.put(seconds=0.4) == []
    assert table.put(seconds=0.2) == [left(A, 2.0)]


def test_a_slow_interval_needs_two_reads() -> None:
    """One read without the card is not enough, however long ago the last one was."""
    table = Table(interval=5.0, gone_after=0.5)
    table.put(seconds=11.0)
    assert table.put(A, seconds=5.0) == [arrived(A)]
    assert table.put(seconds=5.0) == []
    assert table.put(seconds=5.0)[0]["event"] == "left"


def test_cards_swapped_quickly() -> None:
    """None is lost when each is there for one read only, and each leaves once."""
    table = Table()
    table.put()
    events = []
    for tag in (A, B, C, A):
        events += table.put(tag, seconds=POLL)
    events += table.put()
    assert [event["tag"] for event in events if event["event"] == "arrived"][:3] == [A, B, C]
    for tag in (A, B, C):
        mine = [event["event"] for event in events if event["tag"] == tag]
        assert mine in (["arrived", "left"], ["arrived", "left"] * 2)


def test_two_cards_at_once() -> None:
    """Each has its own visit; a tag that is named twice in one read arrives once; capitals are no other tag."""
    table = Table()
    table.put()
    assert table.put(A, B, A.upper()) == [arrived(A), arrived(B)]
    assert table.put(B) == [left(A, 2.0)]
    assert table.put() == [left(B, 4.0)]


def test_what_the_driver_adds_comes_with_the_arrival() -> None:
    """The values of the first time; they do not come again with the departure."""
    table = Table()
    table.put()
    table.extras = {"number": "0008844356"}
    assert table.put(A) == [arrived(A, number="0008844356")]
    assert "number" not in table.put()[0]


@pytest.mark.parametrize("tag", ["", "xyz", None, 5, "04 a2"])
def test_what_is_no_tag_is_a_bug_of_the_driver(tag: Any) -> None:
    """It counts as a failed read, and nothing of it is published."""
    table = Table()
    table.put()
    assert table.put(tag) == []
    assert table.ledger.failed > 0
    assert "hexadecimal" in table.status.last_error or "type" in table.status.last_error


# At the start --------------------------------------------------------------------------------------------------------


def test_a_card_that_lies_there_at_the_start() -> None:
    """It is marked; the same card later is not."""
    table = Table()
    assert table.put(A) == [arrived(A, at_start=True)]
    table.put()
    assert table.put(A) == [arrived(A)]


def test_a_card_that_only_the_second_read_sees() -> None:
    """The first read of a chip that answers every other time shows nothing."""
    table = Table()
    table.run_for(POLL * 0.9)
    assert table.ledger.read == 0
    events = table.put(A)
    assert events == [arrived(A, at_start=True)]


def test_a_reader_that_is_plugged_in_later_has_its_own_start() -> None:
    """What lies on it when it is seen for the first time in this run came at a time that nobody knows."""
    table = Table()
    table.shut = DeviceUnavailable("no such port")
    assert table.put(A, seconds=30.0) == []
    table.shut = None
    assert table.put(A, seconds=120.0) == [arrived(A, at_start=True)]


# Trouble -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("trouble", [BadReading("garbled"), DeviceUnavailable("unplugged")])
@pytest.mark.parametrize("away", [0.3, 20.0, 3600.0])
def test_a_held_card_does_not_leave_because_the_reader_is_away(trouble: Exception, away: float) -> None:
    """While nothing is known nobody leaves; when the reader is back and sees the card, the visit goes on."""
    table = Table().began(A)
    table.trouble = table.shut = trouble
    assert table.put(A, seconds=away) == []
    table.trouble = table.shut = None
    assert table.put(A, seconds=700.0) == []
    assert table.status.state is State.ONLINE
    assert table.put()[0]["event"] == "left"


def test_a_card_that_was_taken_while_the_reader_was_away_has_left() -> None:
    """Once that is known, which is 5 s after the reader is back; it was last seen before."""
    table = Table().began(A)
    table.trouble = table.shut = DeviceUnavailable("unplugged")
    assert table.put(seconds=60.0) == []
    table.trouble = table.shut = None
    while table.status.state is not State.ONLINE:
        assert table.put(seconds=POLL) == []
    assert table.put(seconds=4.5) == []
    assert table.put(seconds=1.0) == [left(A, 2.0)]


def test_a_new_card_is_news_at_once_after_an_outage() -> None:
    """The 5 s are for those of before."""
    table = Table().began(A)
    table.trouble = DeviceUnavailable("unplugged")
    table.put(seconds=1.0)
    table.trouble = None
    table.tags = [B]
    events = []
    while not events:
        events = table.put(B, seconds=POLL)
    assert events == [arrived(B)]
    assert table.put(B, seconds=6.0) == [left(A, 2.0)]


def test_another_thread_or_process_lets_nothing_arrive_twice() -> None:
    """A replaced reader goes on with the visits of the one before."""
    table = Table().began(A)
    for _ in range(3):
        table.replace_reader()
        assert table.put(A, seconds=7.0) == []
    assert table.put() == [left(A, 23.0)]


def test_an_abandoned_thread_changes_nothing() -> None:
    """It wakes with an empty table in its hands: nobody leaves, and nobody arrives again."""
    table = Table().began(A)
    table.replace_reader()
    table.put(A)
    table.tags = []
    for _ in range(5):
        table.clock.advance(1.0)
        table.old._poll()
    assert set(table.memory.visits.present) == {A}
    assert table.put(A, seconds=4.0) == []


def test_an_event_that_is_refused_is_not_forgotten() -> None:
    """A reader that was given up between reading and handing over has said nothing: the next one says it."""
    table = Table()
    table.put()
    table.tags = [A]
    table.queue.claim(Kind.EVENT)
    table.run_for(POLL)
    assert table.values() == []
    table.replace_reader()
    assert table.put(A) == [arrived(A)]


def test_a_reload_that_changes_the_device() -> None:
    """The visits go on with the new settings."""
    table = Table().began(A)
    table.settings = dataclasses.replace(table.settings, interval=1.0, presence=PresenceSettings(gone_after=3.0))
    table.replace_reader()
    assert table.put(A, seconds=10.0) == []
    assert table.put(seconds=2.5) == []
    (event,) = table.put(seconds=4.0)
    assert 10.0 < event["dwell_s"] <= 12.0


# Readers of another kind ---------------------------------------------------------------------------------------------


def test_a_stream() -> None:
    """Each read waits by itself; the same rules."""
    table = Table(interval=None, gone_after=0.3)
    table.put()
    assert table.put(A, seconds=5.0) == [arrived(A)]
    assert table.put() == [left(A, 5.0)]


def test_a_reader_that_reports_once() -> None:
    """Each report is an arrival, and nobody leaves; a report that is repeated at once is the same one."""
    table = Table(holds=False, interval=0.1)
    assert table.put() == []
    assert table.put(A, seconds=0.3) == [arrived(A)]
    assert table.put(seconds=10.0) == []
    assert table.put(A, seconds=0.1) == [arrived(A)]
    assert table.put(seconds=0.1) == []
    assert table.put(A, seconds=0.1) == []
    assert table.put(seconds=5.0) == []
    assert table.memory.visits.present == {}


# Hashes and lists ----------------------------------------------------------------------------------------------------


def test_a_hash_in_place_of_the_tag() -> None:
    """The same for the same salt, in another run, too; nothing published has the tag in it."""
    salt = "0123456789abcdef"
    expected = hmac.new(salt.encode(), A.encode(), hashlib.sha256).hexdigest()[:32]
    for _ in range(2):
        table = Table(salt=Secret(salt))
        table.put()
        assert table.put(A) == [arrived(expected)]
        assert table.put() == [left(expected, 2.0)]
    other = Table(salt=Secret(salt[::-1]))
    assert other.put(A)[0]["tag"] != expected


def test_another_salt_does_not_split_a_visit() -> None:
    """Who arrived under one name leaves under it."""
    table = Table(salt=Secret("0123456789abcdef"))
    (event,) = table.put(A)
    table.settings = dataclasses.replace(table.settings, presence=PresenceSettings(salt=Secret("fedcba9876543210")))
    table.replace_reader()
    assert table.put(A, seconds=6.0) == []
    assert table.put()[0]["tag"] == event["tag"]


def test_known_tags(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """Each event says what the list says; a changed list holds from the next event; a bad one leaves the old."""
    file = tmp_path / "tags.toml"
    file.write_text(f'[tags]\n{A} = "Anna"\n"DE:AD:BE:EF" = {{ label = "Bob", allowed = false }}\n')
    table = Table(tag_list=file)
    table.put()
    assert table.put(A) == [arrived(A, known=True, label="Anna", allowed=True)]
    assert table.put(B)[0] == arrived(B, known=True, label="Bob", allowed=False)
    assert table.put(C)[0] == arrived(C, known=False, allowed=False)
    assert table.put()[0] == left(C, 2.0) | {"known": False, "allowed": False}
    file.write_text(f"[tags]\n{A} = {{}}\n{C} = 'Cleo'\n")
    assert table.put(C) == [arrived(C, known=True, label="Cleo", allowed=True)]
    table.put()
    with caplog.at_level(logging.WARNING):
        file.write_text("[tags\nbroken")
        assert table.put(C, seconds=5.0) == [arrived(C, known=True, label="Cleo", allowed=True)]
    assert [record.message for record in caplog.records] == [table.status.last_error]
    assert table.status.last_error.startswith(f"tag list: {file}:1: ")
    assert table.status.state is State.ONLINE
    table.replace_reader()
    table.put()
    assert table.put(A) == [arrived(A, known=True, allowed=True)]


def test_a_list_of_hashes(tmp_path: Path) -> None:
    """Who has only the events can list what they say."""
    table = Table(salt=Secret("0123456789abcdef"))
    (event,) = table.put(A)
    file = tmp_path / "tags.toml"
    file.write_text(f"[tags]\n{event['tag']} = 'Anna'\n")
    listed = Table(salt=Secret("0123456789abcdef"), tag_list=file)
    assert listed.put(A)[0]["label"] == "Anna"


# Whatever happens ----------------------------------------------------------------------------------------------------

STEP = st.tuples(
    st.sets(st.sampled_from([A, B, C])),
    st.sampled_from(["good", "good", "good", "bad", "gone", "replace", "reload"]),
    st.floats(0.0, 3.0),
)


@settings(max_examples=100, deadline=None)
@given(st.lists(STEP, max_size=40), st.sampled_from([0.05, 0.5, 2.0]))
def test_every_visit_has_one_arrival_and_one_departure(steps: list[Any], gone_after: float) -> None:
    """For each tag arrivals and departures alternate, each tag that was seen has arrived, and in the end all have left.

    The time that each visit took is never more than has passed, and nobody leaves who was seen just now.
    """
    table = Table(gone_after=gone_after)
    events: list[dict[str, Any]] = []
    seen: set[str] = set()
    for tags, what, seconds in steps:
        table.trouble = {"bad": BadReading("x"), "gone": DeviceUnavailable("x")}.get(what)
        if what in ("replace", "reload"):
            table.replace_reader()
        fresh = table.put(*sorted(tags), seconds=seconds)
        events += fresh
        seen |= {event["tag"] for event in fresh}
        assert what not in ("bad", "gone") or not fresh
    table.trouble = None
    while A not in table.memory.visits.present or table.memory.visits.present[A].misses:
        events += table.put(A, seconds=10.0)
    assert A in table.memory.visits.present
    events += table.put(seconds=60.0)
    assert dict(table.memory.visits.present) == {}
    assert {event["tag"] for event in events} == seen | {A}
    for tag in seen | {A}:
        mine = [event for event in events if event["tag"] == tag]
        assert [event["event"] for event in mine] == ["arrived", "left"] * (len(mine) // 2)
        assert all(0 <= event["dwell_s"] <= table.clock.boot_ns() / 1e9 for event in mine if event["event"] == "left")
