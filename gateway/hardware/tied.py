"""Becomes a program that ends when the thread that has started it is gone, also by kill -9 of the whole gateway.

Run as a file, by an interpreter that loads nothing else: ``python -I -S tied.py PARENT PROGRAM [WORD]...``. A program
cannot be tied from outside, and Python's own ``preexec_fn`` is not safe where there are threads.
"""

import ctypes
import os
import signal
import sys

PR_SET_PDEATHSIG = 1


def main(parent: int, words: list[str]) -> None:
    """Tie this process, see that ``parent`` is still there, and become the program. Does not return."""
    if ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0) != 0:
        sys.exit("cannot be tied to the gateway: prctl failed")
    if os.getppid() != parent:  # killed before the tie held: nothing would ever end the program
        sys.exit("the gateway is gone")
    try:
        os.execv(words[0], words)  # noqa: S606 (the words of the configuration, and no shell)
    except OSError as error:
        sys.exit(f"{words[0]}: {error.strerror}")


if __name__ == "__main__":
    main(int(sys.argv[1]), sys.argv[2:])
