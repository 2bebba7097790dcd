"""Models of the bundled drivers' devices: ``NAME.py`` is that of the driver NAME, found by its name."""
