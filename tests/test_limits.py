"""What this process may have, and who says so."""

from __future__ import annotations

import ast
import resource
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from gateway import limits


@pytest.fixture
def open_files() -> Iterator[int]:
    """The hard limit on open files; the soft one is put back."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    yield hard
    resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


@pytest.mark.parametrize(("soft", "first"), [(900, 900), (1024, 1024), (2000, 1024)])
def test_open_files(soft: int, first: int, open_files: int) -> None:
    """select() takes 1024 whatever the system allows; where that is less, it can be raised."""
    resource.setrlimit(resource.RLIMIT_NOFILE, (soft, open_files))
    found = limits.descriptors()
    assert found[0].most == first
    assert {limit.most: bool(limit.remedy) for limit in found if limit.why == "RLIMIT_NOFILE"} == {soft: True}
    assert [limit.remedy for limit in found if "select()" in limit.why] == [""]


def tree(folder: Path, version: int, *groups: tuple[str, str, int]) -> tuple[Path, Path]:
    """/proc/self and /sys/fs/cgroup; the process has 3 threads and is in the last group: path, pids.max, current."""
    proc, cgroups = folder / "proc", folder / "cgroup"
    for number in range(3):
        (proc / "task" / str(number)).mkdir(parents=True)
    mine = groups[-1][0]
    lines = {1: f"8:pids:{mine}\n4:memory:/other\n0::/\n", 2: f"0::{mine}\n"}
    (proc / "cgroup").write_text(lines[version])
    for path, most, current in groups:
        group = cgroups / ("pids" if version == 1 else "") / path.lstrip("/")
        group.mkdir(parents=True, exist_ok=True)
        (group / "pids.max").write_text(f"{most}\n")
        (group / "pids.current").write_text(f"{current}\n")
    return proc, cgroups


def of_cgroups(folder: Path, version: int, *groups: tuple[str, str, int]) -> list[tuple[int, str]]:
    """What they leave, the smallest first."""
    found = limits.threads(*tree(folder, version, *groups))
    return [(limit.most, limit.why) for limit in found if "pids.max" in limit.why]


@pytest.mark.parametrize("version", [1, 2])
def test_control_groups(version: int, tmp_path: Path) -> None:
    """Every group around the process counts, without what others in it have; its own threads are no others."""
    service = ("/system.slice/sensorpost.service", "20", 8)
    assert of_cgroups(tmp_path, version, ("/", "max", 99), ("/system.slice", "100", 93), service) == [
        (10, "that is what pids.max of /system.slice leaves"),
        (15, "that is what pids.max of /system.slice/sensorpost.service leaves"),
    ]


def test_control_group_of_a_container(tmp_path: Path) -> None:
    """It sees its own as the root."""
    assert of_cgroups(tmp_path, 2, ("/", "50", 3)) == [(50, "that is what pids.max of / leaves")]


def test_control_group_that_is_full(tmp_path: Path) -> None:
    """Nothing is left, and not less."""
    assert of_cgroups(tmp_path, 2, ("/x", "10", 40))[0][0] == 0


def test_machine_without_control_groups(tmp_path: Path) -> None:
    """Nothing tells."""
    assert of_cgroups(tmp_path, 2, ("/x", "max", 3)) == []
    assert [one for one in limits.threads(tmp_path / "none", tmp_path) if "pids.max" in one.why] == []


def asked(command: str) -> list[tuple[int, str, str]]:
    """The limits on threads as a process sees them that runs ``command`` first."""
    code = f"import os, resource; from gateway import limits; {command}\n"
    code += "print([(limit.most, limit.why, limit.remedy) for limit in limits.threads() if 'pids' not in limit.why])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    found: list[tuple[int, str, str]] = ast.literal_eval(done.stdout)
    return found


def test_addresses() -> None:
    """On 32 bits, or where addresses are limited, stacks take them; smaller stacks leave room for more threads."""
    stacks = "resource.setrlimit(resource.RLIMIT_STACK, ({}, resource.RLIM_INFINITY))"
    room = "resource.setrlimit(resource.RLIMIT_AS, (3 << 30, 3 << 30))"
    remedy = "LimitSTACK=1M in the unit, or ulimit -s 1024"
    large = asked(f"{room}; {stacks.format(8 << 20)}")
    small = asked(f"{room}; {stacks.format(1 << 20)}")
    assert (320, "8 MiB of addresses for each one's stack", remedy) in large
    assert (2560, "1 MiB of addresses for each one's stack", remedy) in small


@pytest.mark.needs("root")
def test_processes_of_a_user() -> None:
    """RLIMIT_NPROC holds for everybody but root."""
    few = "resource.setrlimit(resource.RLIMIT_NPROC, (500, 500))"
    assert not any("RLIMIT_NPROC" in why for _, why, _ in asked(few))
    assert [most for most, why, _ in asked(f"{few}; os.setuid(65534)") if "RLIMIT_NPROC" in why] == [500]
