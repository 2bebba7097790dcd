"""The topic tree of contract section 4."""

from __future__ import annotations

from gateway.delivery.topics import Topics


def test_the_tree() -> None:
    """Word for word."""
    topics = Topics.of("home/sensors", "attic")
    live = topics.live("office")
    assert live == "home/sensors/attic/office"
    assert topics.history(live) == "home/sensors/attic/office/history"
    assert topics.batch(live) == "home/sensors/attic/office/batch"
    assert topics.availability("office") == "home/sensors/attic/office/availability"
    assert topics.status("office") == "home/sensors/attic/office/status"
    assert topics.gateway("state") == "home/sensors/attic/gateway/state"
