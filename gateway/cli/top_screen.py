"""The live table of ``sensorpost top``, on the alternate screen: q leaves, s sorts by the next column."""

from __future__ import annotations

import dataclasses
import sys
import threading
import time
from collections.abc import Iterable, Sequence
from typing import Self

from rich.cells import cell_len, set_cell_size
from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.text import Text

from gateway.cli.screen import Keys
from gateway.cli.table import COLOURS, DIM
from gateway.cli.top_columns import COLUMNS, SORTS, Column, error_of, ordered, title
from gateway.cli.top_rounds import Round, Row
from gateway.status.text import plain

LOOK = 0.1
"""Seconds between looks at the keyboard."""
NAME = 20
"""Columns that a device's name has at most."""


class TopScreen:
    """See :class:`gateway.cli.top.Printer`."""

    def __init__(self, sort: str) -> None:
        self._sort = sort
        self._console = Console(file=sys.stdout, highlight=False)
        self._live = Live(
            console=self._console, screen=True, auto_refresh=False, redirect_stdout=False, redirect_stderr=False
        )
        self._keys = Keys()
        self._round: Round | None = None

    def __enter__(self) -> Self:
        """Take the terminal."""
        self._keys.open()
        self._live.start()
        return self

    def __exit__(self, *_: object) -> None:
        """Give the terminal back as it was."""
        self._live.stop()
        self._keys.close()

    def show(self, one: Round) -> None:
        """Draw it."""
        self._round = one
        size = self._console.size
        self._live.update(draw(one, self._sort, size.width, size.height), refresh=True)

    def wait(self, stop: threading.Event, seconds: float) -> bool:
        """Until it is time for the next round; True when the person wants to leave."""
        until = time.monotonic() + seconds
        while not stop.is_set():
            pressed = self._keys.pressed()
            if "q" in pressed:
                return True
            if "s" in pressed and self._round is not None:
                self._sort = SORTS[(SORTS.index(self._sort) + pressed.count("s")) % len(SORTS)]
                self.show(self._round)
            left = until - time.monotonic()
            if left <= 0:
                return False
            stop.wait(min(LOOK, left))
        return True


def draw(one: Round, sort: str, width: int, height: int) -> RenderableType:
    """The whole screen, at most ``height`` lines of at most ``width`` columns."""
    columns = fitting(width, one.devices)
    blocks = [_block(row, columns) for row in ordered(one.devices, sort)]
    lines = [Text(title(one), style="bold"), Text(""), _heading(columns, sort)]
    while blocks and len(lines) + len(blocks[0]) + (len(blocks) > 1) < height:
        lines += blocks.pop(0)
    if blocks:
        lines.append(Text(f"and {len(blocks)} more: make the window taller, or sort by another column", style=DIM))
    lines.append(Text(f"sorted by {sort}; s: by the next column, q: leave", style=DIM))
    for line in lines:
        line.truncate(width, overflow="ellipsis")
    return Group(*lines)


def fitting(width: int, rows: Iterable[Row]) -> Sequence[Column]:
    """The columns that a terminal has room for."""
    names = min(max([8, *(cell_len(plain(row["device"])) for row in rows)]), NAME)
    shown = [dataclasses.replace(COLUMNS[0], width=names), *COLUMNS[1:]]
    while len(shown) > 1 and sum(column.width + 1 for column in shown) > width + 1:
        shown.remove(min(shown, key=lambda column: column.keep))
    return shown


def _heading(columns: Sequence[Column], sort: str) -> Text:
    heading = Text()
    for column in columns:
        words = _cell(column.title.upper(), column)
        heading.append(words, style=f"bold {DIM}" if column.sort == sort else DIM)
    return heading


def _block(row: Row, columns: Sequence[Column]) -> list[Text]:
    """A device, and below it what is wrong with it."""
    line = Text()
    for column in columns:
        style = COLOURS.get(row["state"], "") if column.title == "state" else "bold" if column.title == "device" else ""
        line.append(_cell(column.text(row), column), style=style)
    error = error_of(row)
    return [line, Text("  " + error, style=COLOURS.get(row["state"], ""))] if error else [line]


def _cell(text: str, column: Column) -> str:
    """Words to the left, numbers to the right, one column between two of them."""
    if column.title in ("device", "state"):
        return set_cell_size(text, column.width) + " "
    return text.rjust(column.width) + " "
