"""Every thread's stack in the log."""

from __future__ import annotations

import logging
import sys
import threading
from collections.abc import Callable

import pytest
from support import wait_until

from gateway import threads
from gateway.status import stacks
from gateway.status.stacks import Stacks

Finally = Callable[[Callable[[], object]], None]


@pytest.fixture
def gate(finally_do: Finally) -> threading.Event:
    """What threads of the test wait for."""
    gate = threading.Event()
    finally_do(gate.set)
    return gate


def written(caplog: pytest.LogCaptureFixture) -> list[tuple[str, list[str]]]:
    """Message and stack of each record, leaving out what is not ours."""
    return [(record.getMessage(), (record.stack_info or "").splitlines()) for record in caplog.records]


def waits(gate: threading.Event, reached: threading.Semaphore) -> None:
    """Be at this place."""
    reached.release()
    gate.wait(10)


def test_threads_at_the_same_place_share_a_stack(caplog: pytest.LogCaptureFixture, gate: threading.Event) -> None:
    """Each has a line with its name, its number and what is known of it; the stack ends where the thread is."""
    reached = threading.Semaphore(0)
    made = [threads.start(name, waits, gate, reached) for name in ("dev:b", "dev:a")]
    for _ in made:
        assert reached.acquire(timeout=5)
    wait_until(lambda: all(sys._current_frames()[one.ident or 0].f_code.co_name == "wait" for one in made))
    Stacks().write(lambda thread: "online for 3 s" if thread.name == "dev:a" else "")
    lines = written(caplog)
    assert lines[0][0].startswith(f"stacks of {threading.active_count()} threads, ")
    second = next(index for index, (text, _) in enumerate(lines) if text.startswith("dev:b "))
    numbers = {one.name: one.native_id for one in made}
    assert lines[second - 1] == (f"dev:a (thread {numbers['dev:a']}): online for 3 s", [])
    text, stack = lines[second]
    assert text == f"dev:b (thread {numbers['dev:b']})"
    assert stack[0].startswith(f'File "{__file__}", line ')
    assert stack[0].endswith(", in waits")
    assert "threading.py" in stack[-1]
    mine = next(stack for text, stack in lines if text.startswith("main "))
    assert any(line.endswith("in Stacks.write") for line in mine)


def test_whatever_the_level_is(caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch) -> None:
    """Somebody has asked for it."""
    monkeypatch.setattr(logging.getLogger("gateway.status.stacks"), "level", logging.CRITICAL)
    Stacks().write(lambda _: "")
    assert any(stack for _, stack in written(caplog))


def test_not_too_often(caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch) -> None:
    """Once in 5 s; who asks sooner is told so, once."""
    now = [100.0]
    monkeypatch.setattr(stacks.time, "monotonic", lambda: now[0])
    one = Stacks()
    one.write(lambda _: "")
    caplog.clear()
    for now[0] in (101.0, 102.0, 104.9):
        one.write(lambda _: "")
    assert [text for text, _ in written(caplog)] == ["stacks: shown 1 s ago; ask again after 5 s"]
    now[0] = 105.0
    one.write(lambda _: "")
    assert any(stack for _, stack in written(caplog))


def test_a_deep_stack_is_cut(caplog: pytest.LogCaptureFixture) -> None:
    """Where the thread is matters more than where it came from."""

    def deep(left: int) -> None:
        if left:
            deep(left - 1)
        else:
            Stacks().write(lambda _: "")

    deep(200)
    stack = next(stack for text, stack in written(caplog) if text.startswith("main "))
    assert len(stack) == stacks.DEEPEST + 1
    assert stack[0].endswith(" more)")
    assert stack[-1].endswith("in _by_place")


def test_what_cannot_be_said_does_not_matter(caplog: pytest.LogCaptureFixture) -> None:
    """The stacks come all the same."""

    def about(_: threading.Thread) -> str:
        raise KeyError("x")

    Stacks().write(about)
    text, stack = next(line for line in written(caplog) if line[0].startswith("main "))
    assert text.endswith(": nothing can be said about it: KeyError")
    assert stack
