"""What a program asked of the kernel, told by strace: every change of a file, with its bytes, in order."""

from __future__ import annotations

import os
import re
import subprocess
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from support.capabilities import program
from support.faults.gateway_process import environment

CHANGES = (
    "openat,close,write,pwrite64,writev,pwritev,pwritev2,ftruncate,truncate,fallocate,copy_file_range,sendfile,"
    "fsync,fdatasync,sync_file_range,unlink,unlinkat,rename,renameat,renameat2,link,linkat,symlink,symlinkat,"
    "mkdir,mkdirat"
)
"""All that can change a file or make it last. What :mod:`support.power_cut` does not know of it is an error there."""
MOST_BYTES = 16_000_000
"""Of one call's data; a call with more would be cut short by strace, and is an error."""

TESTS = Path(__file__).resolve().parents[1]
_LINE = re.compile(r"(\d+) +(?:<\.\.\. )?(\w+)(?:\(| resumed>)(.*)$", re.DOTALL)
_UNFINISHED = " <unfinished ...>"
_RESULT = re.compile(r"\) += (-?\d+|\?)(?:<([^>]*)>)?(?: (\w+) .*)?$", re.DOTALL)
_DESCRIPTOR = re.compile(r"(-?\d+|AT_FDCWD)<([^>]*)>")


@dataclass(frozen=True, slots=True)
class Call:
    """One system call that has returned."""

    process: int
    name: str
    strings: tuple[bytes, ...]
    """Paths or data, in order."""
    numbers: tuple[int, ...]
    """Plain numbers, in order: lengths and offsets, no descriptors."""
    words: str
    """Flags, as strace names them."""
    file: str
    """The path behind the (first) descriptor; where a descriptor is returned, behind that."""
    descriptor: int
    """Its number."""
    result: int
    error: str | None
    """As ``EIO``; ``None`` when it succeeded."""


def strace(command: Sequence[str], trace: Path, *options: str) -> list[str]:
    """The command line that runs ``command`` under strace, with its children, writing to ``trace``."""
    path = f"PYTHONPATH={TESTS.parent}{os.pathsep}{TESTS}"  # pytest's own search path is not that of its children
    return [program("strace") or "strace", "-f", "-qq", "-E", path, "-o", str(trace), *options, *command]


def record(command: Sequence[str], trace: Path, *more: str, timeout: float = 300.0, **more_environ: str) -> list[Call]:
    """Run a program to its end and return what it did to files. ``more`` are options of strace."""
    wanted = ("-e", f"trace={CHANGES}", "-e", "signal=none")
    options = ("--seccomp-bpf", "-y", "-xx", "-s", str(MOST_BYTES), *wanted, *more)
    environ = environment(trace.parent, **more_environ)
    done = subprocess.run(
        strace(command, trace, *options), capture_output=True, timeout=timeout, check=False, env=environ
    )
    assert done.returncode == 0, done.stderr.decode(errors="replace")
    return list(parse(trace))


def parse(trace: Path) -> Iterator[Call]:
    """The calls of a trace, each at the place where it returned."""
    begun: dict[tuple[str, str], str] = {}
    with trace.open() as lines:
        for number, line in enumerate(lines, 1):
            match = _LINE.match(line.rstrip("\n"))
            assert match is not None, f"{trace}:{number}: not understood: {line[:200]}"
            process, name, rest = match.groups()
            if rest.endswith(_UNFINISHED):
                begun[process, name] = rest.removesuffix(_UNFINISHED)
                continue
            yield _call(int(process), name, begun.pop((process, name), "") + rest, f"{trace}:{number}")


def _call(process: int, name: str, rest: str, where: str) -> Call:
    result = _RESULT.search(rest)
    assert result is not None, f"{where}: a call without a result: {rest[-200:]}"
    parts = rest[: result.start()].split('"')  # in hex, no string has a quote in it
    outside = parts[::2]
    assert not any(part.startswith("...") for part in outside), f"{where}: more than {MOST_BYTES} bytes"
    descriptors = [(int(result[1]), _text(result[2]))] if result[2] is not None else []
    words: list[str] = []
    for part in outside:
        found = _DESCRIPTOR.findall(part)
        descriptors += [(-1 if number == "AT_FDCWD" else int(number), _text(path)) for number, path in found]
        words += [word.strip() for word in _DESCRIPTOR.sub("", part).split(",")]
    descriptor, file = descriptors[0] if descriptors else (-1, "")
    value = -1 if result[1] == "?" else int(result[1])
    return Call(
        process=process,
        name=name,
        strings=tuple(_bytes(part) for part in parts[1::2]),
        numbers=tuple(int(word) for word in words if word.isdigit()),
        words="|".join(word for word in words if word and not word.isdigit()),
        file=file,
        descriptor=descriptor,
        result=value,
        error=result[3] if value < 0 else None,
    )


def _bytes(text: str) -> bytes:
    return bytes.fromhex(text.replace("\\x", ""))


def _text(text: str) -> str:
    return _bytes(text).decode(errors="replace") if text.startswith("\\x") else text
