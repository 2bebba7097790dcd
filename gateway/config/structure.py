"""Checks TOML values against the types of frozen dataclasses: strict, every mistake at once, in words for people.

This is ours and not cattrs because cattrs converts where a configuration must refuse (``port = 3`` becomes ``"3"``,
``"123"`` becomes ``(1, 2, 3)``, ``true`` becomes 1), so every one of its hooks had to be replaced; see docs/decisions.
"""

from __future__ import annotations

import dataclasses
import enum
import math
import re
from collections.abc import Callable, Mapping, Sequence
from typing import Annotated, Any, Final, Literal, get_args, get_origin

from gateway.config.duration import DURATIONS, SIZES, format_duration, format_size, parse_duration, parse_size
from gateway.config.fields import ARRAYS, TABLES, TYPES, Field, fields_of, fits, is_union, is_unit, name_of, sample_of
from gateway.config.positions import KeyPath
from gateway.config.report import Report, nearest, one_of, show, suggestion


class _Invalid(enum.Enum):
    INVALID = enum.auto()


INVALID: Final = _Invalid.INVALID
"""Stands for a value whose mistake is already in the report."""


def check_table(
    fields: Mapping[str, Field], table: Mapping[str, Any], path: KeyPath, report: Report, *, see: str = ""
) -> dict[str, Any]:
    """The valid values of a table by attribute, defaults included; mistakes go to the report.

    A key with a mistake is ``INVALID``; so is a key that is required and missing. ``see`` is the hint for an unknown
    key that is near to none.
    """
    values: dict[str, Any] = {}
    for key, value in table.items():
        field = fields.get(key)
        if field is not None:
            values[field.attribute] = check(field.hint, value, (*path, key), report, field.facts)
        elif see and nearest(key, fields) is None:
            report.add((*path, key), "unknown key", see)
        else:
            report.add((*path, key), "unknown key", suggestion(key, list(fields)))
    for key, field in fields.items():
        if field.attribute in values:
            continue
        values[field.attribute] = INVALID if field.required else field.default
        if field.required:
            report.add(path, f'the key "{key}" is missing', _how(field))
    return values


def build(cls: Any, value: Any, path: KeyPath, report: Report) -> Any:
    """An instance of a dataclass, or ``INVALID``. What its ``__post_init__`` refuses is a mistake of the table."""
    if not isinstance(value, dict):
        return _refuse(path, report, "is not a table", "write { key = value } or a [table] of its own")
    fields = fields_of(cls)
    values = check_table(fields, value, path, report)
    return construct(cls, values, path, report) if value.keys() <= fields.keys() else INVALID


def construct(cls: Any, values: Mapping[str, Any], path: KeyPath, report: Report) -> Any:
    """An instance of checked values, or ``INVALID`` where one of them is or the class itself refuses them."""
    if any(value is INVALID for value in values.values()):
        return INVALID
    try:
        return cls(**values)
    except Exception as error:  # noqa: BLE001 (a driver's own check can raise anything; its words are shown)
        report.add(path, f"{error}" or type(error).__name__, getattr(error, "hint", ""))
        return INVALID


def check(  # noqa: PLR0911 (one return a kind of type)
    hint: Any, value: Any, path: KeyPath, report: Report, facts: Mapping[str, Any] | None = None
) -> Any:
    """The value as its type wants it, or ``INVALID``."""
    facts = facts or {}
    origin = get_origin(hint)
    if hint is Any or value is INVALID:
        return value
    if origin is Annotated:
        return _unit(hint, value, path, report, facts)
    if is_union(hint):
        return _union(hint, value, path, report, facts)
    if origin is Literal:
        return _choice(get_args(hint), value, path, report)
    if isinstance(hint, type) and issubclass(hint, enum.Enum):
        chosen = _choice([member.value for member in hint], value, path, report)
        return INVALID if chosen is INVALID else hint(chosen)
    if origin in ARRAYS:
        return _tuple(get_args(hint), value, path, report, facts)
    if origin in TABLES:
        return _dict(get_args(hint)[1], value, path, report, facts)
    if dataclasses.is_dataclass(hint):
        return build(hint, value, path, report)
    return _scalar(hint, value, path, report, facts)


def _scalar(hint: Any, value: Any, path: KeyPath, report: Report, facts: Mapping[str, Any]) -> Any:
    if not fits(hint, value):
        return _refuse(path, report, f"is not {TYPES[hint]}", _accepted(facts, _plain), _repair(hint, value))
    if hint is float:
        try:
            value = float(value)
        except OverflowError:
            value = math.inf
        if not math.isfinite(value):
            return _refuse(path, report, "is not a number that can be used", "accepted: finite numbers")
    if hint in (int, float):
        return _in_range(value, path, report, facts, _plain)
    pattern = facts.get("pattern")
    if pattern is not None and hint is str and not re.fullmatch(pattern, value):
        help_ = f" ({facts['help']})" if facts.get("help") else ""
        return _refuse(path, report, "does not have the right form", f"accepted: {pattern}{help_}")
    return value


def _in_range(value: float, path: KeyPath, report: Report, facts: Mapping[str, Any], text: Callable[[Any], str]) -> Any:
    low, high = facts.get("min"), facts.get("max")
    if (low is None or value >= low) and (high is None or value <= high):
        return value
    return _refuse(path, report, "is out of range", _accepted(facts, text))


