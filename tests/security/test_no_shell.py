"""No shell, no code out of data: what no file of ours may do, found in its syntax tree."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
CALLS = {
    "eval": "runs text",
    "exec": "runs text",
    "compile": "runs text",
    "__import__": "imports by name: importlib says so openly",
    "os.system": "is a shell",
    "os.popen": "is a shell",
    "subprocess.getoutput": "is a shell",
    "subprocess.getstatusoutput": "is a shell",
    "asyncio.create_subprocess_shell": "is a shell",
    "pty.spawn": "starts a program out of sight",
    "pickle.loads": "runs what it reads",
    "pickle.load": "runs what it reads",
    "marshal.loads": "runs what it reads",
    "shelve.open": "runs what it reads",
    "yaml.load": "runs what it reads",
    "yaml.unsafe_load": "runs what it reads",
    "ssl._create_unverified_context": "believes every certificate",
    "tempfile.mktemp": "gives a name that somebody else may take first",
}
EXCUSED = {"gateway/hardware/private_library.py": ": exec "}  # it does what an import of an installed library does
MODULES = {"pickle", "cPickle", "dill", "marshal", "shelve", "yaml", "pty", "commands", "code", "codeop"}
STARTS = {"Popen", "run", "call", "check_call", "check_output"}
SHELLS = {"sh", "bash", "dash", "/bin/sh", "/bin/bash", "/usr/bin/env"}


def sources() -> list[Path]:
    """Every Python file that is ours and is not a test."""
    files = [path for room in ("gateway", "drivers") for path in (ROOT / room).rglob("*.py")]
    starters = [ROOT / "sensorpost", *(ROOT / "tools").iterdir()]
    return files + [path for path in starters if path.is_file() and b"python" in path.read_bytes()[:40]]


def dotted(node: ast.expr) -> str:
    """``os.path.join`` of a name or an attribute."""
    if isinstance(node, ast.Attribute):
        return f"{dotted(node.value)}.{node.attr}"
    return node.id if isinstance(node, ast.Name) else "?"


def faults(tree: ast.AST) -> Iterator[str]:
    """What is wrong, with its line."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (f"{node.lineno}: imports {one.name}" for one in node.names if one.name in MODULES)
        elif isinstance(node, ast.ImportFrom) and node.module in MODULES:
            yield f"{node.lineno}: imports {node.module}"
        elif isinstance(node, ast.Call):
            yield from _call(node)


def _call(node: ast.Call) -> Iterator[str]:
    name = dotted(node.func)
    if name in CALLS:
        yield f"{node.lineno}: {name} {CALLS[name]}"
    for keyword in node.keywords:
        if keyword.arg == "shell" and not (isinstance(keyword.value, ast.Constant) and keyword.value.value is False):
            yield f"{node.lineno}: shell="
        if keyword.arg == "preexec_fn":
            yield f"{node.lineno}: preexec_fn= is not safe beside threads"
    if name.startswith("subprocess.") and name.rpartition(".")[2] in STARTS:
        yield from _command(node)


def _command(node: ast.Call) -> Iterator[str]:
    command = node.args[0] if node.args else None
    if isinstance(command, ast.Constant | ast.JoinedStr) or (
        isinstance(command, ast.BinOp) and isinstance(command.op, ast.Mod | ast.Add)
    ):
        yield f"{node.lineno}: a program and its words are a list, not text"
    if isinstance(command, ast.List | ast.Tuple) and command.elts:
        first = command.elts[0]
        if isinstance(first, ast.Constant) and first.value in SHELLS and not _is_fixed(command.elts):
            yield f"{node.lineno}: starts a shell"


def _is_fixed(words: list[ast.expr]) -> bool:
    """A script that is a constant, its data behind it as words of their own."""
    if len(words) < 4 or not (isinstance(words[1], ast.Constant) and words[1].value == "-c"):
        return False
    return isinstance(words[2], ast.Constant) or (isinstance(words[2], ast.Name) and words[2].id.isupper())


@pytest.mark.parametrize("path", sources(), ids=lambda path: str(path.relative_to(ROOT)))
def test_no_shell_and_no_code_out_of_data(path: Path) -> None:
    """Programs are lists of words; nothing that is read is ever run."""
    excused = EXCUSED.get(str(path.relative_to(ROOT)), "nothing")
    assert [fault for fault in faults(ast.parse(path.read_bytes())) if excused not in fault] == []


@pytest.mark.parametrize(
    "text",
    [
        "os.system('ls')",
        "subprocess.run('ls')",
        "subprocess.run(f'ls {x}')",
        "subprocess.run('ls ' + x)",
        "subprocess.run(['sh', '-c', x])",
        "subprocess.run(['/bin/sh', '-c', f'ls {x}', 'sh'])",
        "subprocess.Popen(x, shell=True)",
        "subprocess.Popen(x, shell=y)",
        "eval(x)",
        "import pickle",
        "from yaml import load",
        "subprocess.run([x], preexec_fn=f)",
    ],
)
def test_the_look_finds_what_it_is_for(text: str) -> None:
    """Each of these would be found."""
    assert len(list(faults(ast.parse(text)))) >= 1
