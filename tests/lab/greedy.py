"""Takes memory without an end when a file tells it to, as a library that leaks may."""

import pathlib

from gateway.driver import Channel, Driver, NoOptions, Values


class Greedy(Driver[NoOptions]):
    """See above."""

    channels = (Channel("mb"),)

    def read(self) -> Values:
        """How much it has."""
        go = pathlib.Path("/var/lib/sensorpost/eat")
        kept = []
        while go.exists():
            kept.append(bytearray(b"x" * 4_000_000))
        return {"mb": len(kept) * 4}
