"""From a message to a request, whatever is in it."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.delivery.commands.request import LONGEST, Request, parse
from gateway.delivery.payload import encode_json


def test_a_request() -> None:
    """The id apart, the rest as it came."""
    assert parse("read", b'{"id":"a1","device":"office"}') == Request("read", "a1", {"device": "office"})


@pytest.mark.parametrize(
    ("payload", "words"),
    [
        (b"", "no JSON"),
        (b"office", "no JSON"),
        (b"\xff\xfe", "no JSON"),
        (b"[" * 60_000, "no JSON"),
        (b'{"id":"1","x":NaN}', "no JSON"),
        (b'{"id":"1","x":' + b"9" * 5000 + b"}", "no JSON"),
        (b'["id"]', "is a JSON object"),
        (b"null", "is a JSON object"),
        (b"{}", '"id": a text'),
        (b'{"id":7}', '"id": a text'),
        (b'{"id":""}', '"id": a text'),
        (b'{"id":"' + b"x" * 101 + b'"}', '"id": a text'),
        (b'{"id":"\\ud800"}', '"id": a text'),
        (b" " * (LONGEST + 1), "65537 bytes; 65536 is the most"),
    ],
)
def test_what_is_none(payload: bytes, words: str) -> None:
    """One line says what is wrong and what a request looks like."""
    request = parse("read", payload)
    assert words in request.error
    assert (request.id, request.body) == (None, {})
    assert "\n" not in request.error
    assert len(request.error) < 200


@given(st.binary(max_size=200) | st.text().map(str.encode))
def test_any_bytes(payload: bytes) -> None:
    """Never raise; an id that is taken can be sent back."""
    request = parse("read", payload)
    assert (request.id is None) == bool(request.error)
    encode_json({"id": request.id})
