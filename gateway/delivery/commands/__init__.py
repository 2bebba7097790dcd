"""Requests that come over MQTT, for those who have switched them on: contract section 5."""
