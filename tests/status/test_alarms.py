"""What needs a person."""

from __future__ import annotations

import logging

import pytest

from gateway.status.alarms import Alarms


def test_the_same_trouble_is_one_alarm(caplog: pytest.LogCaptureFixture) -> None:
    """Told and logged once, however often it is noticed; gone when it is over."""
    told: list[int] = []
    alarms = Alarms(lambda: told.append(1))
    with caplog.at_level(logging.INFO):
        for _ in range(3):
            alarms.set("disk", "full")
        alarms.set("quota", "no more")
        assert alarms.texts() == ["full", "no more"]
        alarms.clear("disk")
        alarms.clear("disk")
    assert (alarms.texts(), alarms.any, len(told)) == (["no more"], True, 3)
    assert [record.getMessage() for record in caplog.records] == [
        "alarm: full",
        "alarm: no more",
        "alarm over: full",
    ]
