"""What is wrong with text that is not TOML, in words that help somebody who does not know TOML well."""

from __future__ import annotations

import re

_ENDLESS = re.compile(r"^[ \t\[]*(?:[\w-]+[ \t]*\.[ \t]*){32}", re.MULTILINE)
_WHERE = re.compile(r" \(at (?:line (\d+), column \d+|end of document)\)$")
_BARE_VALUE = re.compile(r"^\s*([\w.-]+)\s*=\s*([^\"'\[{#\s][^#]*)")
_QUOTE_SOURCE = re.compile(r"Illegal character|Unterminated string|Expected \"'\"")

_WORDS = {
    "True": "true",
    "TRUE": "true",
    "yes": "true",
    "on": "true",
    "False": "false",
    "FALSE": "false",
    "no": "false",
    "off": "false",
    "None": '""',
    "null": '""',
}


def endless_key(text: str) -> int | None:
    """The line of a dotted key with more than 32 parts; over one with thousands ``tomllib`` would take minutes."""
    match = _ENDLESS.search(text)
    return text.count("\n", 0, match.start()) + 1 if match else None


def explain(error: str, text: str) -> tuple[int, str, str]:
    """Line, message and hint for one of ``tomllib``'s messages. The line's own text is never shown: secrets."""
    where = _WHERE.search(error)
    line = int(where[1]) if where and where[1] else max(1, len(text.rstrip().splitlines()))
    what = _WHERE.sub("", error)
    lines = text.splitlines()
    source = lines[line - 1] if line <= len(lines) else ""
    message, hint = _reason(what, source)
    return line, message, hint


def _reason(what: str, source: str) -> tuple[str, str]:
    return _repeated(what) or _broken_value(what, source) or _broken_line(source) or (f"not TOML: {_lower(what)}", "")


def _repeated(what: str) -> tuple[str, str] | None:
    if twice := re.match(r"Cannot declare \((.*?),?\) twice", what):
        name = ".".join(part.strip(" '\"") for part in twice[1].split(","))
        return f"the table [{name}] is there twice", "put all its keys under one heading"
    if what.startswith(("Cannot overwrite a value", "Cannot mutate", "Duplicate inline table key")):
        return "a key is set twice", "keep one of them"
    return None


def _broken_value(what: str, source: str) -> tuple[str, str] | None:
    if _QUOTE_SOURCE.search(what):
        return f"not TOML: {_lower(what)}", "is a closing quote missing?"
    if "nclosed" in what:
        return f"not TOML: {_lower(what)}", f"is a closing {']' if 'array' in what else '}'} missing above?"
    if "\\" in what:
        return "not TOML: a backslash in a text", "write the text in single quotes, or \\\\ for a backslash"
    bare = _BARE_VALUE.match(source)
    if bare and bare[2].strip() in _WORDS:
        return "not TOML: unknown word as a value", f"write {bare[1]} = {_WORDS[bare[2].strip()]}"
    if bare and what.startswith(("Invalid value", "Expected newline")):
        message = "not TOML: a value that is neither a text in quotes, a number, true nor false"
        return message, f'texts need quotes: {bare[1]} = "..."'
    return None


def _broken_line(source: str) -> tuple[str, str] | None:
    if source.lstrip().startswith("[") and "]" not in source:
        return "not TOML: a heading without its closing ]", "a table's heading is [name] on a line of its own"
    if re.match(r"^\s*[\w.-]+\s*=\s*(#.*)?$", source):
        return "not TOML: the value is missing", "write KEY = VALUE"
    if re.match(r"^\s*[\w.-]+\s*:", source):
        return "not TOML: a key and its value are joined by =, not by a colon", "write KEY = VALUE"
    return None


def _lower(text: str) -> str:
    return text[:1].lower() + text[1:]
