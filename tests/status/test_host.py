"""Facts about the machine."""

from __future__ import annotations

from pathlib import Path

from gateway.status import host


def test_temperature_and_supply(tmp_path: Path) -> None:
    """The kernel's thousandths of a degree; bit 0 of the firmware's flags; ``None`` where there is nothing."""
    file = tmp_path / "value"
    file.write_text("48312\n")
    assert host.temperature(file) == 48.312
    file.write_text("0x50005\n")
    assert host.undervoltage(file) is True
    file.write_text("50000\n")
    assert host.undervoltage(file) is False
    file.write_text("rubbish")
    assert (host.temperature(file), host.undervoltage(file)) == (None, None)
    assert (host.temperature(tmp_path / "no"), host.undervoltage(tmp_path / "no")) == (None, None)


def test_disk_free_of_a_folder_that_is_not_there_yet(tmp_path: Path) -> None:
    """Of the disk where it will be."""
    free = host.disk_free(tmp_path / "a" / "b")
    assert free is not None
    assert free > 0


def test_all_facts_have_their_names(tmp_path: Path) -> None:
    """Contract section 4."""
    assert set(host.facts(tmp_path)) == {"ip", "temperature_c", "undervoltage", "disk_free"}
