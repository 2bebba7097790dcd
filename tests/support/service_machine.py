"""A machine that is a folder, and whose programs do what the real ones would leave behind."""

from __future__ import annotations

import dataclasses
import os
import subprocess
import sys
from pathlib import Path

from gateway.service.machine import Machine
from gateway.service.source import Source

SOURCE = Source.of_this_program()


def newer(tmp_path: Path) -> Source:
    """The same program, with one file that is different."""
    folder = tmp_path / "newer"
    SOURCE.copy_to(folder, tmp_path / "script", "python")
    with (folder / "gateway/units.py").open("a") as file:
        file.write("# newer\n")
    return dataclasses.replace(SOURCE, packages=folder, shipped=folder / "gateway/service/shipped", version="9.9.9")


class FakeMachine(Machine):
    """Files are real, below a folder; programs are played. ``systemd``: whether it runs."""

    def __init__(self, root: Path, *, dry: bool = False, systemd: bool = False) -> None:
        self.lines: list[str] = []
        super().__init__(root, self.lines.append, dry=dry)
        self.systemd = systemd
        self.commands: list[str] = []
        self.room = 10**9
        """Bytes that are free everywhere."""
        self.starts = True
        """Whether the version that is started becomes ready."""
        self.cuts: dict[str, type[BaseException]] = {}
        """What happens while a program runs, once: by a piece of its command line."""
        self.stopped = False
        self.answers: dict[str, tuple[int, str]] = {}
        """What programs answer that have been told to do otherwise: by a piece of their command line."""

    @property
    def runs_systemd(self) -> bool:
        """As told."""
        return self.systemd

    def free(self, _path: str) -> int:
        """As told."""
        return self.room

    def ask(self, *command: str) -> tuple[int, str]:
        """Play a program."""
        line = " ".join(command)
        self.commands.append(line)
        for piece in [piece for piece in self.cuts if piece in line]:
            raise self.cuts.pop(piece)
        for piece, answer in self.answers.items():
            if piece in line:
                return answer
        return getattr(self, f"_{Path(command[0]).name.replace('-', '_').replace('.', '_')}", self._any)(command)

    def _any(self, _command: tuple[str, ...]) -> tuple[int, str]:
        return 0, ""

    def _getent(self, _command: tuple[str, ...]) -> tuple[int, str]:
        return 2, ""

    def _groupadd(self, command: tuple[str, ...]) -> tuple[int, str]:
        with self.path("/etc/group").open("a") as file:
            file.write(f"{command[-1]}:x:{os.getgid()}:\n")
        return 0, ""

    def _useradd(self, command: tuple[str, ...]) -> tuple[int, str]:
        with self.path("/etc/passwd").open("a") as file:
            home = command[command.index("--home-dir") + 1]
            file.write(f"{command[-1]}:x:{os.getuid()}:{os.getgid()}::{home}:/bin/false\n")
        return 0, ""

    def _userdel(self, command: tuple[str, ...]) -> tuple[int, str]:
        return self._without("/etc/passwd", command[-1])

    def _groupdel(self, command: tuple[str, ...]) -> tuple[int, str]:
        return self._without("/etc/group", command[-1])

    def _without(self, path: str, name: str) -> tuple[int, str]:
        lines = [line for line in self.text(path).splitlines(keepends=True) if not line.startswith(f"{name}:")]
        self.path(path).write_text("".join(lines))
        return 0, ""

    def _python3(self, command: tuple[str, ...]) -> tuple[int, str]:
        if "venv" in command:
            slot = self.path(command[-1])
            (slot / "bin").mkdir(parents=True)
            (slot / f"lib/python3.{sys.version_info[1]}/site-packages").mkdir(parents=True)
            (slot / "pyvenv.cfg").write_text("include-system-site-packages = false\n")
            return 0, ""
        return 0, "3 11 True True"

    def _python(self, command: tuple[str, ...]) -> tuple[int, str]:
        return 0, f"python3.{sys.version_info[1]}" if "-c" in command else ""

    def _sensorpost(self, command: tuple[str, ...]) -> tuple[int, str]:
        script = self.path(command[0]).read_text()
        assert script.startswith(f"#!{Path(command[0]).parent}/python -P\n")
        site = next(self.path(command[0]).parents[1].glob("lib/*/site-packages"))
        done = subprocess.run(
            [sys.executable, "-P", "-c", "from gateway.__main__ import main; main()", "--version"],
            env={**os.environ, "PYTHONPATH": str(site)},
            capture_output=True,
            text=True,
            check=False,
        )
        return done.returncode, done.stdout + done.stderr

    def _systemctl(self, command: tuple[str, ...]) -> tuple[int, str]:
        if command[1] == "show":
            state = "failed" if not self.starts else "inactive" if self.stopped else "active"
            return 0, f"ActiveState={state}\nStatusText=all is well\nMainPID={'0' if self.stopped else '7'}"
        self.stopped = command[1] == "stop" or (self.stopped and command[1] != "restart")
        return (1, "Job failed") if command[1:] == ("restart", "sensorpost.service") and not self.starts else (0, "")
