"""Certificates of servers."""

from __future__ import annotations

import ssl
from pathlib import Path

from musterroll import MusterrollError


def tls_context(ca: Path | None, failure: type[MusterrollError]) -> ssl.SSLContext:
    """Returns what certificates are checked with: the system's authorities, and those of a file.

    Args:
        ca: the file; None for none.
        failure: raised where the file cannot be read.

    Raises:
        MusterrollError: the file cannot be read.
    """
    context = ssl.create_default_context()
    if ca is not None:
        try:
            context.load_verify_locations(cafile=ca)
        except (OSError, ssl.SSLError) as error:
            reason = "it holds no certificates in PEM" if isinstance(error, ssl.SSLError) else error.strerror
            raise failure(f"the certificate file {ca} cannot be used: {reason}") from None
    return context


def untrusted(host: str, error: Exception) -> str:
    """Says why a server's certificate is not trusted, and what to do."""
    why = getattr(error, "verify_message", "") or "it is not for this host"
    return (
        f"the certificate of {host} is not trusted: {why}; "
        "if it is of your own certificate authority, name that one's file in the option ca"
    )


def refused_handshake(place: str, reason: str) -> str:
    """Says why no encrypted connection comes about, by the reason that the TLS library gives; and what to do."""
    if "CERTIFICATE_REQUIRED" in reason or "BAD_CERTIFICATE" in reason:
        return f"{place} wants a client certificate, which musterroll does not bring; ask for another way in"
    if "WRONG_VERSION_NUMBER" in reason or "HTTP_REQUEST" in reason or "PACKET_LENGTH" in reason:
        return f"no secure connection to {place} comes about: it speaks none there; check https, security and port"
    why = (
        ": perhaps it wants a client certificate, which musterroll does not bring"
        if "HANDSHAKE" in reason or "EOF" in reason
        else ""
    )
    return f"no secure connection to {place} comes about{why}; check https, security and port"
