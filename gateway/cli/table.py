"""The live table: one block per device, drawn to the size of the terminal. Knows rich; loaded only on a terminal."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from rich.cells import cell_len, set_cell_size
from rich.console import Group, RenderableType
from rich.text import Text

from gateway.cli.feed import Feed, View
from gateway.cli.figures import age, curve, figure, pace
from gateway.cli.quantity import Quantity, is_number
from gateway.status.text import plain

COLOURS = {
    "online": "green",
    "degraded": "yellow",
    "starting": "cyan",
    "offline": "red",
    "hung": "red",
    "failed": "red",
    "disabled": "bright_black",
}
DIM = "bright_black"
GAP = "  "
BETWEEN = 3
"""Columns between two values on one line."""
AGE, SEQ, RATE, TREND = 7, 7, 7, 24
WIDE = 100
"""From this width on each line has a curve."""


@dataclass(slots=True)
class Frame:
    """What stands around the devices."""

    title: str
    about: Sequence[str] = ()
    """Lines below the title, dim."""
    foot: str = ""
    trouble: str = ""
    """Why there is no connection; empty while there is one."""
    note: str = ""
    """The newest message of the log; it takes the place of the foot for a while."""


class Cell(NamedTuple):
    """One channel's value, in three columns."""

    key: str
    number: str
    unit: str
    value: Any


