"""gateway/reading/tag_list.py: read again when it changes, and kept when it is bad."""

from __future__ import annotations

import logging
from pathlib import Path

import pytest

from gateway.reading.tag_list import TagList

SECOND = 1_000_000_000


def test_is_read_again_when_it_changes(tmp_path: Path) -> None:
    """At most a second later."""
    file = tmp_path / "tags.toml"
    file.write_text("[tags]\n04a2 = 'Anna'\n")
    tags = TagList(file)
    tags.look(0)
    file.write_text("[tags]\n04a3 = 'Bob'\n")
    tags.look(SECOND - 1)
    assert tags.find("04a2") is not None
    tags.look(SECOND)
    assert tags.find("04a2") is None
    assert tags.find("04a3") is not None


def test_is_not_read_when_it_does_not_change(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """One look at its time and size, no more."""
    reads = []
    file = tmp_path / "tags.toml"
    file.write_text("")
    monkeypatch.setattr("gateway.reading.tag_list.read_tag_list", lambda path: reads.append(path) or {})
    tags = TagList(file)
    for second in range(10):
        tags.look(second * SECOND)
    assert reads == [file]


@pytest.mark.parametrize("harm", ["broken", "gone"])
def test_a_bad_file_leaves_the_old_entries(tmp_path: Path, caplog: pytest.LogCaptureFixture, harm: str) -> None:
    """Said once, with the place; and once more when it is whole again."""
    file = tmp_path / "tags.toml"
    file.write_text("[tags]\n04a2 = 'Anna'\n")
    tags = TagList(file)
    tags.look(0)
    if harm == "gone":
        file.unlink()
    else:
        file.write_text("[tags]\n04a2 = 'Anna'\nwrong = 5\nworse = 6\n")
    with caplog.at_level(logging.INFO):
        for second in range(1, 10):
            tags.look(second * SECOND)
        assert tags.find("04a2") is not None
        (record,) = caplog.records
        where = f"{file}: No such file or directory" if harm == "gone" else f"{file}:3: tags.wrong: is no tag"
        assert record.message.startswith(f"tag list: {where}")
        assert record.message.endswith("the 1 tags known before stay")
        assert tags.trouble == record.message
        file.write_text("[tags]\n04a3 = 'Bob'\n")
        tags.look(20 * SECOND)
    assert caplog.records[-1].message == f"{file}: read again: 1 tags"
    assert tags.trouble == ""
    assert tags.find("04a2") is None
