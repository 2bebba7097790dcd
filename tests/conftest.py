"""Loads the suite's plugin; see tests/support."""

pytest_plugins = ["support.plugin"]
