"""What a subscriber heard, against what the gateway said that it accepted. See README.md beside this file.

tally.py HEARD gaps DEVICE ...             every run of each, from its first reading to its last: what is missing
tally.py HEARD accepted DEVICE FILE        the same, against the lines that `sensorpost read DEVICE --json` printed
tally.py HEARD lines DEVICE                as JSON lines, for `sensorpost audit --input`
tally.py HEARD clocks DEVICE FROM TO       the times of the readings that arrived from line FROM on
"""

import json
import sys
from collections import defaultdict
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

Reading = dict[str, Any]


def messages(heard: str) -> Iterator[tuple[float, str, Any]]:
    """Time of arrival, topic without gateway, and what was in it."""
    for line in Path(heard).read_text().splitlines():
        at, _, topic, text = [*line.split(" ", 3), ""][:4]
        if text[:1] in ("{", "["):
            yield float(at), topic.split("/", 2)[2], json.loads(text)


def readings(heard: str, device: str) -> Iterator[tuple[float, Reading]]:
    """All readings of a device."""
    for at, topic, body in messages(heard):
        if topic == device:
            yield at, body
        elif topic == f"{device}/history":
            for reading in body:
                yield at, reading


def lasts(heard: str, device: str) -> dict[str, int]:
    """Of each run the last reading that the gateway says it accepted."""
    found: dict[str, int] = {}
    for _, topic, body in messages(heard):
        if topic == "gateway/runs":
            for run in body if isinstance(body, list) else body["runs"]:
                if device in run["last_seq"]:
                    found[run["run"]] = max(run["last_seq"][device], found.get(run["run"], 0))
    return found


def when(reading: Reading) -> float:
    """Its time."""
    return datetime.fromisoformat(reading["time"]).timestamp()


def gaps(heard: str, *devices: str) -> int:
    """Print what is missing of each run.

    Of devices that are not ``full``, a kill or a power cut may take the end of a run. What was read before `configure`
    went to another broker.
    """
    lost = 0
    for device in devices:
        seqs: dict[str, set[int]] = defaultdict(set)
        copies = 0
        for _, reading in readings(heard, device):
            copies += reading["seq"] in seqs[reading["run"]]
            seqs[reading["run"]].add(reading["seq"])
        said = lasts(heard, device)
        missing = {
            run: sorted(set(range(1, max(*got, said.get(run, 0), 1) + 1)) - got)
            for run, got in {**{run: set() for run in said}, **seqs}.items()
        }
        short = sum(map(len, missing.values()))
        ends = sum(seq > max(seqs[run], default=0) for run, which in missing.items() for seq in which)
        lost += short if device == "full" else short - ends
        print(
            f"{device}: {sum(map(bool, seqs.values()))} runs, {sum(map(len, seqs.values()))} readings, {short} missing"
            + (f" ({ends} at the end of a run)" if ends else "")
            + f", {copies} copies"
        )
        for run, which in missing.items():
            if which:
                print(f"  run {run}: {len(which)} missing, {which[:5]} to {which[-1]} of {max(seqs[run], default=0)}")
    return 1 if lost else 0


def accepted(heard: str, device: str, file: str) -> int:
    """Print how many of those that the gateway showed as accepted never came."""
    showed = []
    for line in Path(file).read_text().splitlines():
        try:
            showed.append(json.loads(line))
        except ValueError:
            continue  # cut in the middle
    if not showed:
        print(f"{device}: nothing was seen as accepted")
        return 1
    came = {(reading["run"], reading["seq"]): reading for _, reading in readings(heard, device)}
    lost = [one for one in showed if (one["run"], one["seq"]) not in came]
    late = when(lost[-1]) - when(lost[0]) if lost else 0.0
    print(f"{device}: {len(showed)} seen as accepted, to seq {showed[-1]['seq']}; {len(lost)} never came", end="")
    print(f", of the last {late:.1f} s: seq {[one['seq'] for one in lost][:3]}..." if lost else "")
    return 0 if not lost or (device == "auto" and late <= 2) else 1


def clocks(heard: str, device: str, start: str, true_from: str) -> int:
    """Print what the runs that began after ``start`` (Unix time) say of their clock, and those that lie.

    True is a time after ``true_from`` and before the reading arrived.
    """
    began: dict[str, float] = {}
    kinds: dict[str, int] = defaultdict(int)
    wrong: dict[str, int] = defaultdict(int)
    last: dict[str, tuple[int, float]] = {}
    back = 0
    for at, reading in readings(heard, device):
        run, mark = reading["run"], reading.get("clock", "trusted")
        if began.setdefault(run, at) < float(start):
            continue
        kinds[mark] += 1
        wrong[mark] += not float(true_from) - 1 < when(reading) < at + 1
        if mark != "unsynced":
            seq, before = last.get(run, (0, 0.0))
            back += (reading["seq"] > seq) != (when(reading) > before)
            if reading["seq"] > seq:
                last[run] = reading["seq"], when(reading)
    lies = sum(count for mark, count in wrong.items() if mark != "unsynced")
    told = ", ".join(f"{count} {mark} ({wrong[mark]} wrong)" for mark, count in kinds.items())
    print(f"{device}: {told}; times against the order of seq: {back}")
    return 1 if lies or back else 0


def lines(heard: str, device: str) -> int:
    """Print them for ``sensorpost audit``."""
    for _, reading in readings(heard, device):
        print(json.dumps({"device": device, **reading}))
    return 0


if __name__ == "__main__":
    sys.exit(
        {"gaps": gaps, "accepted": accepted, "clocks": clocks, "lines": lines}[sys.argv[2]](sys.argv[1], *sys.argv[3:])
    )