class Widths(NamedTuple):
    """The columns of cells. They only ever grow, so that nothing jumps; texts take the room that they need."""

    key: int = 0
    number: int = 0
    unit: int = 0

    def grown(self, cells: Sequence[Cell]) -> Widths:
        """Wide enough for these cells too."""
        return Widths(
            max([self.key, *(cell_len(cell.key) for cell in cells)]),
            max([self.number, *(cell_len(cell.number) for cell in cells if not isinstance(cell.value, str))]),
            max([self.unit, *(cell_len(cell.unit) for cell in cells)]),
        )

    def columns(self, room: int) -> int:
        """How many cells stand side by side."""
        return max(1, (room + BETWEEN) // (sum(self) + 2 + BETWEEN))


@dataclass(slots=True)
class Table:
    """Draws a feed."""

    feed: Feed
    _all: Widths = field(default_factory=Widths)
    _own: dict[str, Widths] = field(default_factory=dict)

    def draw(self, frame: Frame, width: int, height: int, now: float) -> RenderableType:
        """The whole screen, at most ``height`` lines of at most ``width`` columns."""
        title, about, heading = self._title(frame, width, now), self._about(frame), self._heading(width)
        bottom = Text("! " + frame.note, style="yellow") if frame.note else Text(frame.foot, style=DIM)
        room = height - 5  # title, an empty line, the heading, an empty line, the bottom
        lines = self._devices(width, room - len(about), room - len(about[:1]), now)
        about = about[: max(1, room - len(lines))]  # the devices matter more than all but its first line
        screen = [title, *about, Text(""), heading, *lines, Text(""), bottom][:height]
        for line in screen:
            line.truncate(width, overflow="ellipsis")
        return Group(*screen)

    def _devices(self, width: int, usual: int, room: int, now: float) -> list[Text]:
        cells = {name: _cells(view) for name, view in self.feed.views.items()}
        for name, some in cells.items():
            self._all = self._all.grown(some)
            self._own[name] = self._own.get(name, Widths()).grown(some)
        # one grid for the whole table where there is room for it, else each device as tight as it goes
        aside = self._values_width(width)
        needed = sum(max(1, -(-len(view.quantities) // self._all.columns(aside))) for view in self.feed.views.values())
        lines: list[Text] = []
        left = list(self.feed.views.values())
        while left:
            widths = self._all if needed <= usual else self._own[left[0].device]
            block = self._block(left[0], cells[left[0].device], widths, width, now)
            if len(lines) + len(block) > room - (len(left) > 1):
                break
            lines += block
            left.pop(0)
        if left:
            what = "device" if len(left) == 1 else "devices"
            lines.append(Text(f"  and {len(left)} more {what}: make the window taller", style=DIM))
        return lines

    def _title(self, frame: Frame, width: int, now: float) -> Text:
        rate = pace(sum(view.rate(now, self.feed.started) or 0.0 for view in self.feed.views.values()) or None)
        right = GAP.join(part for part in (rate, age(max(10.0, now - self.feed.started))) if part)
        title = Text(frame.title, style="bold")
        title.append(" " * max(1, width - cell_len(frame.title) - len(right)))
        title.append(right, style=f"not bold {DIM}")
        return title

    def _about(self, frame: Frame) -> list[Text]:
        if frame.trouble:
            return [Text(frame.trouble, style="red")]
        if self.feed.gateway_up is False:
            return [Text("the gateway is offline: what follows is old", style="red")]
        return [Text(line, style=DIM) for line in frame.about]

    def _heading(self, width: int) -> Text:
        trend = f"{'TREND':>{TREND}}{GAP}" if width >= WIDE else ""
        tail = f"{trend}{'AGE':>{AGE}}{'SEQ':>{SEQ}}{'RATE':>{RATE}}"
        head = f"{'  DEVICE':<{self._name_width() + 2}}{GAP}VALUES"
        return Text(head.ljust(width - len(tail)) + tail, style=DIM)

    def _name_width(self) -> int:
        return min(20, max([10, *(len(name) for name in self.feed.views)]))

    def _values_width(self, width: int) -> int:
        trend = TREND + len(GAP) if width >= WIDE else 0
        return max(10, width - self._name_width() - 2 - 2 * len(GAP) - AGE - SEQ - RATE - trend)

    def _block(self, view: View, cells: Sequence[Cell], widths: Widths, width: int, now: float) -> list[Text]:
        """One device: its values, in as many columns as there is room for."""
        names, room = self._name_width(), self._values_width(width)
        colour = COLOURS.get(view.state, DIM)
        rows = _said(view, room, colour)
        if view.state not in ("offline", "failed", "hung"):
            rows += _grid(view, cells, widths, room)
        lines = []
        for index, (value, trail) in enumerate(rows or [(Text("nothing yet", style=DIM), "")]):
            line = Text()
            if index == 0:
                line.append("○ " if view.state == "disabled" else "● ", style=colour)
                line.append(set_cell_size(view.device, names), style="bold")
            else:
                line.append(" " * (names + 2))
            line.append(GAP)
            value.truncate(room, overflow="ellipsis", pad=True)
            line.append_text(value)
            line.append(GAP)
            if width >= WIDE:
                line.append(f"{trail:>{TREND}}{GAP}", style="cyan")
            if index == 0:
                line.append_text(self._tail(view, now))
            lines.append(line)
        return lines

    def _tail(self, view: View, now: float) -> Text:
        seen = None if view.seen is None else now - view.seen
        late = seen is not None and view.interval is not None and seen > 3 * view.interval + 1 and not view.event
        tail = Text(f"{'' if seen is None else age(seen):>{AGE}}", style="yellow" if late else "")
        tail.append(f"{'' if view.seq is None else view.seq:>{SEQ}}", style=DIM)
        tail.append(f"{pace(view.rate(now, self.feed.started)):>{RATE}}", style=DIM)
        return tail


def _cells(view: View) -> list[Cell]:
    """The values in the order of the configuration, then those that it does not know."""
    keys = [key for key in view.quantities if key in view.values]
    keys += [key for key in view.values if key not in view.quantities]
    found = []
    for key in keys:
        number, unit = figure(view.quantities.get(key) or Quantity(key), view.values[key])
        found.append(Cell(plain(key), number, unit, view.values[key]))
    return found


def _said(view: View, room: int, colour: str) -> list[tuple[Text, str]]:
    """What is to be said about a device that is not simply online: two lines at most."""
    if view.state in ("online", ""):
        return []
    text = f"{view.state}: {view.error}" if view.error else view.state
    lines = textwrap.wrap(text, room, max_lines=2, placeholder=" …")
    return [(Text(line, style=colour), "") for line in lines]


def _grid(view: View, cells: Sequence[Cell], widths: Widths, room: int) -> list[tuple[Text, str]]:
    """Label, number and unit in columns of their own, so that the eye can run down them; with the first one's curve."""
    spare = widths.number + widths.unit + 1
    wide = any(isinstance(cell.value, str) and cell_len(cell.number) > spare for cell in cells)
    columns = 1 if wide else widths.columns(room)
    rows = -(-len(cells) // columns)
    grid = [(Text(), curve(view.trails.get(cell.key, ()), TREND)) for cell in cells[:rows]]
    for index, cell in enumerate(cells):
        line = grid[index % rows][0]
        if index >= rows:
            line.append(" " * BETWEEN)
        line.append(set_cell_size(cell.key, widths.key) + " ", style=DIM)
        padding = " " * (widths.number - cell_len(cell.number))
        shown = padding + cell.number if is_number(cell.value) or cell.value is None else cell.number + padding
        line.append(shown, style=DIM if cell.value is None else "bold")
        line.append(" " + set_cell_size(cell.unit, widths.unit))
    return grid
