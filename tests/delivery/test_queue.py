"""Where readers and the publisher meet."""

from __future__ import annotations

import threading
from itertools import pairwise

from gateway.delivery.queue import HELPING, DeviceQueue, Inbox
from gateway.driver import Kind
from gateway.reading.reading import Sample

SAMPLE = Sample((("t", 1.0),), 0, 0, None)


def drain(inbox: Inbox) -> list[tuple[str, int]]:
    """Take everything as the publisher does: (device, seq) in order."""
    out = []
    while (queue := inbox.get(0)) is not None:
        assert isinstance(queue, DeviceQueue)
        out += [(reading.device, reading.seq) for reading in queue.take()]
    return out


def test_numbers_go_on_over_generations() -> None:
    """One counter for the run; what an older generation brings is refused and uses none."""
    inbox = Inbox()
    queue = DeviceQueue("d", "r", 10, inbox)
    first = queue.claim(Kind.SAMPLED)
    assert queue.put(first, SAMPLE)
    second = queue.claim(Kind.SAMPLED)
    assert not queue.put(first, SAMPLE)
    assert not queue.refuse(first, "rate")
    assert queue.put(second, SAMPLE)
    assert drain(inbox) == [("d", 1), ("d", 2)]
    assert queue.last_seq == 2


def test_full_is_counted_and_shows_as_a_gap() -> None:
    """A reader never waits."""
    inbox = Inbox()
    queue = DeviceQueue("d", "r", 3, inbox)
    generation = queue.claim(Kind.SAMPLED)
    for _ in range(5):
        assert queue.put(generation, SAMPLE)
    assert drain(inbox) == [("d", 1), ("d", 2), ("d", 3)]
    queue.put(generation, SAMPLE)
    assert drain(inbox) == [("d", 6)]
    assert queue.ledger.snapshot().dropped == {"queue_full": 2}


def test_a_flood_delays_another_device_by_one_helping() -> None:
    """Turns, not arrival, decide between devices."""
    inbox = Inbox()
    flood, calm = DeviceQueue("flood", "r", 10_000, inbox), DeviceQueue("calm", "r", 10, inbox)
    generation = flood.claim(Kind.SAMPLED)
    for _ in range(1000):
        flood.put(generation, SAMPLE)
    calm.put(calm.claim(Kind.SAMPLED), SAMPLE)
    assert drain(inbox).index(("calm", 1)) == HELPING


def test_many_writers_and_one_reader_lose_nothing() -> None:
    """Every number once and in order, from eight threads that write to four devices."""
    inbox = Inbox()
    queues = [DeviceQueue(f"d{number}", "r", 100_000, inbox) for number in range(4)]
    generations = [queue.claim(Kind.SAMPLED) for queue in queues]

    def write(number: int) -> None:
        for _ in range(3000):
            queues[number % 4].put(generations[number % 4], SAMPLE)

    threads = [threading.Thread(target=write, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    seen: list[tuple[str, int]] = []
    while any(thread.is_alive() for thread in threads):
        seen += drain(inbox)
    seen += drain(inbox)
    for queue in queues:
        numbers = [seq for device, seq in seen if device == queue.device]
        assert numbers[0] == 1
        assert len(numbers) == 6000
        assert all(after == before + 1 for before, after in pairwise(numbers))


def test_the_inbox_hands_out_what_is_there() -> None:
    """At most as many as asked for, and nothing when nothing came in time."""
    inbox = Inbox()
    assert inbox.drain(10, 0.0) == []
    for number in range(5):
        inbox.post(number)
    assert inbox.drain(3, 0.0) == [0, 1, 2]
    assert inbox.drain(3, 1.0) == [3, 4]
