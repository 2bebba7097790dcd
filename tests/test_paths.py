"""Where things are kept (contract section 1)."""

from __future__ import annotations

from pathlib import Path

import pytest

from gateway.paths import boot_id, control_socket, new_run, state_directory


@pytest.mark.parametrize(
    ("config", "environ", "root", "expected"),
    [
        ("/etc/sensorpost/sensorpost.toml", {"STATE_DIRECTORY": "/s/one:/s/two"}, True, "/s/one"),
        ("/etc/sensorpost/sensorpost.toml", {"HOME": "/home/me"}, False, "/var/lib/sensorpost"),
        ("/home/me/sensorpost.toml", {"HOME": "/home/me"}, True, "/var/lib/sensorpost"),
        ("/home/me/sensorpost.toml", {"HOME": "/home/me"}, False, "/home/me/.local/state/sensorpost"),
        (None, {"XDG_STATE_HOME": "/x", "HOME": "/home/me"}, False, "/x/sensorpost"),
    ],
)
def test_the_state_directory(config: str | None, environ: dict[str, str], root: bool, expected: str) -> None:  # noqa: FBT001 (a table)
    """systemd's, else the system's for root or /etc, else the user's."""
    assert state_directory(Path(config) if config else None, environ, root=root) == Path(expected)


def test_the_control_socket() -> None:
    """In systemd's runtime directory, else in the state directory."""
    assert control_socket(Path("/s"), {"RUNTIME_DIRECTORY": "/run/a:/run/b"}) == Path("/run/a/control.sock")
    assert control_socket(Path("/s"), {}) == Path("/s/control.sock")


def test_the_control_socket_of_the_service(tmp_path: Path) -> None:
    """A person's command finds it without systemd's variables, while the service runs."""
    state = Path("/var/lib/sensorpost")
    assert control_socket(state, {}, tmp_path) == tmp_path / "control.sock"
    assert control_socket(state, {}, tmp_path / "stopped") == state / "control.sock"
    assert control_socket(Path("/s"), {}, tmp_path) == Path("/s/control.sock")


def test_the_boot_has_a_name(tmp_path: Path) -> None:
    """The same twice; none where the kernel gives none."""
    assert boot_id() == boot_id()
    assert boot_id(tmp_path / "none") == ""


def test_no_two_runs_have_the_same_name() -> None:
    """A name is one topic level, and never used again."""
    names = {new_run() for _ in range(1000)}
    assert len(names) == 1000
    assert all(name.isalnum() and len(name) == 8 for name in names)
