"""What goes live, what goes to history, in which order: contract section 4, sentence by sentence."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterator
from itertools import chain
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support.delivery import SECOND, row

from gateway.delivery.lanes import CHUNK_BYTES, CHUNK_ROWS, Lanes, Send, Way
from gateway.delivery.memory_store import MemoryStore
from gateway.delivery.store import Row
from gateway.driver import Kind

BATCH_NS = 5 * SECOND
WINDOW = 10.0


class Road:
    """A store, its lanes, and a clock that the test moves."""

    def __init__(self, *, inline: bool = False, most_bytes: int = 10**9) -> None:
        self.store = MemoryStore(most_bytes)
        self.lanes = Lanes(self.store, WINDOW, inline=inline)
        self.now = 1000 * SECOND
        self._last = 0

    def add(self, device: str = "d", kind: Kind = Kind.SAMPLED, *, age: float = 0.0, batch: bool = False) -> Row:
        """Accept a reading that was taken ``age`` seconds ago."""
        self._last += 1
        new = row(self._last, device, kind, boot_ns=self.now - int(age * SECOND), batched=batch)
        self.store.accept([new])
        self.lanes.push(new, BATCH_NS if batch else 0)
        return new

    def pass_time(self, seconds: float) -> None:
        """Move the clock."""
        self.now += int(seconds * SECOND)

    def live(self) -> Iterator[Send]:
        """Everything that can go live now."""
        return iter(lambda: self.lanes.next_live(self.now), None)

    def late(self) -> Iterator[Send]:
        """Everything that can go to history now."""
        return iter(lambda: self.lanes.next_late(self.now), None)

    def told(self) -> tuple[list[str], list[str]]:
        """What goes out now, as topic and payload: live ones, then late ones."""
        return tuple(
            [f"{send.topic[2:]} {send.payload.decode()}" for send in way] for way in (self.live(), self.late())
        )  # type: ignore[return-value]


@pytest.fixture
def road() -> Road:
    """Empty."""
    return Road()


@pytest.mark.parametrize("kind", [Kind.SAMPLED, Kind.STATE])
def test_while_the_broker_keeps_up_everything_is_live(road: Road, kind: Kind) -> None:
    """In the order of acceptance, retained, one message for each reading."""
    for _ in range(3):
        road.add(kind=kind)
    sends = list(road.live())
    assert [(send.way, send.topic, send.payload, send.retain) for send in sends] == [
        (Way.LIVE, "B/d", b"%d" % number, True) for number in (1, 2, 3)
    ]
    assert road.lanes.next_late(road.now) is None


@pytest.mark.parametrize("kind", [Kind.SAMPLED, Kind.STATE])
def test_after_an_outage_the_newest_goes_live_at_once(road: Road, kind: Kind) -> None:
    """However old it is; the rest goes to history, oldest first, in one array."""
    for _ in range(5):
        road.add(kind=kind)
        road.pass_time(60)
    assert road.told() == (["d 5"], ["d/history [1,2,3,4]"])


def test_a_reading_within_the_live_window_goes_live_though_later_ones_wait(road: Road) -> None:
    """Only what is older than the window while a later one waits is late."""
    for age in (10.1, 10.0, 1.0):
        road.add(age=age)
    assert road.told() == (["d 2", "d 3"], ["d/history [1]"])


def test_a_lone_old_reading_is_news(road: Road) -> None:
    """Without a later one there is nothing newer to show."""
    road.add(age=3600)
    assert road.told() == (["d 1"], [])


def test_an_overtaken_reading_never_goes_live(road: Road) -> None:
    """When a later one of that device has been sent live, the earlier one goes to history, young as it is."""
    for _ in range(3):
        road.add()
    first, second, third = road.live()
    road.lanes.give_back([first])
    assert road.told() == ([], ["d/history [1]"])
    road.lanes.give_back([second, third])
    assert road.told() == (["d 3"], ["d/history [2]"])


def test_the_last_one_sent_may_be_sent_again(road: Road) -> None:
    """The same reading on the live topic again is no step back; what came before it is late."""
    for _ in range(3):
        road.add()
    road.lanes.give_back(list(road.live()))
    road.add()
    assert road.told() == (["d 3", "d 4"], ["d/history [1,2]"])


def test_an_event_is_live_when_it_is_younger_than_the_window(road: Road) -> None:
    """Whatever was sent before: each event is news of its own; never retained."""
    for age in (9.9, 1.0):
        road.add(kind=Kind.EVENT, age=age)
    sends = list(road.live())
    assert [(send.payload, send.retain) for send in sends] == [(b"1", False), (b"2", False)]
    road.lanes.give_back(sends[:1])
    assert road.told() == (["d 1"], [])


def test_an_old_event_goes_to_history_though_it_is_the_newest(road: Road) -> None:
    """An old door-tag scan never opens a door."""
    road.add(kind=Kind.EVENT, age=10.1)
    assert road.told() == ([], ["d/history [1]"])


def test_an_event_that_was_young_when_first_sent_is_old_when_sent_again(road: Road) -> None:
    """The age counts when it is sent."""
    road.add(kind=Kind.EVENT)
    sends = list(road.live())
    road.pass_time(11)
    road.lanes.give_back(sends)
    assert road.told() == ([], ["d/history [1]"])


def test_events_that_come_back_keep_their_order(road: Road) -> None:
    """Refused one after another, in any order, they go out again oldest first, before later ones."""
    for _ in range(3):
        road.add(kind=Kind.EVENT)
    first, second, third = road.live()
    road.add(kind=Kind.EVENT)
    for send in (second, third, first):
        road.lanes.give_back([send])
    assert road.told() == (["d 1", "d 2", "d 3", "d 4"], [])


def test_what_comes_back_is_first_in_line(road: Road) -> None:
    """Before devices that waited meanwhile, the oldest first of all: so a poisonous reading is found the sooner."""
    for device in ("d", "e", "f"):
        road.add(device)
    first, second, third = road.live()
    for device in ("g", "f"):
        road.add(device)
    road.lanes.give_back([third, first, second])
    assert road.told() == (["d 1", "e 2", "f 3", "g 4", "f 5"], [])


def test_late_readings_that_come_back_keep_their_order(road: Road) -> None:
    """A reading in flight that becomes late after its successors did goes to history before them."""
    road.add(kind=Kind.EVENT)
    first = next(road.live())
    for _ in range(2):
        road.add(kind=Kind.EVENT)
    road.pass_time(11)
    road.lanes.relieve(road.now)
    road.lanes.give_back([first])
    assert road.told() == ([], ["d/history [1,2,3]"])


def test_arrays_that_come_back_keep_their_order(road: Road) -> None:
    """Refused in any order, they go out again oldest first."""
    for _ in range(2 * CHUNK_ROWS + 1):
        road.add(kind=Kind.EVENT, age=60)
    assert list(road.live()) == []
    sends = list(road.late())
    for send in sends:
        road.store.give_back(send.rows)
    ids = [row.id for send in road.late() for row in send.rows]
    assert ids == list(range(1, 2 * CHUNK_ROWS + 2))


def test_devices_take_turns(road: Road) -> None:
    """A device with a thousand readings delays another by one."""
    for _ in range(1000):
        road.add("flood")
    road.add("calm")
    assert [send.device for _, send in zip(range(3), road.live(), strict=False)] == ["flood", "calm", "flood"]


def test_arrays_are_limited_by_number_and_by_size(road: Road) -> None:
    """At most 100 readings and about 32 KiB; a larger single reading travels alone."""
    sizes = [10] * 150 + [20_000] * 3 + [CHUNK_BYTES * 2, 10]
    for size in sizes:
        new = road.add(kind=Kind.EVENT, age=60)
        new.body = b"9" * size
    list(road.live())
    sends = list(road.late())
    assert [len(send.rows) for send in sends] == [100, 51, 1, 1, 1, 1]
    assert sum(len(send.rows) for send in sends) == len(sizes)


def test_arrays_stay_within_the_brokers_packet(road: Road) -> None:
    """With a maximum packet size, arrays are so much smaller; without one they are as large as before."""
    road.lanes.limit_packet(1000)
    for _ in range(100):
        road.add(kind=Kind.EVENT, age=60).body = b"9" * 99
    list(road.live())
    sends = list(road.late())
    assert max(len(send.payload) for send in sends) <= 488
    road.lanes.limit_packet(None)
    for send in sends:
        road.store.give_back(send.rows)
    assert [len(send.rows) for send in road.late()] == [100]


def test_inline_sends_late_ones_one_by_one_to_the_live_topic() -> None:
    """``replay = "inline"``: not retained, oldest first."""
    road = Road(inline=True)
    for _ in range(3):
        road.add(age=60)
    assert [(s.topic, s.payload, s.retain) for s in road.live()] == [("B/d", b"3", True)]
    assert [(s.topic, s.payload, s.retain) for s in road.late()] == [("B/d", b"1", False), ("B/d", b"2", False)]


def test_a_batch_device_collects_arrays_and_shows_its_newest(road: Road) -> None:
    """All readings in arrays on ``batch``, when the time has come; the newest live, at most once a second."""
    first = road.add(batch=True)
    assert [(s.way, s.topic, s.payload, s.retain, s.rows) for s in road.live()] == [(Way.COPY, "B/d", b"1", True, ())]
    road.pass_time(0.5)
    road.add(batch=True)
    assert list(road.live()) == []
    assert road.lanes.next_due_ns(road.now) == road.now + SECOND // 2
    road.pass_time(0.5)
    assert road.told() == (["d 2"], [])
    assert road.lanes.next_due_ns(road.now) == first.boot_ns + BATCH_NS
    road.pass_time(4)
    (send,) = road.live()
    assert (send.way, send.topic, send.payload, send.retain) == (Way.BATCH, "B/d/batch", b"[1,2]", False)
    assert road.lanes.next_due_ns(road.now) is None


def test_a_full_batch_does_not_wait(road: Road) -> None:
    """A hundred readings, or as many bytes as an array may have, go at once."""
    for _ in range(CHUNK_ROWS + 1):
        road.add(batch=True)
    assert [len(send.rows) for send in road.live()] == [0, CHUNK_ROWS]
    road.add(batch=True).body = b"9" * CHUNK_BYTES
    assert [len(send.rows) for send in road.live()] == [1, 1]


def test_late_batches_go_to_the_batch_topic(road: Road) -> None:
    """After an outage: all of it in arrays on ``batch``, and the newest live at once."""
    for _ in range(3):
        road.add(batch=True, age=60)
    live, late = road.told()
    assert (live, late) == (["d 3", "d/batch [3]"], ["d/batch [1,2]"])


@pytest.mark.parametrize("kind", [Kind.SAMPLED, Kind.EVENT])
def test_batches_that_come_back_keep_their_order(road: Road, kind: Kind) -> None:
    """Refused in any order, the readings go out again oldest first."""
    for _ in range(2 * CHUNK_ROWS):
        road.add(kind=kind, batch=True)
    _, first, second = road.live()
    road.lanes.give_back([first])
    road.lanes.give_back([second])
    assert [row.id for send in road.live() for row in send.rows] == list(range(1, 2 * CHUNK_ROWS + 1))


def test_a_copy_that_was_not_acknowledged_is_made_again(road: Road) -> None:
    """Else the live topic would show an old value until the next reading."""
    road.add(batch=True)
    road.lanes.give_back(list(road.live()))
    road.pass_time(1)
    assert road.told() == (["d 1"], [])


def test_a_mixed_lane_keeps_its_order(road: Road) -> None:
    """A reload that switches batches on or off loses and doubles nothing."""
    road.add(batch=True)
    road.add()
    road.add(batch=True)
    ids: list[int] = []
    for _ in range(10):
        ids += [row.id for send in road.live() for row in send.rows]
        road.pass_time(1)
    assert ids == [1, 2, 3]


@pytest.mark.parametrize("way", [Way.LIVE, Way.LATE])
def test_a_held_way_stops_neither_the_other_way_nor_another_device(road: Road, way: Way) -> None:
    """The broker may allow the live topic and deny history, or the other way round."""
    for age in (60, 60, 0):
        road.add(age=age)
        road.add("other", age=age)
    sends = {send.way: send for send in (*road.live(), *road.late()) if send.device == "d"}
    send = sends[way]
    road.lanes.hold(send, road.now + 30 * SECOND)
    for known in sends.values():
        road.lanes.give_back([known])
        if known.way is Way.LATE:
            road.store.give_back(known.rows)
    live, late = road.told()
    assert (live, late) == ((["d 5"], []) if way is Way.LATE else ([], ["d/history [1,3]"]))
    road.add("other")
    assert road.told() == (["other 7"], [])
    road.pass_time(30)
    live, late = road.told()
    assert (live, late) == (([], ["d/history [1,3]"]) if way is Way.LATE else (["d 5"], []))


@pytest.mark.parametrize("way", [Way.BATCH, Way.COPY])
def test_a_held_batch_or_copy_is_not_due(road: Road, way: Way) -> None:
    """Else the publisher would spin: due now, and still not to be sent."""
    road.add(batch=True)
    copy = next(road.live())
    road.pass_time(5)
    batch = next(road.live())
    send = copy if way is Way.COPY else batch
    road.lanes.hold(send, road.now + 30 * SECOND)
    road.lanes.give_back([copy, batch])
    for _ in range(20):
        list(road.live())
        due = road.lanes.next_due_ns(road.now)
        assert due is None or due > road.now
        road.pass_time(1)
    road.pass_time(11)
    road.add(batch=True)
    assert send.topic in {known.topic for known in (*road.live(), *road.late())}


def test_relieve_hands_over_what_is_late(road: Road) -> None:
    """While nothing can be sent: all but the newest of a sampled device, all of an event device."""
    for kind in (Kind.SAMPLED, Kind.EVENT):
        for _ in range(3):
            road.add(kind, kind)
    road.pass_time(11)
    road.lanes.relieve(road.now)
    assert [len(send.rows) for send in road.late()] == [2, 3]
    assert [send.payload for send in road.live()] == [b"3"]


def test_evict_takes_the_oldest_that_waits(road: Road) -> None:
    """What is in flight is not touched; a device without any gives ``None``."""
    for _ in range(3):
        road.add()
    next(road.live())
    assert [road.lanes.evict("d"), road.lanes.evict("d"), road.lanes.evict("nobody")][0] is not None
    assert road.lanes.evict("d") is None
    assert road.told() == ([], [])


KINDS = {"s": Kind.SAMPLED, "z": Kind.STATE, "e": Kind.EVENT, "b": Kind.SAMPLED, "c": Kind.EVENT}
"""Devices; ``b`` and ``c`` have batches."""
STEP = st.one_of(
    st.tuples(st.just("push"), st.sampled_from(sorted(KINDS))),
    st.tuples(st.sampled_from(["live", "late", "relieve", "lose"]), st.none()),
    st.tuples(st.just("time"), st.sampled_from([0.3, 1.0, 6.0, 12.0])),
    st.tuples(st.sampled_from(["ack", "refuse"]), st.integers(0, 20)),
)


class Traffic(Road):
    """Plays the publisher, and keeps the books."""

    def __init__(self, *, inline: bool) -> None:
        super().__init__(inline=inline)
        self.inline = inline
        self.flight: list[Send] = []
        self.settled: list[int] = []
        self.pushed: list[int] = []
        self.shown: dict[str, int] = defaultdict(int)

    def do(self, what: str, value: Any) -> None:
        """One step of the kind that ``STEP`` makes."""
        match what:
            case "push":
                self.pushed.append(self.add(value, KINDS[value], batch=value in "bc").id)
            case "live":
                self.sent(self.lanes.next_live(self.now))
            case "late":
                self.sent(self.lanes.next_late(self.now))
            case "relieve":
                self.lanes.relieve(self.now)
            case "lose":
                self.lose()
            case "time":
                self.pass_time(value)
            case _ if self.flight:
                (self.ack if what == "ack" else self.refuse)(self.flight.pop(value % len(self.flight)))

    def sent(self, send: Send | None) -> None:
        """A message went out: look at it."""
        if send is None:
            return
        self.flight.append(send)
        ids = [row.id for row in send.rows]
        assert ids == sorted(ids)
        if send.way in (Way.LIVE, Way.COPY) and KINDS[send.device] is not Kind.EVENT:
            assert int(send.payload) >= self.shown[send.device]
            self.shown[send.device] = int(send.payload)
        if send.topic.endswith(("/history", "/batch")):
            assert json.loads(send.payload) == ids

    def ack(self, send: Send) -> None:
        """PUBACK."""
        self.settled += [row.id for row in send.rows]
        self.store.settle(send.rows)

    def refuse(self, send: Send) -> None:
        """PUBACK with a code that says later."""
        if send.way is Way.LATE:
            self.store.give_back(send.rows)
        else:
            self.lanes.give_back([send])

    def lose(self) -> None:
        """The connection is gone."""
        self.store.rewind()
        self.lanes.give_back(self.flight)
        self.flight.clear()

    def check(self) -> None:
        """Every row is in one place, and every place is in order."""
        places = [[row.id for row in lane.waiting] for lane in self.lanes._lanes.values()]
        places += [[row.id for row in late] for late in self.store._late.values()]
        assert all(place == sorted(place) for place in places)
        places += [[row.id for row in send.rows] for send in self.flight]
        assert sorted([*chain(*places), *self.settled]) == self.pushed


@settings(max_examples=300, deadline=None)
@given(st.lists(STEP, max_size=120), st.booleans())
def test_every_row_is_settled_once_and_nothing_runs_backwards(
    steps: list[tuple[str, object]],
    inline: bool,  # noqa: FBT001 (hypothesis gives it)
) -> None:
    """Whatever happens in whatever order: no row is lost, doubled or in two places, and no live topic moves back."""
    traffic = Traffic(inline=inline)
    for what, value in steps:
        traffic.do(what, value)
        traffic.check()
    traffic.lose()
    for _ in range(8):
        for send in (*traffic.live(), *traffic.late()):
            traffic.sent(send)
            traffic.ack(traffic.flight.pop())
        traffic.pass_time(1)
    assert sorted(traffic.settled) == traffic.pushed
    assert traffic.store.status().queued == 0
