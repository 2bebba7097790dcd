"""Machines that a test makes up: a folder with files, links and device files."""

from __future__ import annotations

from pathlib import Path

import pytest

from gateway.scan.tree import Tree


class MadeUp:
    """A machine below a folder."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.tree = Tree(root)

    def file(self, path: str, text: str = "") -> None:
        """A file, or a device file, which nobody opens."""
        target = self.root / path.lstrip("/")
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(f"{text}\n" if text else "")

    def link(self, path: str, target: str) -> None:
        """A link to a path of this machine, made relative as udev and the kernel make them."""
        place = self.root / path.lstrip("/")
        place.parent.mkdir(parents=True, exist_ok=True)
        up = "../" * (path.count("/") - 1)
        place.symlink_to(f"{up}{target.lstrip('/')}")

    def pi(self, model: str = "Raspberry Pi 4 Model B Rev 1.5") -> None:
        """It is a Raspberry Pi."""
        self.file("/proc/device-tree/model", f"{model}\0")

    def usb(self, port: str, socket: str, ids: str, **says: str) -> None:
        """A serial adapter: ``says`` are files of its USB device."""
        device = f"/sys/devices/usb1/1-1/{socket}"
        self.file(f"{device}/idVendor", ids.partition(":")[0])
        self.file(f"{device}/idProduct", ids.partition(":")[2])
        for name, text in says.items():
            self.file(f"{device}/{name}", text)
        self.file(f"{device}/{socket}:1.0/bInterfaceNumber", "00")
        self.file(f"{device}/{socket}:1.0/{port}/uevent")
        self.link(f"/sys/class/tty/{port}/device", f"{device}/{socket}:1.0/{port}")
        self.file(f"/dev/{port}")

    def board(self, port: str, kind: str = "32") -> None:
        """A port of the board."""
        self.file(f"/sys/devices/platform/{port}/uevent")
        self.link(f"/sys/class/tty/{port}/device", f"/sys/devices/platform/{port}")
        self.file(f"/sys/class/tty/{port}/type", kind)
        self.file(f"/dev/{port}")

    def chip(self, kind: str, number: int, name: str, folder: str, **files: str) -> None:
        """A chip that the kernel looks after, in the folder of its device."""
        inside = f"{folder}/iio:device{number}" if kind == "iio" else f"{folder}/hwmon/hwmon{number}"
        place = "/sys/bus/iio/devices" if kind == "iio" else "/sys/class/hwmon"
        self.file(f"{inside}/name", name)
        for file, text in files.items():
            self.file(f"{inside}/{file}", text)
        self.link(f"{place}/{inside.rpartition('/')[2]}", inside)


@pytest.fixture
def machine(tmp_path: Path) -> MadeUp:
    """One with nothing in it."""
    return MadeUp(tmp_path / "machine")


@pytest.fixture
def no_rights(monkeypatch: pytest.MonkeyPatch) -> None:
    """A user who may use no device file, also where root runs the tests."""
    monkeypatch.setattr(Tree, "usable", lambda self, path: False)
