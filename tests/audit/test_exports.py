"""What databases export."""

from __future__ import annotations

import pytest

from gateway.audit.exports import BadExport, read_export

WANTED = [("a", "r", 1), ("b", "r", 2)]


def read(text: str, **columns: str) -> list[tuple[str, str, int]]:
    """Identities in a text."""
    rows = read_export(text.splitlines(keepends=True), "f", columns)
    return [(device, row["run"], row["seq"]) for device, row in rows]


@pytest.mark.parametrize(
    "text",
    [
        '{"device":"a","run":"r","seq":1,"t":3}\n\n{"device":"b","run":"r","seq":2}\n',
        '\ufeff{"device":"a","run":"r","seq":1}\r\n{"device":"b","run":"r","seq":2}\r\n',
        '[{"device":"a","run":"r","seq":1},{"device":"b","run":"r","seq":2.0}]',
        "time,device,run,seq\nx,a,r,1\nx,b,r,2\n",
        "\ufeffdevice;run;seq\r\na;r;1\r\nb;r;2.0\r\n",
        "#group,false\n#datatype,string\n\ndevice,run,seq,_value\na,r,1,21\n\n#group\nb,r,2,3\n",
        'seq\trun\tdevice\n1\tr\t"a"\n2\tr\tb\n',
    ],
)
def test_what_is_accepted(text: str) -> None:
    """JSON lines, arrays, CSV with any usual separator, comments and a byte order mark."""
    assert read(text) == WANTED


def test_other_names() -> None:
    """As the file calls them."""
    assert read("sensor,run,n\na,r,1\nb,r,2\n", device="sensor", seq="n") == WANTED
    assert read('{"sensor":"a","run":"r","n":1}\n{"sensor":"b","run":"r","n":"2"}', device="sensor", seq="n") == WANTED


def test_nothing() -> None:
    """An empty file has no readings."""
    assert read("") == read("\n\n") == read("device,run,seq\n") == []


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ('{"device":"a","run":"r","seq":1}\n{"device":', "f:2: not JSON"),
        ('{"device":"a","run":"r"}', "f:1: device 'a', run 'r', seq None; accepted is a reading per line"),
        ("[1]", "f:1: not a reading"),
        ('{"device":"a","run":"r","seq":-1}', "seq -1"),
        ('{"device":"a","run":"r","seq":1e400}', "seq inf"),
        (
            "time,value\n1,2\n",
            r"f:1: no column device and no column run and no column seq",
        ),
        ("device,run,seq\n\na,r,x\n", "f:3: device 'a', run 'r', seq 'x'"),
        ("device,run,seq\na,r\n", "f:2: device 'a', run 'r', seq None"),
    ],
)
def test_what_is_not(text: str, reason: str) -> None:
    """Where, what, and what would be."""
    with pytest.raises(BadExport, match=reason):
        read(text)
