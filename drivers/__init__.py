"""The bundled drivers: one file for each device or family, found by file name and never imported by ``gateway``."""
