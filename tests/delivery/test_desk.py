"""What a person asks of delivery, and that every ledger follows: on a running publisher."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from support import Mosquitto, free_port, wait_until
from support.publishing import Rig

from gateway.delivery.desk import Desk
from gateway.delivery.store import Counts
from gateway.status.control import ControlError
from gateway.status.ledger import Ledger


def desk_of(rig: Rig, *, keeps: bool = False) -> Desk:
    """The desk of a gateway whose store is in memory."""

    def follow(counts: Counts, step: Callable[[Ledger, int], None]) -> None:
        for (device, _run), count in counts.items():
            step(rig.queues[device].ledger, count)

    return Desk(
        inbox=rig.inbox,
        publisher=rig.publisher,
        caretaker=rig.store,
        ledgers=lambda: {device: queue.ledger for device, queue in rig.queues.items()},
        follow=follow,
        run="run1",
        runs=rig.store.runs,
        keeps=lambda: keeps,
    )


@pytest.fixture
def alone() -> Iterator[Rig]:
    """A publisher without a broker."""
    rig = Rig(f"mqtt://127.0.0.1:{free_port()}", live_window=0.0).start(connected=False)
    yield rig
    rig.stop(flush=0.0)


def ask(verb: Callable[[Any], Iterator[dict[str, Any]]], **request: Any) -> list[dict[str, Any]]:
    """The lines of an answer."""
    return list(verb(request))


def test_the_ledger_as_it_is(alone: Rig) -> None:
    """Figures of all devices, earlier runs, and what was sent and not acknowledged."""
    alone.put(3)
    wait_until(lambda: alone.ledger().read == 3)
    (answer,) = ask(desk_of(alone).ledger)
    assert (answer["run"], answer["runs"], answer["in_flight"]) == ("run1", [], [])
    figures = answer["devices"]["d"]
    assert (figures["read"], figures["queued"], figures["acked"], figures["dropped"]) == (3, 3, 0, {})


def test_waiting_readings_are_deleted_and_counted(alone: Rig) -> None:
    """All but the newest, which may still go live."""
    alone.put(10)
    wait_until(lambda: alone.store.queued == 10)
    alone.skip(1.0)
    wait_until(lambda: alone.store.head() is not None, what="late ones")
    assert ask(desk_of(alone).purge, what="queued") == [{"device": "d", "readings": 9}]
    ledger = alone.ledger()
    assert (ledger.queued, ledger.dropped) == (1, {"purged": 9})


def test_dead_letters_wait_again_or_are_deleted(broker: Mosquitto) -> None:
    """A reading that is too large for the broker dies; both ways keep the balance."""
    rig = Rig(broker.url).start()
    desk = desk_of(rig)
    rig.put(2, value="x" * 3000)
    wait_until(lambda: rig.ledger().dead == 2)
    assert ask(desk.retry) == [{"device": "d", "readings": 2}]
    wait_until(lambda: rig.ledger().dead == 2, what="dead again, since the limit is what it was")
    assert ask(desk.purge, what="dead") == [{"device": "d", "readings": 2}]
    assert (rig.ledger().dead, rig.ledger().dropped) == (0, {"purged": 2})
    assert ask(desk.retry) == []
    rig.stop()


@pytest.fixture
def broker(make_mosquitto: Callable[..., Mosquitto]) -> Mosquitto:
    """One that takes 1000 bytes."""
    return make_mosquitto("max_packet_size 1000")


def test_a_request_that_makes_no_sense(alone: Rig) -> None:
    """Is answered with what would."""
    with pytest.raises(ControlError, match="one of queued, dead, kept"):
        ask(desk_of(alone).purge, what="all")
    with pytest.raises(ControlError, match="since: seconds"):
        ask(desk_of(alone, keeps=True).resend, since="yesterday")
    with pytest.raises(ControlError, match="nothing is kept"):
        ask(desk_of(alone).resend, since=60)
