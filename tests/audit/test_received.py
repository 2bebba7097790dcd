"""What counts as a duplicate, and what as out of order."""

from __future__ import annotations

from typing import Any

import pytest

from gateway.audit.received import Received


def test_a_reading_counts_once() -> None:
    """However often it comes; each device and run has its own numbers."""
    received = Received()
    for device, run, seq in (("a", "r", 1), ("a", "r", 1), ("a", "s", 1), ("b", "r", 1), ("a", "r", 1)):
        assert received.take(device, {"run": run, "seq": seq})
    streams = {stream: seqs.count for stream, seqs in received.seqs.items()}
    assert streams == {("a", "r"): 1, ("a", "s"): 1, ("b", "r"): 1}
    assert dict(received.duplicates) == {"a": 2}


def test_order_is_kept_within_a_topic() -> None:
    """History beside live is in order; a redelivery is a duplicate and not out of order."""
    received = Received()
    for topic, seq in (("live", 5), ("history", 1), ("history", 2), ("live", 6), ("live", 5), ("live", 4)):
        received.take("a", {"run": "r", "seq": seq}, topic)
    assert (received.out_of_order["a"], received.duplicates["a"]) == (1, 1)


@pytest.mark.parametrize(
    "reading", [{}, {"run": "r"}, {"run": 1, "seq": 1}, {"run": "r", "seq": "1"}, {"run": "r", "seq": True}]
)
def test_what_has_no_identity_is_no_reading(reading: dict[str, Any]) -> None:
    """Others may publish on our topics."""
    received = Received()
    assert not received.take("a", reading)
    assert not received.take("a", {"run": "r", "seq": 0})
    assert not received.take("a", {"run": "r", "seq": 10**30})
    assert received.devices() == set()
