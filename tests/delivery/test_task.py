"""Work for the publisher's thread."""

from __future__ import annotations

import threading

import pytest

from gateway.delivery.queue import Inbox
from gateway.delivery.task import Task, on_publisher


def serve(inbox: Inbox) -> threading.Thread:
    """A thread that runs one task."""

    def run() -> None:
        task = inbox.get(5.0)
        assert isinstance(task, Task)
        task.run()

    thread = threading.Thread(target=run)
    thread.start()
    return thread


def test_the_result_comes_back() -> None:
    """From the other thread."""
    inbox = Inbox()
    thread = serve(inbox)
    assert on_publisher(inbox, threading.get_ident) == thread.ident
    thread.join()


def test_an_error_is_raised_where_it_was_asked() -> None:
    """And the thread goes on."""
    inbox = Inbox()
    thread = serve(inbox)
    with pytest.raises(ZeroDivisionError):
        on_publisher(inbox, lambda: 1 // 0)
    thread.join()


def test_a_thread_that_does_not_come_round_is_not_waited_for() -> None:
    """For ever."""
    with pytest.raises(TimeoutError):
        on_publisher(Inbox(), lambda: None, timeout=0.01)
