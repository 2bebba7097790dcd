"""Threads by names that the system shows."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest

from gateway import threads


def comm(thread: int) -> str:
    """What ``top -H`` shows for one of our threads."""
    return Path(f"/proc/self/task/{thread}/comm").read_text().rstrip("\n")


def test_a_thread_is_known_by_its_name_to_python_and_to_the_system() -> None:
    """It is a daemon, runs its target with what it is given, and the system's name for it is cut to fit."""
    done, go_on, seen = threading.Event(), threading.Event(), []

    def work(first: str, second: int) -> None:
        seen.append((first, second))
        done.set()
        go_on.wait(5)

    thread = threads.start("dev:greenhouse-north-07", work, "a", 2)
    assert done.wait(5)
    assert thread.native_id is not None
    assert (thread.name, thread.daemon, seen) == ("dev:greenhouse-north-07", True, [("a", 2)])
    assert comm(thread.native_id) == "dev:gre~orth-07"
    go_on.set()
    thread.join(5)


def test_a_thread_that_others_have_started() -> None:
    """It can be given a name from inside; the main thread's and its Python name stay as they were."""
    found = []

    def work() -> None:
        threads.show_name("paho")
        found.append((comm(threading.get_native_id()), threading.current_thread().name))

    before = comm(threading.main_thread().native_id or 0)
    thread = threading.Thread(target=work, name="paho-mqtt-client-x")
    thread.start()
    thread.join()
    assert found == [("paho", "paho-mqtt-client-x")]
    assert comm(threading.main_thread().native_id or 0) == before


@pytest.mark.parametrize(
    ("readers", "milliseconds"), [(0, 1), (1, 1), (20, 1), (100, 5), (1000, 50), (2000, 100), (10_000, 100)]
)
def test_the_more_readers_the_longer_their_turns(readers: int, milliseconds: float) -> None:
    """As short as it may be for few; for many, so long that waiting costs no more than a processor has."""
    assert threads.switch_interval(readers) * 1000 == pytest.approx(milliseconds)


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("publisher", "publisher"),
        ("dev:front-door1", "dev:front-door1"),
        ("dev:front-door10", "dev:fro~-door10"),
        ("dev:front-door11", "dev:fro~-door11"),
        ("dev:Küche-links-üü", "dev:Kü~ks-üü"),
        ("dev:日本語日本語", "dev:日~本語"),
        ("dev:\udcff", "dev:?"),
    ],
)
def test_what_fits(name: str, shown: str) -> None:
    """15 bytes: beginning and end of a longer name, and no half characters."""
    assert threads.short(name) == shown.encode()
    assert len(threads.short(name)) <= threads.LONGEST


def test_a_readers_thread_tells_its_device() -> None:
    """And no other thread does, not even one whose name begins alike."""
    assert threads.device_of(threads.of_device("office")) == "office"
    assert threads.device_of("publisher") is None
    assert threads.device_of("device") is None
