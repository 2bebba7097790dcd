"""What every driver has to be: the rules that the runtime relies on, checked one by one."""

from __future__ import annotations

import ast
import dataclasses
import inspect
import re
import reprlib
import sys
import typing
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NoReturn

from gateway.channel import EVENT_KEYS
from gateway.config.fields import fields_of
from gateway.driver import Channel, DeviceUnavailable, Driver, DriverError, Kind, Misconfigured, NoOptions
from gateway.hardware.protocols import Hardware
from gateway.testing.fakes import FakeHardware
from gateway.testing.pages import sample_options

THROUGH_THE_SEAM = {
    "serial": "self.serial(...)",
    "smbus": "self.i2c(...)",
    "smbus2": "self.i2c(...)",
    "spidev": "self.spi(...)",
    "RPi": "self.gpio(...) or self.gpio_output(...)",
    "lgpio": "self.gpio(...) or self.gpio_output(...)",
    "gpiod": "self.gpio(...) or self.gpio_output(...)",
    "gpiozero": "self.gpio(...) or self.gpio_output(...)",
    "subprocess": "self.process(...)",
}
"""Libraries that a driver does not import, because then it would run on real hardware only."""


def check_result(result: object, channels: Sequence[Channel], kind: Kind = Kind.SAMPLED) -> None:
    """``AssertionError`` when a driver with these channels may not return this from ``read``."""
    if result is None:
        return
    readings = [result] if isinstance(result, Mapping) else result
    if not isinstance(readings, Sequence) or isinstance(readings, str | bytes):
        raise AssertionError(  # noqa: TRY004 (a failed check of a test)
            f"read returns a mapping, a list of mappings or None, not {type(result).__name__}"
        )
    types: dict[str, Any] = {channel.name: channel.type for channel in channels}
    if kind is Kind.EVENT:
        types = dict.fromkeys(EVENT_KEYS, object) | types
    for reading in readings:
        if not isinstance(reading, Mapping):
            raise AssertionError(  # noqa: TRY004 (a failed check of a test)
                f"a reading is a mapping from channel to value, not {type(reading).__name__}"
            )
        for name, value in reading.items():
            if name not in types:
                raise AssertionError(f"read returned {name!r}, which is none of the channels {', '.join(types)}")
            if not _fits(value, types[name]):
                raise AssertionError(
                    f"channel {name!r} is {types[name].__name__}, but read returned {reprlib.repr(value)}"
                )


def _fits(value: object, type_: Any) -> bool:
    if value is None:
        return True
    if type_ is float:
        return isinstance(value, int | float) and not isinstance(value, bool) and abs(value) <= sys.float_info.max
    return isinstance(value, str | bool | int | float) and isinstance(value, type_)


def check_driver(
    driver: type[Driver[Any]], options: Mapping[str, Any] | None = None, *, hardware: Hardware | None = None
) -> None:
    """Check everything that can be checked of a driver; ``AssertionError`` lists all that is wrong.

    ``options`` are as in the configuration; by default those of the sample in the file's docstring. ``hardware`` is
    what the driver is opened on; by default there is none, and the driver has to say so with one of the three errors.
    """
    wrong = [*_file_rules(driver), *_options_rules(driver.options_type)]
    try:
        values = dict(options) if options is not None else sample_options(driver)
        wrong += _run_rules(driver, values, hardware)
    except ValueError as error:
        wrong.append(f"options of the sample: {error}")
    if wrong:
        raise AssertionError(f"{driver.__module__}.{driver.__name__}:\n  " + "\n  ".join(wrong))


