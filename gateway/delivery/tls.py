"""TLS towards the broker, and why a connection could not be made, in words for people."""

from __future__ import annotations

import contextlib
import socket
import ssl
from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path


class Unusable(Exception):
    """A file that the configuration names cannot be used; the text says which and why."""


@lru_cache(maxsize=4)
def tls_context(ca_file: Path | None, cert_file: Path | None, key_file: Path | None) -> ssl.SSLContext:
    """A verifying context, TLS 1.2 or newer. Made once: reading the system's certificates is slow on a Pi."""
    with _naming("ca_file", ca_file):
        context = ssl.create_default_context(cafile=str(ca_file) if ca_file else None)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    if cert_file:
        with _naming("cert_file and key_file", cert_file):
            context.load_cert_chain(cert_file, key_file)
    return context


@contextlib.contextmanager
def _naming(key: str, path: Path | None) -> Iterator[None]:
    """What goes wrong here is told with the setting and the file that are the cause."""
    try:
        yield
    except OSError as exc:  # SSLError is one
        raise Unusable(f"TLS: {key} {path}: {explain(exc).removeprefix('TLS: ')}") from exc


def explain(error: BaseException) -> str:
    """Why a connection could not be made, in a few words."""
    if isinstance(error, socket.gaierror):
        return f"host name not found ({error.strerror})"
    if isinstance(error, ssl.SSLCertVerificationError):
        return f"TLS: the broker's certificate is not accepted ({error.verify_message})"
    if isinstance(error, TimeoutError):
        return "no answer within the connect timeout"
    if isinstance(error, ssl.SSLError):
        return f"TLS: {error.reason or error}"
    if isinstance(error, OSError) and error.strerror:
        return error.strerror.lower()
    return str(error) if isinstance(error, Unusable) else f"{type(error).__name__}: {error}"
