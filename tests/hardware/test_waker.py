"""gateway/hardware/waker.py: waiting that another thread can end."""

from __future__ import annotations

import os
import threading

from gateway.hardware.waker import Waker


def test_waits_for_descriptors() -> None:
    """For reading and for writing, at most so long."""
    waker = Waker()
    receive, send = os.pipe()
    assert waker.wait(0, [receive]) == set()
    assert waker.wait(5, [receive], [send]) == {send}
    os.write(send, b"x")
    assert waker.wait(5, [receive]) == {receive}
    os.close(send)
    os.read(receive, 10)
    assert waker.wait(5, [receive]) == {receive}  # the end is news, too
    os.close(receive)
    waker.close()


def test_can_be_woken() -> None:
    """Also before it waits, and however often; afterwards it waits as before."""
    waker = Waker()
    for _ in range(100_000 // 1000):
        waker.wake()
    assert waker.wait(30, []) == set()
    thread = threading.Timer(0.02, waker.wake)
    thread.start()
    assert waker.wait(30, []) == set()
    thread.join()
    assert waker.wait(0, []) == set()
    waker.close()
    waker.close()
    waker.wake()


def test_a_full_pipe_does_not_block() -> None:
    """Whoever wakes never waits."""
    waker = Waker()
    for _ in range(70_000):
        waker.wake()
    waker.close()
