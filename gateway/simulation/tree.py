"""Models of what the kernel shows as files: sensors in /sys, facts in /proc."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from gateway.simulation.files import Content, Files
from gateway.simulation.model import Model


class FileModel(Model):
    """A device whose driver is in the kernel. ``contents`` are its files, where functions are asked at each reading.

    Unplugged, its files are gone. A file that is to be written to calls its function in ``takes``.
    """

    root: Files | None = None

    def contents(self) -> Mapping[str, Content]:
        """Its files, by their whole paths."""
        return {}

    def takes(self) -> Mapping[str, Callable[[str], object]]:
        """What happens when a file is written to."""
        return {}

    def unplug(self) -> None:
        """Its files go."""
        super().unplug()
        if self.root is not None:
            for path in self.contents():
                self.root.files.pop(path, None)

    def power_on(self) -> None:
        """Its files are there."""
        if self.root is not None:
            self.root.files.update(self.contents())
            self.root.takers.update(self.takes())