def _file_rules(driver: type[Driver[Any]]) -> Iterator[str]:
    module = sys.modules[driver.__module__]
    summary = (module.__doc__ or "").strip().split("\n")[0]
    if not summary.endswith(".") or len(summary) > 120:
        yield "the file begins with a docstring whose first line names the device and what it sends, with a full stop"
    source = Path(inspect.getfile(driver))
    if not re.fullmatch(r"[a-z][a-z0-9_]*", source.stem):
        yield f"the file's name is the driver's: lower case with _, not {source.stem!r}"
    for name in _imports(ast.parse(source.read_text(encoding="utf-8"))):
        top = name.split(".")[0]
        if top in ("gateway", "drivers") and name != "gateway.driver":
            yield f"imports {name}: of ours a driver imports gateway.driver and nothing else"
        elif not top:
            yield "imports with a dot: a driver is one file"
        elif top in THROUGH_THE_SEAM:
            yield f"imports {name}: use {THROUGH_THE_SEAM[top]}, which also works on simulated hardware"


def _imports(tree: ast.AST) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield "." * node.level if node.level else node.module or ""


def _options_rules(options: Any) -> Iterator[str]:
    parameters = getattr(options, "__dataclass_params__", None)
    if parameters is None or not parameters.frozen:
        yield f"{options.__name__} is a frozen dataclass: put @options above it"
        return
    for key, field in fields_of(options).items():
        if not field.facts.get("help") and options is not NoOptions:
            yield f"option {key!r} has no help: option(..., help=...)"
        for inner in _dataclasses_in(field.hint):
            yield from _options_rules(inner)


def _dataclasses_in(hint: Any) -> Iterator[type[Any]]:
    if isinstance(hint, type) and dataclasses.is_dataclass(hint):
        yield hint
    for argument in typing.get_args(hint):
        yield from _dataclasses_in(argument)


class _Untouchable:
    """Hardware that nobody may use yet."""

    device = "test"

    def __init__(self) -> None:
        self.touched = False

    def __getattr__(self, name: str) -> NoReturn:
        self.touched = True
        raise DeviceUnavailable(f"__init__ used {name}")


def _run_rules(driver: type[Driver[Any]], values: dict[str, Any], hardware: Hardware | None) -> Iterator[str]:
    from gateway.testing.harness import DriverHarness, build_options  # noqa: PLC0415 (it uses this module)

    options = build_options(driver, values)
    try:
        channels = driver.channels_for(options)
    except Misconfigured as error:
        yield f"the sample's options are refused: {error}"
        return
    names = [channel.name for channel in channels]
    if not names or len(set(names)) < len(names):
        yield f"at least one channel, and no two of the same name, not {names}"
    if driver.write is Driver.write and (writable := [channel.name for channel in channels if channel.writable]):
        yield f"{', '.join(writable)}: declared writable, but there is no write method"
    untouchable = _Untouchable()
    try:
        driver(options, untouchable)  # type: ignore[arg-type]  # it is never to be used
    except Exception as error:  # noqa: BLE001 (whatever it is, the author wants to see it)
        yield "__init__ touches hardware; that is for open()" if untouchable.touched else f"__init__ raises {error!r}"
        return
    yield from _fails("release() before open()", DriverHarness(driver, **values).close)
    for where, place in (("without the device", FakeHardware()), ("on the given hardware", hardware)):
        if place is not None:
            yield from _life(DriverHarness(driver, hardware=place, **values), where)


def _life(harness: Any, where: str) -> Iterator[str]:
    """Reset, open, read and close twice over, as the runtime does it."""

    def open_and_read() -> None:
        harness.driver.open()
        harness.read()

    for step in (harness.reset, open_and_read) * 2:
        try:
            step()
        except (DriverError, OSError):
            pass  # one of the reactions that a driver may ask for
        except AssertionError as error:
            yield f"{where}: {error}"
        except Exception as error:  # noqa: BLE001 (whatever it is, the author wants to see it)
            yield f"{where}: {error!r} is none of DeviceUnavailable, BadReading, Misconfigured and OSError"
        yield from _fails(f"release() {where}", harness.driver.release)
        yield from _fails(f"a second release() {where}", harness.driver.release)
    if isinstance(harness.hardware, FakeHardware):
        yield from (f"{name} is still open after release()" for name in harness.hardware.still_open())


def _fails(what: str, call: Any) -> Iterator[str]:
    try:
        call()
    except Exception as error:  # noqa: BLE001 (whatever it is, the author wants to see it)
        yield f"{what} raises {error!r}"
