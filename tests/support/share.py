"""What this process alone has of the machine while several processes run tests at once: ports, and a number."""

from __future__ import annotations

import errno
import functools
import itertools
import socket
from collections.abc import Iterator

FIRST = 10_000
SIZE = 250
SHARES = 40
_TAKEN = (errno.EADDRINUSE, errno.EACCES)


@functools.cache
def share() -> int:
    """The number of this process's share, from 0; no other process has the same one until this one ends.

    The claim to it is the first of its ports, which stays bound: the kernel gives it back, however the process ends.
    """
    for number in range(SHARES):
        claim = socket.socket()
        try:
            claim.bind(("127.0.0.1", FIRST + number * SIZE))
        except OSError as error:
            claim.close()
            if error.errno not in _TAKEN:
                raise
        else:
            claim.detach()
            return number
    raise AssertionError(f"{SHARES} processes run tests already, or ports from {FIRST} on are in use")


def free_port() -> int:
    """A TCP port of 127.0.0.1 that nobody uses, and that no other process that runs tests will choose.

    It lies below the range that the kernel takes from for outgoing connections: there, a client that tries to connect
    to a stopped broker's port again and again may be given that very port and be connected to itself. It lies also
    beside the range that the demo takes from. Ports come in turn, so one that was just given up is not given out.
    """
    for port in itertools.islice(_ports(), SIZE):
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(("127.0.0.1", port))
            except OSError as error:
                if error.errno not in _TAKEN:
                    raise
            else:
                return port
    raise AssertionError(f"no free port on 127.0.0.1 among the {SIZE} of this process")


@functools.cache
def _ports() -> Iterator[int]:
    first = FIRST + share() * SIZE
    return itertools.cycle(range(first + 1, first + SIZE))
