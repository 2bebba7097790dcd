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


def _reason(what: str, source: str) -> tuple[str, str]:  # noqa: PLR0911 (one return a kind of mistake)
    if twice := re.match(r"Cannot declare \((.*?),?\) twice", what):
        name = ".".join(part.strip(" '\"") for part in twice[1].split(","))
        return f"the table [{name}] is there twice", "put all its keys under one heading"
    if what.startswith(("Cannot overwrite a value", "Cannot mutate", "Duplicate inline table key")):
        return "a key is set twice", "keep one of them"
    if "heading" in what or (source.lstrip().startswith("[") and "]" not in source):
        return f"not TOML: {_lower(what)}", "a table's heading is [name] on a line of its own"
    if _QUOTE_SOURCE.search(what):
        return f"not TOML: {_lower(what)}", "is a closing quote missing?"
    if bare := _BARE_VALUE.match(source):
        value = bare[2].strip()
        if value in _WORDS:
            return "not TOML: unknown word as a value", f"write {bare[1]} = {_WORDS[value]}"
        if what.startswith(("Invalid value", "Expected newline")):
            return "not TOML: a value that is neither a text in quotes, a number, true nor false", (
                f'texts need quotes: {bare[1]} = "..."'
            )
    if re.match(r"^\s*[\w.-]+\s*=\s*(#.*)?$", source):
        return "not TOML: the value is missing", "write KEY = VALUE"
    if re.match(r"^\s*[\w.-]+\s*:", source):
        return "not TOML: a key and its value are joined by =, not by a colon", "write KEY = VALUE"
    return f"not TOML: {_lower(what)}", ""


def _lower(text: str) -> str:
    return text[:1].lower() + text[1:]
