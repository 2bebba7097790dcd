"""A table for people: with colour on a terminal, plain aligned columns anywhere else."""

from __future__ import annotations

import sys
from collections.abc import Sequence

from gateway.cli.output import fancy, out


def show(head: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    """Print rows below their headings. The last column may be long; on a terminal it wraps in its place."""
    if fancy():
        _rich(head, rows)
        return
    table = [[text.upper() for text in head], *rows]
    widths = [max(len(row[column]) for row in table) for column in range(len(head))]
    for row in table:
        out("  ".join(text.ljust(width) for text, width in zip(row, widths, strict=True)).rstrip())


def _rich(head: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    from rich.console import Console  # noqa: PLC0415 (only on a terminal)
    from rich.table import Table  # noqa: PLC0415
    from rich.text import Text  # noqa: PLC0415

    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="dim")
    for index, title in enumerate(head):
        last = index == len(head) - 1
        table.add_column(title, style="bold" if index == 0 else "", no_wrap=not last, overflow="fold")
    for row in rows:
        table.add_row(*(Text(text) for text in row))
    Console(file=sys.stdout, highlight=False).print(table)
