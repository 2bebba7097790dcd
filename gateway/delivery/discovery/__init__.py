"""What Home Assistant is told, so that it finds every device by itself (MQTT discovery)."""
