"""Small disks for one test: one that can be filled, and one that fails as an SD card does."""

from __future__ import annotations

import contextlib
import shutil
import subprocess
from pathlib import Path

from support.capabilities import program


def _run(command: str, *arguments: str) -> str:
    done = subprocess.run([program(command) or command, *arguments], capture_output=True, text=True, check=False)
    assert done.returncode == 0, f"{command} {' '.join(arguments)}: {done.stderr.strip()}"
    return done.stdout.strip()


class SmallDisk:
    """A tmpfs on ``folder``."""

    def __init__(self, folder: Path, size: str) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self._folder = folder
        self._filler = folder / "filler"
        _run("mount", "-t", "tmpfs", "-o", f"size={size},mode=700", "none", str(folder))

    def fill(self) -> None:
        """Take all the room that is left, as a log does that nobody rotates."""
        with contextlib.suppress(OSError), self._filler.open("ab", buffering=0) as file:
            while True:
                file.write(bytes(4096))

    def free(self) -> None:
        """Give it back."""
        self._filler.unlink()

    def end(self) -> None:
        """Unmount."""
        subprocess.run([program("umount") or "umount", "-l", str(self._folder)], check=False)


class Card:
    """An ext4 file system in an image, mounted on ``folder`` through a loop device."""

    def __init__(self, folder: Path, image: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self._folder = folder
        self._image = image
        with image.open("wb") as file:
            file.truncate(16 * 1024 * 1024)
        _run("mkfs.ext4", "-q", str(image))
        self._mount()

    def _mount(self) -> None:
        _run("mount", "-o", "loop,errors=remount-ro", str(self._image), str(self._folder))

    def fail(self) -> None:
        """An error of the file system, after which the kernel refuses every write."""
        device = Path(_run("findmnt", "-no", "SOURCE", str(self._folder))).name
        Path(f"/sys/fs/ext4/{device}/trigger_fs_error").write_text("1")

    def mend(self) -> None:
        """Take it out, check it, and mount it anew, whoever still has files open on what was there."""
        self.end()
        # a copy: the kernel gives the same image the same broken file system as long as a file is open on it
        self._image = Path(shutil.copy(self._image, self._image.with_name(f"mended-{self._image.name}")))
        subprocess.run([program("fsck.ext4") or "fsck.ext4", "-fy", str(self._image)], capture_output=True, check=False)
        self._mount()

    def end(self) -> None:
        """Unmount it."""
        subprocess.run([program("umount") or "umount", "-l", str(self._folder)], check=False)
