"""A configuration to begin with: ``sensorpost init``."""