def _accepted(facts: Mapping[str, Any], text: Callable[[Any], str]) -> str:
    low, high = facts.get("min"), facts.get("max")
    if low is not None and high is not None:
        return f"accepted: from {text(low)} to {text(high)}"
    if low is None and high is None:
        return ""
    return f"accepted: at least {text(low)}" if high is None else f"accepted: at most {text(high)}"


def _plain(number: float) -> str:
    return str(int(number)) if float(number).is_integer() else str(number)


def _unit(hint: Any, value: Any, path: KeyPath, report: Report, facts: Mapping[str, Any]) -> Any:
    """A duration or a size."""
    duration = is_unit(hint, "duration")
    words = DURATIONS if duration else SIZES
    name = "a duration" if duration else "a size"
    if not isinstance(value, str):
        repair = f'did you mean "{value}{"s" if duration else "MB"}"?' if fits(float, value) else ""
        return _refuse(path, report, f"is not {name}", f"accepted: {words}", repair)
    try:
        parsed = parse_duration(value) if duration else parse_size(value)
    except ValueError:
        return _refuse(path, report, f"is not {name}", f"accepted: {words}", _near_unit(value, duration=duration))
    return _in_range(parsed, path, report, facts, format_duration if duration else format_size)


def _near_unit(value: str, *, duration: bool) -> str:
    """A guess for ``10 sec``, ``5 minutes``, ``10`` and the like."""
    match = re.fullmatch(r"\s*([0-9]+(?:\.[0-9]+)?)\s*([A-Za-z]*)\s*", value)
    if match is None:
        return ""
    word = match[2].lower()
    if not duration:
        unit = (word[:1].upper() + "B").replace("BB", "B") if word[:1] in ("b", "k", "m", "g") else "MB"
        return f'did you mean "{match[1]}{unit}"?'
    unit = "ms" if word.startswith(("ms", "mil")) else word[:1] or "s"
    meant = f"{match[1]}{unit}"
    return f'did you mean "{meant}"?' if unit in ("ms", "s", "m", "h", "d") and meant != value else ""


def _union(hint: Any, value: Any, path: KeyPath, report: Report, facts: Mapping[str, Any]) -> Any:
    members = [member for member in get_args(hint) if member is not type(None)]
    if len(members) == 1:
        return check(members[0], value, path, report, facts)
    fitting = [member for member in members if fits(member, value)]
    exact = [member for member in fitting if member is type(value)]
    if fitting:
        return check((exact or fitting)[0], value, path, report, facts)
    return _refuse(
        path, report, f"is not {' or '.join(dict.fromkeys(name_of(m) for m in members))}", str(facts.get("help", ""))
    )


def _choice(choices: Sequence[Any], value: Any, path: KeyPath, report: Report) -> Any:
    for choice in choices:
        if type(choice) is type(value) and choice == value:
            return choice
    near = nearest(str(value), [str(choice) for choice in choices])
    meant = next((show(choice) for choice in choices if str(choice) == near), None)
    repair = f"did you mean {meant}?" if meant else ""
    return _refuse(path, report, "is not one of the choices", f"accepted: {one_of(choices)}", repair)


def _tuple(args: tuple[Any, ...], value: Any, path: KeyPath, report: Report, facts: Mapping[str, Any]) -> Any:
    if not isinstance(value, list):
        return _refuse(path, report, "is not an array", "", f"write [{show(value) if _is_plain(value) else '...'}]")
    if args[-1:] != (Ellipsis,) and len(args) > 1:
        if len(value) != len(args):
            report.add(path, f"has not {len(args)} elements (got {len(value)})")
            return INVALID
        kinds = args
    else:
        kinds = args[:1] * len(value)
    items = [
        check(kind, item, (*path, index), report, facts)
        for index, (kind, item) in enumerate(zip(kinds, value, strict=True))
    ]
    return INVALID if INVALID in items else tuple(items)


def _dict(kind: Any, value: Any, path: KeyPath, report: Report, facts: Mapping[str, Any]) -> Any:
    if not isinstance(value, dict):
        return _refuse(path, report, "is not a table", "write { name = ... }")
    items = {key: check(kind, item, (*path, key), report, facts) for key, item in value.items()}
    return INVALID if any(item is INVALID for item in items.values()) else items


def _refuse(path: KeyPath, report: Report, message: str, accepted: str = "", repair: str = "") -> Any:
    """Note a mistake. ``repair`` may repeat the value, so it is left out where the value is a secret."""
    parts = (accepted, "" if report.hides(path) else repair)
    report.wrong(path, message, "; ".join(part for part in parts if part))
    return INVALID


def _is_plain(value: Any) -> bool:
    return isinstance(value, str | int | float)


def _repair(hint: Any, value: Any) -> str:
    """How the value that was probably meant is written."""
    if hint is str:
        return f'write "{value}" in quotes' if _is_plain(value) and not isinstance(value, bool) else ""
    if hint is bool:
        word = str(value).lower()
        if word in ("true", "yes", "on", "1"):
            return "write true without quotes"
        return "write false without quotes" if word in ("false", "no", "off", "0") else ""
    if isinstance(value, str):
        try:
            int(value, 0) if hint is int else float(value)
        except ValueError:
            return ""
        return f"write {value.strip()} without quotes"
    return "write it without a decimal point" if isinstance(value, float) else ""


def _how(field: Field) -> str:
    """What a missing key looks like."""
    kinds = get_args(field.hint) if is_union(field.hint) else (field.hint,)
    text = f"write {field.key} = {sample_of(kinds[0])}"
    return f"{text} ({field.facts['help']})" if field.facts.get("help") else text
