"""Checks what a driver returned and turns it into plain values that nobody can change any more.

Two kinds of trouble, told apart by who can do something about it:

- The *hardware* gave a value that cannot be published: NaN, infinite, a whole number beyond 64 bits, a text that is
  too long or not valid Unicode. That channel is null, and the reason is noted.
- The *driver* returned something of a wrong type or under an unknown name. That is a bug: the whole reading is bad
  (:class:`BadReturn`), and the message names channel and type.
"""

from __future__ import annotations

import math
import numbers
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from itertools import islice
from typing import Any

from gateway.driver import BadReading, Channel, Kind, Scalar

MOST_SAMPLES = 100_000
"""Readings that one call of ``read`` may return."""
MOST_TEXT = 4096
"""Bytes of one text, as UTF-8."""
MOST_INT = 2**63
_EXTRAS: dict[str, type] = {"event": str, "tag": str, "dwell_s": float, "at_start": bool}
"""What a reading of an event device may have beside its channels."""
_NUMBERS: tuple[type, ...] = (float, int, numbers.Real, Decimal)  # the common ones first
_EXPECTED = {float: "a number", bool: "true or false", str: "a text"}
_BUG = "this is a bug in the driver"


class BadReturn(BadReading):
    """The driver returned something that no driver may return."""

    def __init__(self, message: str) -> None:
        super().__init__(message, hint=_BUG)


class _Unfit(Exception):
    """The hardware's value cannot be published."""


@dataclass(frozen=True, slots=True)
class Frozen:
    """What one call of ``read`` returned, checked: samples in their order, each with exact built-in types."""

    samples: tuple[dict[str, Scalar], ...]
    notes: tuple[str, ...] = ()
    """Why channels are null that the driver had a value for."""


def freeze(result: Any, channels: Mapping[str, Channel], kind: Kind) -> Frozen:
    """Check one return value of ``read``. An empty ``samples`` says that there was nothing.

    Raises ``BadReturn``, whatever the objects in ``result`` do when they are looked at.
    """
    try:
        return _freeze(result, channels, kind)
    except BadReading:
        raise
    except BaseException as error:  # noqa: BLE001 (methods of the driver's objects may raise anything)
        raise BadReturn(f"read returned a value of type {_type(result)} that raised {_type(error)}") from None


def _freeze(result: Any, channels: Mapping[str, Channel], kind: Kind) -> Frozen:
    if result is None:
        return Frozen(())
    given: tuple[Any, ...]
    if isinstance(result, list):
        given = tuple(list.__iter__(result))  # not `list(result)`: a subclass may do anything in its own __iter__
    elif isinstance(result, tuple):
        given = tuple(tuple.__iter__(result))
    else:
        given = (result,)
    if len(given) > MOST_SAMPLES:
        raise BadReturn(f"read returned {len(given)} readings at once; {MOST_SAMPLES} is the most")
    notes: list[str] = []
    samples = tuple(_sample(one, channels, kind, notes) for one in given)
    return Frozen(tuple(sample for sample in samples if sample), tuple(dict.fromkeys(notes)))


def _sample(given: Any, channels: Mapping[str, Channel], kind: Kind, notes: list[str]) -> dict[str, Scalar]:
    if not isinstance(given, Mapping):
        raise BadReturn(
            f"read returned a value of type {_type(given)}; return a dict of channels, a list of such dicts, or None"
        )
    most = len(channels) + len(_EXTRAS)
    if isinstance(given, dict):
        items = list(dict.items(given))
    else:
        items = [(key, given[key]) for key in islice(given, most + 1)]
    if len(items) > most:
        raise BadReturn(f"read returned {len(items)} or more keys; the driver has {len(channels)} channels")
    sample: dict[str, Scalar] = {}
    for key, value in items:
        if not isinstance(key, str):
            raise BadReturn(f"read returned a key of type {_type(key)}; keys are names of channels")
        name = str.__str__(key)
        channel = channels.get(name)
        extra = _EXTRAS.get(name) if channel is None and kind is Kind.EVENT else None
        if channel is None and extra is None:
            raise BadReturn(f"read returned {name!r}, which is no channel of the driver")
        try:
            sample[name] = _value(name, value, channel.type if channel is not None else extra)
        except _Unfit as unfit:
            if extra is not None:  # an event without its name or its tag is no event
                raise BadReading(f"{name} {unfit}") from None
            sample[name] = None
            notes.append(f"{name} {unfit}")
    return sample


def _value(name: str, value: Any, wanted: type | None) -> Scalar:
    if value is None:
        return None
    if wanted is float:
        if not isinstance(value, bool) and isinstance(value, _NUMBERS):
            return _number(value)
    elif wanted is bool:
        if isinstance(value, int) and int.__int__(value) in (0, 1):
            return int.__int__(value) == 1
    elif isinstance(value, str):
        return _text(str.__str__(value))
    raise BadReturn(
        f"read returned a value of type {_type(value)} for {name}; {_EXPECTED[wanted or str]} or None is expected"
    )


def _number(value: Any) -> int | float:
    """An exact ``int`` or ``float``, also of a subclass, a numpy number, a ``Decimal`` or a ``Fraction``."""
    if isinstance(value, int):
        whole = int.__int__(value)
    elif isinstance(value, numbers.Integral):
        whole = int.__int__(int(value))
    else:
        try:
            number = float.__float__(value if isinstance(value, float) else float(value))
        except OverflowError:
            raise _Unfit("is beyond all range") from None
        except ValueError:  # a signalling NaN of decimal
            raise _Unfit("is NaN") from None
        if math.isfinite(number):
            return number
        raise _Unfit("is NaN" if math.isnan(number) else "is infinite")
    if -MOST_INT <= whole < MOST_INT:
        return whole
    raise _Unfit("is a whole number beyond 64 bits")


def _text(text: str) -> str:
    if len(text) > MOST_TEXT:
        raise _Unfit(f"is a text of {len(text)} characters; {MOST_TEXT} bytes is the most")
    try:
        size = len(text.encode())
    except UnicodeEncodeError:
        raise _Unfit("is not valid Unicode") from None
    if size > MOST_TEXT:
        raise _Unfit(f"is a text of {size} bytes; {MOST_TEXT} is the most")
    if "\0" in text:
        raise _Unfit("has a NUL character in it")
    return text


def _type(value: object) -> str:
    """The name of a type, whatever its metaclass does."""
    return type.__dict__["__name__"].__get__(type(value), type)[:60]  # type: ignore[no-any-return]
