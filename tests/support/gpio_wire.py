"""The kernel's side of a GPIO chip, at the place of ``ioctl``: structures are taken apart as linux/gpio.h has them."""

from __future__ import annotations

import errno
import os
import struct
from pathlib import Path
from typing import Any

import pytest

from gateway.hardware import gpio_kernel


class Kernel:
    """Chips in a folder that stands for /dev, and the lines that are requested of them.

    Edges are written into a pipe, whose other end is the line's descriptor.
    """

    def __init__(self, dev: Path, *labels: str, lines: int = 54) -> None:
        self.dev = dev
        self.labels = {str(dev / f"gpiochip{number}"): label for number, label in enumerate(labels)}
        for path in self.labels:
            Path(path).touch()
        self.lines = lines
        self.users: dict[int, str] = {}
        """Who has a line, apart from us."""
        self.requests: list[dict[str, Any]] = []
        self.active = False
        self.error: int | None = None
        """What the next requests fail with."""
        self._pipes: dict[int, int] = {}
        self._numbers: dict[int, int] = {}

    def install(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """Take the kernel's place."""
        monkeypatch.setattr(gpio_kernel, "DEV", self.dev)
        monkeypatch.setattr("gateway.hardware.gpio_kernel.fcntl.ioctl", self.ioctl)

    def ioctl(self, descriptor: int, code: int, buffer: bytearray) -> int:
        """As ``fcntl.ioctl`` with a buffer that is changed."""
        if self.error is not None:
            raise OSError(self.error, os.strerror(self.error))
        {
            0x8044B401: self._chip_info,
            0xC100B405: self._line_info,
            0xC250B407: self._request,
            0xC010B40E: self._get,
            0xC010B40F: self._set,
        }[code](descriptor, buffer)
        return 0

    def edge(self, line: int, ns: int, *, rising: bool, skip: int = 0) -> None:
        """An edge of the line with this descriptor; ``skip`` so many that were dropped before."""
        self._numbers[line] = self._numbers.get(line, 0) + 1 + skip
        number = self._numbers[line]
        os.write(self._pipes[line], struct.pack("=QIIII24x", ns, 1 if rising else 2, 17, number, number))

    def unplug(self, line: int) -> None:
        """The chip is gone."""
        os.close(self._pipes.pop(line))

    def close(self) -> None:
        """Close what is open on this side."""
        for descriptor in self._pipes.values():
            os.close(descriptor)

    def _chip_info(self, descriptor: int, buffer: bytearray) -> None:
        path = str(Path(f"/proc/self/fd/{descriptor}").readlink())
        assert len(buffer) == 68
        buffer[32:64] = self.labels[path].encode().ljust(32, b"\0")
        buffer[64:68] = self.lines.to_bytes(4, "little")

    def _line_info(self, _: int, buffer: bytearray) -> None:
        assert len(buffer) == 256
        pin = int.from_bytes(buffer[64:68], "little")
        buffer[32:64] = self.users.get(pin, "").encode().ljust(32, b"\0")

    def _request(self, _: int, buffer: bytearray) -> None:
        assert len(buffer) == 592
        pin = int.from_bytes(buffer[:4], "little")
        if pin in self.users:
            raise OSError(errno.EBUSY, os.strerror(errno.EBUSY))
        flags, attributes = struct.unpack_from("=QI", buffer, 288)
        attribute = struct.unpack_from("=IIQQ", buffer, 320) if attributes else None
        lines, kept = struct.unpack_from("=II", buffer, 560)
        self.requests.append(
            {
                "pin": pin,
                "consumer": buffer[256:288].rstrip(b"\0").decode(),
                "flags": flags,
                "attribute": attribute,
                "lines": lines,
                "kept": kept,
            }
        )
        receive, send = os.pipe()
        self._pipes[receive] = send
        struct.pack_into("=i", buffer, 588, receive)

    def _get(self, _: int, buffer: bytearray) -> None:
        assert buffer[8:] == b"\1" + bytes(7)
        buffer[0] = self.active

    def _set(self, _: int, buffer: bytearray) -> None:
        assert buffer[8:] == b"\1" + bytes(7)
        self.active = bool(buffer[0])
