"""Everything that changes the machine, in one place: so that a dry run changes nothing, and every change is told.

With a root other than ``/`` all paths lie below it and programs run in it (chroot), for the building of images.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import shutil
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

SBIN = ":/usr/local/sbin:/usr/sbin:/sbin"
"""Where groupadd and useradd are; a root that came by a plain ``su`` does not have it in its PATH."""


class CannotError(Exception):
    """It cannot be done; the message is for a person, with what to do."""


def last_words(output: str) -> str:
    """What a program that failed printed last, as one line."""
    return "; ".join([line for line in output.splitlines() if line.strip()][-3:]) or "it said nothing"


def _environment() -> dict[str, str]:
    """Ours, without what would let another Python's modules be found in place of an environment's own."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("PYTHON")}
    return {**kept, "PATH": os.environ.get("PATH", os.defpath) + SBIN}


class Machine:
    """One machine, or an image of one."""

    def __init__(self, root: Path, say: Callable[[str], None], *, dry: bool = False) -> None:
        """``say`` is told every change; with ``dry`` none is made."""
        self.root = root.resolve()
        self.dry = dry
        self.changed = 0
        self._say = say
        self._made: set[str] = set()
        """Folders of this run: told once, also when their group comes later, and when a dry run makes none."""

    @property
    def is_this_one(self) -> bool:
        """Not an image."""
        return self.root == Path("/")

    @property
    def runs_systemd(self) -> bool:
        """Whether units can be started here."""
        return self.is_this_one and Path("/run/systemd/system").is_dir()

    def path(self, path: str) -> Path:
        """Where a path of the machine is for us."""
        return self.root / path.lstrip("/")

    def exists(self, path: str) -> bool:
        """Whether there is something, be it a link to nowhere."""
        return os.path.lexists(self.path(path))

    def text(self, path: str) -> str:
        """A file's text, empty when there is none."""
        try:
            return self.path(path).read_text(encoding="utf-8", errors="replace")  # a name in /etc/passwd may be older
        except FileNotFoundError:
            return ""

    @contextlib.contextmanager
    def alone(self) -> Iterator[None]:
        """Nobody else installs or removes meanwhile. ``CannotError`` when somebody does."""
        if self.dry:
            yield
            return
        descriptor = os.open(self.root, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            yield
        except BlockingIOError:
            raise CannotError("another installation is under way: wait until it has ended") from None
        finally:
            os.close(descriptor)

    # Looking ----------------------------------------------------------------------------------------------------

    def free(self, path: str) -> int:
        """Bytes that can be written below a folder."""
        return shutil.disk_usage(self.path(path)).free

    def ask(self, *command: str) -> tuple[int, str]:
        """Run a program that changes nothing; its exit status, 127 when there is none such, and all that it printed."""
        before = () if self.is_this_one else ("chroot", str(self.root))
        try:
            done = subprocess.run(  # noqa: S603 (fixed programs, no shell)
                [*before, *command],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                check=False,
                cwd="/",
                env=_environment(),
            )
        except OSError as exc:
            return 127, str(exc)
        return done.returncode, done.stdout.decode(errors="replace").strip()

    def number(self, kind: str, name: str) -> int | None:
        """The number of a ``user`` or ``group``; ``None`` when there is none of that name."""
        for line in self.text("/etc/passwd" if kind == "user" else "/etc/group").splitlines():
            parts = line.split(":")
            if parts[0] == name:
                return int(parts[2])
        code, line = self.ask("getent", "passwd" if kind == "user" else "group", name)  # of a directory service
        return int(line.split(":")[2]) if code == 0 and line.count(":") > 1 else None

    # Changing ----------------------------------------------------------------------------------------------------

    def told(self, what: str) -> bool:
        """Tell a change, such as ``make /etc/x``, before it is made, since it may take a while; whether to make it."""
        self.changed += 1
        self._say(f"would {what}" if self.dry else what)
        return not self.dry

    def run(self, what: str, *command: str, may_fail: bool = False) -> tuple[int, str]:
        """Run a program that changes something. ``CannotError`` with its last words when it fails."""
        if not self.told(what):
            return 0, ""
        code, output = self.ask(*command)
        if code and not may_fail:
            raise CannotError(f"{' '.join(command[:4])} failed ({code}): {last_words(output)}")
        return code, output

    def folder(self, path: str, mode: int, owner: str = "root", group: str = "root") -> None:
        """Make a folder, or give it back its owner and mode."""
        here = self.path(path)
        if path not in self._made and not here.is_dir():
            self._made.add(path)
            if self.told(f"make {path}"):
                here.mkdir(parents=True, exist_ok=True)
        if here.is_dir():
            self._own(path, mode, owner, group, silent=path in self._made)

    def write(self, path: str, text: str, mode: int = 0o644, group: str = "root") -> None:
        """Write a file of root's, whole or not at all; nothing happens when it is so already."""
        here = self.path(path)
        if not here.exists() or self.text(path) != text:
            if not self.told(f"write {path}"):
                return
            here.parent.mkdir(parents=True, exist_ok=True)
            fresh = here.with_name(f".{here.name}.new")
            fresh.unlink(missing_ok=True)
            descriptor = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o600)
            with os.fdopen(descriptor, "w", encoding="utf-8") as file:
                os.fchown(descriptor, self.number("user", "root") or 0, self.number("group", group) or 0)
                os.fchmod(descriptor, mode)
                file.write(text)
                file.flush()
                os.fsync(file.fileno())
            fresh.replace(here)
        self._own(path, mode, "root", group)

    def readable(self, path: str, group: str) -> None:
        """Let a group read a file that is there and that it cannot read."""
        here = self.path(path)
        gid, stat = self.number("group", group), here.stat()
        seen = stat.st_mode & (0o044 if stat.st_gid == gid else 0o004)
        if gid is not None and not seen and self.told(f"let the group {group} read {path}"):
            os.chown(here, -1, gid)
            here.chmod(stat.st_mode & 0o7777 | 0o040)

    def link(self, path: str, target: str) -> None:
        """Let a link point to ``target``, at one stroke."""
        here = self.path(path)
        if here.is_symlink() and str(here.readlink()) == target:
            return
        if here.exists() and not here.is_symlink():
            raise CannotError(f"{here} is not ours: move it away, then start again")
        if self.told(f"link {path} to {target}"):
            here.parent.mkdir(parents=True, exist_ok=True)
            fresh = here.with_name(f".{here.name}.new")
            fresh.unlink(missing_ok=True)
            fresh.symlink_to(target)
            fresh.replace(here)
            os.sync()  # a power cut after this line finds the new version whole, one before it the old

    def remove(self, path: str) -> None:
        """Take away a file, a link or a whole folder."""
        here = self.path(path)
        if not os.path.lexists(here) or not self.told(f"remove {path}"):
            return
        try:
            if here.is_dir() and not here.is_symlink():
                shutil.rmtree(here)
            else:
                here.unlink()
                here.with_name(f".{here.name}.new").unlink(missing_ok=True)  # of a run that was killed
        except OSError as exc:  # of something in it, whose whole path Python does not say
            raise CannotError(f"{path} cannot be removed: {exc.filename}: {exc.strerror}") from exc

    def _own(self, path: str, mode: int, owner: str, group: str, *, silent: bool = False) -> None:
        here = self.path(path)
        stat = here.stat()
        uid, gid = self.number("user", owner), self.number("group", group)
        if uid is None or gid is None:  # in a dry run the user is not there yet
            return
        wrong = (stat.st_uid, stat.st_gid, stat.st_mode & 0o7777) != (uid, gid, mode)
        if wrong and (silent or self.told(f"give {path} to {owner}:{group}, mode {mode:04o}")):
            if owner != "root" and stat.st_uid != uid and here.is_dir():  # of a backup, or of an earlier user's number
                for _, folders, files, inside in os.fwalk(here):
                    for name in (*folders, *files):
                        os.chown(name, uid, gid, dir_fd=inside, follow_symlinks=False)
            os.chown(here, uid, gid)
            here.chmod(mode)
