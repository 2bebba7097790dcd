"""What was dropped is in the file with whatever is written next."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from gateway.delivery.spool.file import SpoolFile
from gateway.delivery.spool.losses import Losses
from gateway.delivery.spool.record import Stream


@pytest.fixture
def file(tmp_path: Path) -> Iterator[SpoolFile]:
    """With runs old (1) and now (2), and the devices a (1) and b (2)."""
    made = SpoolFile(tmp_path / "spool.db")
    for run in ("old", "now"):
        made.begin_run(run, "boot", exact=True)
    for device in ("a", "b"):
        made.stream(Stream(device, f"B/{device}", "sampled", retain=True, batched=False))
    yield made
    made.close()


def write(losses: Losses, file: SpoolFile) -> list[tuple[int, int, int]]:
    """What the file says after a write: run, device's number, count."""
    with file.transaction():
        losses.write(file, 2, {"a": 1, "b": 2}.get)
    losses.written()
    return sorted(file.losses())


def test_each_loss_is_written_once(file: SpoolFile) -> None:
    """Those of this run with what was lost outside, those of earlier runs added to what is there."""
    losses = Losses("now")
    outside = {"a": 0, "b": 4}
    losses.outside = lambda: outside
    assert [losses.add("a", "now"), losses.add("a", "old", 2), losses.add("nobody", "old")] == [False, True, True]
    assert losses.pending
    assert write(losses, file) == [(1, 1, 2), (2, 1, 1), (2, 2, 4)]
    assert not losses.pending
    assert write(losses, file) == [(1, 1, 2), (2, 1, 1), (2, 2, 4)]
    losses.add("a", "old")
    losses.add("b", "now")
    outside["b"] = 5
    assert write(losses, file) == [(1, 1, 3), (2, 1, 1), (2, 2, 6)]


def test_a_loss_that_could_not_be_written_is_written_later(file: SpoolFile) -> None:
    """A device without a number yet; and what is lost outside between the writing and the commit."""
    losses = Losses("now")
    outside = {"a": 1}
    losses.outside = lambda: outside
    with file.transaction():
        losses.write(file, 2, lambda _device: None)
    losses.written()
    assert file.losses() == []
    with file.transaction():
        losses.write(file, 2, {"a": 1}.get)
    outside["a"] = 2
    losses.written()
    assert file.losses() == [(2, 1, 1)]
    assert write(losses, file) == [(2, 1, 2)]


def test_what_was_not_committed_is_written_again(file: SpoolFile) -> None:
    """After a transaction that was rolled back, and to a new file in the place of a damaged one."""
    losses = Losses("now")
    losses.add("a", "now")
    losses.add("a", "old")

    def rolled_back() -> None:
        with file.transaction():
            losses.write(file, 2, {"a": 1}.get)
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        rolled_back()
    assert write(losses, file) == [(1, 1, 1), (2, 1, 1)]
    file.execute("DELETE FROM loss")
    losses.again()
    assert write(losses, file) == [(2, 1, 1)]
