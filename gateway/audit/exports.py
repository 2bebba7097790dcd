"""Reads what a database has: its export as JSON lines or CSV."""

from __future__ import annotations

import csv
import itertools
import json
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from gateway.audit.sequence import LARGEST

ACCEPTED = 'a reading per line with "device", "run" and "seq", as sensorpost listen --json prints it'
COLUMNS = ("device", "run", "seq", "gateway")


class BadExport(Exception):
    """The file is not what is accepted; the text says where, what and what would be."""


def read_export(lines: Iterable[str], name: str, columns: Mapping[str, str]) -> Iterator[tuple[str, dict[str, Any]]]:
    """Device and reading of every line. ``columns`` maps our names to those of the file, where they differ.

    JSON lines begin with a brace or a bracket; anything else is CSV with a heading. Raises ``BadExport``.
    """
    numbered = enumerate(lines, 1)
    for number, line in numbered:
        start = line.lstrip("\ufeff").lstrip()
        if start and not start.startswith("#"):  # InfluxDB's CSV begins with comments
            read = _json if start[0] in "{[" else _csv
            yield from read(start, number, (line for _number, line in numbered), name, columns)


def _json(
    first: str, number: int, rest: Iterable[str], name: str, columns: Mapping[str, str]
) -> Iterator[tuple[str, dict[str, Any]]]:
    for at, line in enumerate(itertools.chain([first], rest), number):
        if not line.strip():
            continue
        try:
            value = json.loads(line)
        except (ValueError, RecursionError) as exc:
            raise BadExport(f"{name}:{at}: not JSON ({exc}); accepted is {ACCEPTED}") from exc
        for reading in value if isinstance(value, list) else [value]:
            if not isinstance(reading, dict):
                raise BadExport(f"{name}:{at}: not a reading; accepted is {ACCEPTED}")
            yield _reading({ours: reading.get(columns.get(ours, ours)) for ours in COLUMNS}, f"{name}:{at}")


def _csv(
    first: str, number: int, rest: Iterable[str], name: str, columns: Mapping[str, str]
) -> Iterator[tuple[str, dict[str, Any]]]:
    delimiter = max(",;\t", key=first.count)
    rows = csv.reader(itertools.chain([first], rest), delimiter=delimiter)
    try:
        heading = [word.strip() for word in next(rows)]
    except csv.Error as exc:
        raise BadExport(f"{name}:{number}: not CSV ({exc})") from exc
    where = {ours: heading.index(theirs) for ours in COLUMNS if (theirs := columns.get(ours, ours)) in heading}
    wanted = [columns.get(ours, ours) for ours in COLUMNS[:3] if ours not in where]
    if wanted:
        raise BadExport(
            f"{name}:{number}: no column {' and no column '.join(wanted)} (the heading has: {', '.join(heading)}); "
            "say what it is called with --column, for example --column device=sensor"
        )
    try:
        for row in rows:
            if row and not row[0].startswith("#"):
                values = {ours: row[index] if index < len(row) else None for ours, index in where.items()}
                yield _reading(values, f"{name}:{number + rows.line_num - 1}")
    except csv.Error as exc:
        raise BadExport(f"{name}:{number + rows.line_num - 1}: not CSV ({exc})") from exc


def _reading(values: Mapping[str, Any], where: str) -> tuple[str, dict[str, Any]]:
    device, run, seq = values["device"], values["run"], values["seq"]
    number = _whole(seq)
    if not device or not isinstance(device, str) or not run or not isinstance(run, str) or number is None:
        raise BadExport(f"{where}: device {device!r}, run {run!r}, seq {seq!r}; accepted is {ACCEPTED}")
    return device, {"run": run, "seq": number, "gateway": values.get("gateway")}


def _whole(value: Any) -> int | None:
    """A ``seq``, also as text, and as 42.0: many databases have only one kind of number."""
    try:
        number = float(value) if not isinstance(value, bool) else 0.0
    except (TypeError, ValueError):
        return None
    return int(number) if number.is_integer() and 0 < number <= LARGEST else None
