"""gateway/trust.py: who else can change a file."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from gateway.trust import ourselves, wrong_hands

STRANGER = 12345


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """A file in a folder, as they should be."""
    folder = tmp_path / "folder"
    folder.mkdir(mode=0o755)
    path = folder / "file"
    path.touch(mode=0o644)
    return path


def test_what_is_ours_is_in_order(file: Path) -> None:
    """The file and its folder, though both are in /tmp; and what is not there is for others to complain of."""
    assert wrong_hands(file, ourselves()) == ""
    assert wrong_hands(file.parent, ourselves()) == ""
    assert wrong_hands(file / "none", ourselves()) == ""


def test_a_system_without_owners_is_trusted(file: Path) -> None:
    """There is nothing to go by."""
    file.chmod(0o666)
    assert wrong_hands(file, ()) == ""


@pytest.mark.parametrize("mode", [0o777, 0o1777], ids=oct)
def test_a_folder_that_everybody_may_write_to(file: Path, mode: int) -> None:
    """Also with the sticky bit: somebody could add a file."""
    file.parent.chmod(mode)
    reason = f"everybody may write to {file.parent}; chmod o-w {file.parent}"
    assert wrong_hands(file, ourselves()) == reason
    assert wrong_hands(file.parent, ourselves()) == reason


def test_a_folder_further_up(file: Path) -> None:
    """The whole folder could be replaced; not where the sticky bit is set, as it is in /tmp."""
    above = file.parents[1]
    above.chmod(0o777)
    assert wrong_hands(file, ourselves()).startswith(f"everybody may write to {above};")
    above.chmod(0o1777)
    assert wrong_hands(file, ourselves()) == ""
    above.chmod(0o700)


def test_a_file_that_everybody_may_write_to(file: Path) -> None:
    """In a folder that is in order."""
    file.chmod(0o666)
    assert wrong_hands(file, ourselves()) == f"everybody may write to {file}; chmod o-w {file}"


@pytest.mark.needs("root")
@pytest.mark.parametrize("whose", ["file", "folder"])
def test_the_file_or_folder_of_another_user(file: Path, whose: str) -> None:
    """Unless that one is trusted."""
    path = file if whose == "file" else file.parent
    os.chown(path, STRANGER, -1)
    assert wrong_hands(file, ourselves()).startswith(f"{path} belongs to the unknown user {STRANGER}; give it to root")
    assert wrong_hands(file, ourselves() | {STRANGER}) == ""
    os.chown(path, 65534, -1)
    assert "belongs to the user nobody" in wrong_hands(file, ourselves())


def test_a_link_is_what_it_leads_to(file: Path, tmp_path: Path) -> None:
    """A link that is ours to a file that is open to everybody."""
    link = tmp_path / "link"
    link.symlink_to(file)
    assert wrong_hands(link, ourselves()) == ""
    file.chmod(0o666)
    assert wrong_hands(link, ourselves()) == f"everybody may write to {file}; chmod o-w {file}"
