"""The exit codes that scripts rely on."""

OK = 0
FAILED = 1
"""The reason is the last line on stderr."""
USAGE = 2
CONFIG_INVALID = 78
INTERRUPTED = 130
