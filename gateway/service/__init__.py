"""Installs sensorpost as a service, brings it up to date, and takes it away. Standard library only."""
