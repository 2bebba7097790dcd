"""A network of two: this machine and a namespace in which the gateway runs. The cable between them can be cut.

A cut is silent, as in life: packets are sent and never come. (Each end is told a wrong hardware address of the other.)
Needs root and iproute2: ``@pytest.mark.needs("netns")``.
"""

from __future__ import annotations

import os
import random
import subprocess
from pathlib import Path

from support.capabilities import program
from support.share import share
from support.waiting import wait_until

NOBODY = "02:00:00:00:00:99"


class Namespace:
    """Made by the constructor, with the cable in it; gone after ``close``."""

    def __init__(self) -> None:
        number = 1 + share(), random.randrange(1, 60) * 4
        self.here = f"198.18.{number[0]}.{number[1] + 1}"
        """This machine's address on the cable; 198.18/15 is set aside for tests (RFC 2544)."""
        self.there = f"198.18.{number[0]}.{number[1] + 2}"
        self._link = f"sp{os.getpid() % 100_000}x{number[1]}"
        self._holder = subprocess.Popen([program("unshare") or "unshare", "--net", "sleep", "infinity"])
        try:
            own = Path("/proc/self/ns/net").readlink()
            wait_until(lambda: Path(f"/proc/{self._holder.pid}/ns/net").readlink() != own, what="the namespace")
            self._ip("link", "add", self._link, "type", "veth", "peer", "name", "eth0", "netns", str(self._holder.pid))
            self._ip("addr", "add", f"{self.here}/30", "dev", self._link)
            self._ip("link", "set", self._link, "up")
            self._ip("link", "set", "lo", "up", inside=True)
        except BaseException:
            self.close()
            raise

    @property
    def wrap(self) -> tuple[str, ...]:
        """What goes before a command that is to run in the namespace."""
        return (program("nsenter") or "nsenter", f"--net=/proc/{self._holder.pid}/ns/net", "--")

    def connect(self) -> None:
        """Give the namespace its address: before, it has no network at all."""
        self._ip("addr", "add", f"{self.there}/30", "dev", "eth0", inside=True)
        self._ip("link", "set", "eth0", "up", inside=True)

    def cut(self) -> None:
        """From now on nothing comes through, and nobody is told."""
        self._neighbours("replace", "lladdr", NOBODY, "nud", "permanent")

    def mend(self) -> None:
        """The cable is whole again."""
        self._neighbours("del")

    def close(self) -> None:
        """End it; the cable goes with it."""
        self._holder.kill()
        self._holder.wait()

    def _neighbours(self, verb: str, *what: str) -> None:
        self._ip("neigh", verb, self.there, *what, "dev", self._link)
        self._ip("neigh", verb, self.here, *what, "dev", "eth0", inside=True)

    def _ip(self, *arguments: str, inside: bool = False) -> None:
        command = [*(self.wrap if inside else ()), program("ip") or "ip", *arguments]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        assert done.returncode == 0, f"{' '.join(command)}: {done.stderr}"


def with_files(*pairs: tuple[Path, str]) -> tuple[str, ...]:
    """What goes before a command that is to see other files in these places: ``(mine, "/etc/hosts")``."""
    mounts = " && ".join(f'mount --bind "{mine}" "{place}"' for mine, place in pairs)
    return (program("unshare") or "unshare", "--mount", "sh", "-c", f'{mounts} && exec "$@"', "sh")
