"""Numbers for devices."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest

from gateway.delivery.spool.file import SpoolFile
from gateway.delivery.spool.record import Stream
from gateway.delivery.spool.streams import Streams

DOOR = Stream("door", "B/door", "event", retain=False, batched=False)


def test_a_number_is_given_once_and_known_after_a_restart(tmp_path: Path) -> None:
    """The same for the same device and topic; another topic of the device is another stream."""
    file = SpoolFile(tmp_path / "spool.db")
    streams = Streams()
    number = streams.number(file, DOOR)
    moved = streams.number(file, Stream("door", "C/door", "event", retain=False, batched=False))
    assert (streams.number(file, DOOR), moved != number) == (number, True)
    again = Streams()
    again.load(file)
    assert (again.known(DOOR), again.get(number), again.any_of("door")) == (number, DOOR, number)
    file.close()


def test_a_number_of_a_failed_transaction_is_not_given(tmp_path: Path) -> None:
    """Rows written later under it would have no name."""
    file = SpoolFile(tmp_path / "spool.db")
    streams = Streams()
    with pytest.raises(sqlite3.OperationalError), streams.transaction(file):  # noqa: PT012 (one transaction)
        streams.number(file, DOOR)
        raise sqlite3.OperationalError("database or disk is full")
    assert streams.known(DOOR) is None
    assert file.streams() == {}
    file.close()
