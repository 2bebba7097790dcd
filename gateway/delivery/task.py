"""Something to be done on the publisher's thread, which owns the store."""

from __future__ import annotations

import queue
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from gateway.delivery.queue import Inbox


@dataclass(frozen=True, slots=True)
class Task:
    """Posted to the inbox."""

    do: Callable[[], Any]
    done: queue.SimpleQueue[tuple[Any, BaseException | None]] = field(default_factory=queue.SimpleQueue)

    def run(self) -> None:
        """On the publisher's thread."""
        try:
            self.done.put((self.do(), None))
        except Exception as exc:  # noqa: BLE001 (it is raised again where it was asked for)
            self.done.put((None, exc))


def on_publisher(inbox: Inbox, do: Callable[[], Any], timeout: float = 10.0) -> Any:
    """Let the publisher's thread do something and wait for it.

    Raises what it raised, or ``TimeoutError`` when the thread does not come round within ``timeout`` seconds.
    """
    task = Task(do)
    inbox.post(task)
    try:
        value, error = task.done.get(timeout=timeout)
    except queue.Empty:
        raise TimeoutError("the publisher is busy") from None
    if error is not None:
        raise error
    return value
