"""The account of one device."""

from __future__ import annotations

import threading

from gateway.status.ledger import Ledger


def test_every_step_keeps_the_balance() -> None:
    """Read = acked + queued + dead + sum(dropped), after each."""
    ledger = Ledger()
    steps = [
        ledger.accepted,
        ledger.accepted,
        ledger.accepted,
        ledger.accepted,
        lambda: ledger.refused("queue_full"),
        lambda: ledger.acked(unheard=True),
        ledger.died,
        ledger.revived,
        ledger.died,
        lambda: ledger.dropped("spool_full"),
    ]
    for step in steps:
        step()
        assert ledger.snapshot().balanced
    shot = ledger.snapshot()
    assert (shot.read, shot.acked, shot.queued, shot.dead, shot.unheard) == (5, 1, 1, 1, 1)
    assert shot.dropped == {"queue_full": 1, "spool_full": 1}


def test_what_is_no_reading_is_counted_beside() -> None:
    """What came to nothing, and what was tried with the device."""
    ledger = Ledger()
    kinds = ("failed", "missed", "suppressed", "reopens", "renewals", "resets", "restarts", "abandoned")
    for number, what in enumerate(kinds, 1):
        ledger.note(what, number)
    shot = ledger.snapshot()
    assert [getattr(shot, what) for what in kinds] == list(range(1, len(kinds) + 1))
    assert shot.read == 0


def test_a_snapshot_balances_whatever_others_do_meanwhile() -> None:
    """Four threads at once, looked at all the time."""
    ledger = Ledger()
    done = threading.Event()

    def work() -> None:
        for _ in range(3000):
            ledger.accepted()
            ledger.acked()
            ledger.refused("rate")

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    while any(thread.is_alive() for thread in threads):
        assert ledger.snapshot().balanced
    done.set()
    assert (ledger.snapshot().read, ledger.snapshot().queued) == (24_000, 0)
