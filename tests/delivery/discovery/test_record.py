"""What is remembered of announcements."""

from __future__ import annotations

import json
import logging
import os
from pathlib import Path

import pytest

from gateway.delivery.discovery.record import NAME, Record


def test_it_is_there_after_a_restart(tmp_path: Path) -> None:
    """Topics with their components, and devices; what is forgotten is gone."""
    record = Record(tmp_path / "state" / NAME)
    record.add({"t/a": ["sensor-x"], "t/b": []}, ["s/a", "s/b"])
    record.add({"t/a": ["sensor-y"]}, ())
    record.forget("t/b")
    record.forget("s/b")
    again = Record(tmp_path / "state" / NAME)
    assert again.entities == {"t/a": {"sensor-x", "sensor-y"}}
    assert again.devices == {"s/a"}


def test_it_is_written_only_when_something_changes(tmp_path: Path) -> None:
    """An SD card does not see the same again."""
    record = Record(tmp_path / NAME)
    record.add({"t": ["sensor-x"]}, ["s"])
    (tmp_path / NAME).unlink()
    record.add({"t": ["sensor-x"]}, ["s"])
    record.forget("other")
    assert not (tmp_path / NAME).exists()


@pytest.mark.parametrize(
    "content",
    [
        "",
        "{",
        "[]",
        '{"entities": 3, "devices": []}',
        '{"entities": {}}',
        "\udcff",
        pytest.param("[" * 100_000, id="deep"),
    ],
)
def test_a_damaged_file_is_a_line_in_the_log(tmp_path: Path, content: str, caplog: pytest.LogCaptureFixture) -> None:
    """The gateway starts all the same."""
    (tmp_path / NAME).write_bytes(content.encode("utf-8", "surrogateescape"))
    record = Record(tmp_path / NAME)
    assert (record.entities, record.devices) == ({}, set())
    assert "cannot be read" in caplog.text


def test_only_topics_can_be_remembered(tmp_path: Path) -> None:
    """A wildcard among them would end every connection."""
    content = {"entities": {"t/a": [], "#": [], "t/+": [], "": [], "t/\0": []}, "devices": ["s/a", "#", "", 7, None]}
    (tmp_path / NAME).write_text(json.dumps(content))
    record = Record(tmp_path / NAME)
    assert (record.entities, record.devices) == ({"t/a": set()}, {"s/a"})


def test_a_place_that_cannot_be_written_is_said_once(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """It is remembered for this run."""
    (tmp_path / "state").write_text("no folder")
    with caplog.at_level(logging.WARNING):
        record = Record(tmp_path / "state" / NAME)
        record.add({"t": []}, ["a"])
        record.add({"t": []}, ["b"])
    assert sum("cannot be written" in line for line in caplog.messages) == 1
    assert record.devices == {"a", "b"}


def test_it_is_for_nobody_else(tmp_path: Path) -> None:
    """Whatever the umask, and also where the folder is not there yet."""
    before = os.umask(0)
    try:
        Record(tmp_path / "state" / NAME).add({"t": ["sensor-x"]}, ["s"])
    finally:
        os.umask(before)
    assert oct((tmp_path / "state").stat().st_mode & 0o077) == "0o0"
    assert oct((tmp_path / "state" / NAME).stat().st_mode & 0o077) == "0o0"
