"""TOML files into frozen settings, and every mistake into one clear line."""
