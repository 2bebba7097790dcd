"""Turns `journalctl -o json` into lines with a time, a priority and a text."""

import json
import sys
from datetime import UTC, datetime

for line in sys.stdin:
    entry = json.loads(line)
    when = datetime.fromtimestamp(int(entry["__REALTIME_TIMESTAMP"]) / 1e6, UTC)
    text = entry.get("MESSAGE")
    if not isinstance(text, str):
        text = repr(bytes(text)) if text else ""
    print(f"{when:%m-%d %H:%M:%S} <{entry.get('PRIORITY', '-')}> {entry.get('SYSLOG_IDENTIFIER', '-')}: {text}")
