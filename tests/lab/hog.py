"""Keeps the interpreter to itself for ten minutes when a file tells it to, as a library in C may."""

import ctypes
import pathlib

from gateway.driver import Channel, Driver, NoOptions, Values


class Hog(Driver[NoOptions]):
    """See above."""

    channels = (Channel("n"),)

    def read(self) -> Values:
        """One, or nothing for a long time."""
        go = pathlib.Path("/var/lib/sensorpost/go")
        if go.exists():
            go.unlink()
            ctypes.PyDLL(None).sleep(600)
        return {"n": 1}
