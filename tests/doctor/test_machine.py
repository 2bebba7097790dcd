"""The machine as its files show it."""

from __future__ import annotations

from pathlib import Path

import pytest
from support.sickbed import PI4, PI5

from gateway.doctor.machine import Machine, Owner, Unseen


def test_what_is_not_there(tmp_path: Path) -> None:
    """Is nothing, and no error."""
    machine = Machine(tmp_path)
    assert machine.read("/proc/nothing") == ""
    assert machine.owner("/dev/nothing") is None
    assert machine.names("/nothing") == []
    assert not machine.exists("/nothing")
    assert (machine.model, machine.is_pi, machine.is_pi5) == ("", False, False)


def test_what_may_not_be_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Is something else than what is not there."""

    def refuse(*_: object, **__: object) -> str:
        raise PermissionError(13, "no")

    monkeypatch.setattr(Path, "read_text", refuse)
    with pytest.raises(Unseen, match="/secret"):
        Machine(tmp_path).read("/secret")


def test_paths(tmp_path: Path) -> None:
    """Below the root; one that is there already stays. Links lead to paths of the machine."""
    machine = Machine(tmp_path)
    assert machine.path("/dev/x") == machine.path(tmp_path / "dev" / "x") == tmp_path / "dev" / "x"
    (tmp_path / "dev").mkdir()
    (tmp_path / "dev" / "link").symlink_to(tmp_path / "dev" / "x")
    assert machine.target("/dev/link") == "/dev/x"
    (tmp_path / "dev" / "out").symlink_to("/somewhere")
    assert machine.target("/dev/out") == "/somewhere"


@pytest.mark.parametrize(
    ("model", "is_pi5"),
    [(PI4, False), (PI5, True), ("Raspberry Pi 500 Rev 1.0", True), ("Raspberry Pi Compute Module 5 Rev 1.0", True)],
)
def test_models(tmp_path: Path, model: str, is_pi5: bool) -> None:  # noqa: FBT001 (a parameter of the test)
    """Those with the RP1, and the others."""
    (tmp_path / "proc" / "device-tree").mkdir(parents=True)
    (tmp_path / "proc" / "device-tree" / "model").write_text(model + "\0")
    machine = Machine(tmp_path)
    assert (machine.model, machine.is_pi, machine.is_pi5) == (model, True, is_pi5)


def test_who_may() -> None:
    """As the kernel decides: the first of owner, group and others that fits."""
    owner = Owner(1000, 20, 0o460)
    assert owner.allows(0, frozenset())
    assert not owner.allows(1000, frozenset({20}))
    assert owner.allows(1001, frozenset({20}))
    assert not owner.allows(1001, frozenset())
